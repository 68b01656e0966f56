//! A decision about a team is a value, and making it writes nothing (rules P3 and P4, T22, T33).

use serde_json::{Value, json};

use super::{people, post};
use crate::connector::Window;
use crate::directory;
use crate::protocol::mode::Mode;
use crate::protocol::patch::{self, MemberChange};
use crate::provisioning::Refusal;
use crate::provisioning::decide::{Change, TeamDecision, TeamRules};
use crate::sentence::Sentence;
use crate::store::{OrganizationRecord, Store};
use crate::testing::organization::TestOrganization;

/// An organization with three members, a team `Crew` of the first two that SCIM manages, and a team `Manual` without
/// members.
struct World {
    organization: TestOrganization,
    /// The name of an id in the cases, and the id.
    ids: Vec<(&'static str, String)>,
}

impl World {
    fn new() -> Self {
        let organization = TestOrganization::new(100, Window::Never).unwrap();
        let people = people(&organization, ["ada", "bob", "cy"]);
        let members: Vec<Value> = people[..2].iter().map(|(_, id)| json!({ "value": id })).collect();
        let crew = post(&organization, "/Groups", json!({"displayName": "Crew", "members": members}));
        let manual = directory::add_team(&organization.store(), "Manual", &[]).unwrap().id;
        let teams = [("crew", crew), ("manual", manual)];
        let nobody = [("nobody", "0190a6f0-0000-7000-8000-000000000001".to_owned())];
        Self { organization, ids: people.into_iter().chain(teams).chain(nobody).collect() }
    }

    fn id(&self, name: &str) -> &str {
        self.ids.iter().find(|(known, _)| *known == name).map(|(_, id)| id.as_str()).unwrap()
    }

    fn name(&self, id: &str) -> &str {
        self.ids.iter().find(|(_, known)| known == id).map(|(name, _)| *name).unwrap()
    }

    /// The decision in short: the action, whether the record is put or removed, who joins (`+`), who leaves (`-`), and
    /// who is left out (`?`); for a refusal its name.
    fn decide(
        &self,
        refuse_unknown_members: bool,
        decide: impl Fn(TeamRules<'_, '_>, &Store<'_>) -> Result<TeamDecision, Refusal>,
    ) -> String {
        let store = self.organization.store();
        let mut organization = store.organization().unwrap().map_or_else(OrganizationRecord::default, |it| it.record);
        organization.options.refuse_unknown_members = refuse_unknown_members;
        let before = self.organization.host.dump();
        let rules = TeamRules { store: &store, organization: &organization, base_url: "https://scim.example" };
        let decided = decide(rules, &store);
        assert_eq!(before, self.organization.host.dump(), "a decision writes nothing");
        let TeamDecision { change, moves, action, .. } = match decided {
            Ok(decision) => decision,
            Err(refusal) => {
                let text = format!("{refusal:?}");
                return text.split(|end: char| !end.is_alphanumeric()).next().unwrap_or_default().to_owned();
            }
        };
        let mut words = vec![action.as_str().to_owned()];
        words.extend(match change {
            Change::Put(_) => Some("put".to_owned()),
            Change::Remove => Some("remove".to_owned()),
            Change::Nothing => None,
        });
        for (sign, ids) in [('+', &moves.added), ('-', &moves.removed), ('?', &moves.unknown)] {
            words.extend(ids.iter().map(|id| format!("{sign}{}", self.name(id))));
        }
        words.join(" ")
    }

    /// The decision about a PATCH of the team. `$name` stands for an id.
    fn patched(&self, team: &str, operations: &str, refuse_unknown_members: bool) -> String {
        let operations =
            self.ids.iter().fold(operations.to_owned(), |text, (name, id)| text.replace(&format!("${name}"), id));
        let operations: Value = serde_json::from_str(&operations).unwrap();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        self.decide(refuse_unknown_members, |rules, store| {
            let table = store.schema_table()?;
            let schema = table.resource("Group").unwrap();
            let old = store.team(self.id(team))?.unwrap();
            let operations = patch::parse(&schema, &body, Mode::COMPAT)?;
            let patched = patch::apply(&schema, &old.record.document, None, &operations, Mode::COMPAT)?;
            rules.change(old, patched.document, &patched.members, Sentence::AddressedById)
        })
    }
}

#[test]
fn t22_who_comes_to_a_team_and_who_leaves_it_is_decided_before_anything_is_written() {
    let world = World::new();
    let cases = [
        (r#"{"op": "add", "path": "members", "value": ["$bob", "$cy"]}"#, "updated +cy"),
        (r#"{"op": "remove", "path": "members", "value": ["$bob", "$cy"]}"#, "updated -bob"),
        (r#"{"op": "remove", "path": "members"}"#, "updated -ada -bob"),
        (r#"{"op": "replace", "path": "members", "value": ["$bob", "$cy"]}"#, "updated +cy -ada"),
        (r#"{"op": "replace", "path": "members", "value": []}"#, "updated -ada -bob"),
        (r#"{"op": "remove", "path": "members[display eq \"ada\"]"}"#, "updated -ada"),
        (r#"{"op": "replace", "path": "members[display eq \"ada\"]", "value": {"value": "$cy"}}"#, "updated +cy -ada"),
        (r#"{"op": "replace", "path": "members[display eq \"zoe\"]", "value": {"value": "$cy"}}"#, "NobodyMatches"),
        (
            r#"{"op": "add", "path": "members", "value": ["$cy"]}, {"op": "remove", "path": "members", "value": ["$cy"]}"#,
            "unchanged",
        ),
        (r#"{"op": "add", "path": "members", "value": ["$ada", "$bob"]}"#, "unchanged"),
        (r#"{"op": "add", "path": "members", "value": ["$crew"]}"#, "NestedTeam"),
        (r#"{"op": "replace", "path": "displayName", "value": "Crew"}"#, "unchanged"),
        (r#"{"op": "replace", "path": "displayName", "value": "crew"}"#, "updated put"),
        (r#"{"op": "replace", "path": "displayName", "value": "manual"}"#, "Taken"),
    ];
    for (operations, expected) in cases {
        assert_eq!(world.patched("crew", &format!("[{operations}]"), false), expected, "{operations}");
    }
}

#[test]
fn t33_whom_nobody_knows_is_left_out_unless_an_option_or_an_emptied_team_forbids_it() {
    let world = World::new();
    // Each case: the operation, and the decision if unknown members are allowed and if they are refused.
    let cases = [
        (r#"{"op": "add", "path": "members", "value": ["$cy", "$nobody"]}"#, "updated +cy ?nobody", "UnknownMembers"),
        (r#"{"op": "add", "path": "members", "value": ["$nobody"]}"#, "unchanged ?nobody", "UnknownMembers"),
        (
            r#"{"op": "replace", "path": "members", "value": ["$bob", "$nobody"]}"#,
            "updated -ada ?nobody",
            "UnknownMembers",
        ),
        (r#"{"op": "replace", "path": "members", "value": ["$nobody"]}"#, "NobodyKnown", "UnknownMembers"),
        (r#"{"op": "remove", "path": "members", "value": ["$nobody"]}"#, "unchanged", "unchanged"),
    ];
    for (operation, allowed, refused) in cases {
        let operations = format!("[{operation}]");
        assert_eq!(world.patched("crew", &operations, false), allowed, "{operation}");
        assert_eq!(world.patched("crew", &operations, true), refused, "{operation}");
    }
}

#[test]
fn p3_a_manual_team_is_adopted_by_its_name_and_by_its_first_change_and_no_other_is_taken() {
    let world = World::new();
    let post = |name: &str| {
        let Value::Object(group) = json!({ "displayName": name }) else { unreachable!() };
        let members = [MemberChange::Add(vec![world.id("cy").to_owned()])];
        world.decide(false, |rules, _| rules.post(&group, &members))
    };
    assert_eq!(post("New"), "created put +cy");
    assert_eq!(post("MANUAL"), "adopted put +cy");
    assert_eq!(post("crew"), "Taken");
    let add = r#"[{"op": "add", "path": "members", "value": ["$cy"]}]"#;
    assert_eq!(world.patched("manual", add, false), "adopted put +cy");
    assert_eq!(world.patched("manual", "[]", false), "adopted put");
    let delete =
        |team: &str| world.decide(false, |rules, store| Ok(rules.delete(store.team(world.id(team))?.unwrap())));
    assert_eq!((delete("crew").as_str(), delete("manual").as_str()), ("deleted remove", "deleted remove"));
}
