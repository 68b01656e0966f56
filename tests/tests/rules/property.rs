//! Random sequences of what administrators and the identity provider do keep what must always hold.

use std::collections::{BTreeMap, BTreeSet};

use insomnia_scim::OrganizationId;
use insomnia_scim::connector::{ExpiryWindow, IdentityProvider};
use insomnia_scim::directory::{Listing, Member, Origin, Role};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::organization::{Acme, OWNER, person, record};
use crate::world::{Host, World};

/// Seats: few enough that they run out.
const SEATS: u32 = 6;
/// Sequences that are tried.
const CASES: u32 = 32;

/// What somebody does. Numbers name people and teams: of a few, so that they meet.
#[derive(Clone, Debug)]
enum Act {
    Post { person: u8, email: u8, active: bool },
    Put { person: u8, active: bool, email: u8 },
    Patch { person: u8, active: Option<bool>, rename: Option<u8> },
    Delete { person: u8 },
    AddByHand { person: u8, role: u8 },
    RemoveByHand { person: u8 },
    SetRole { person: u8, role: u8 },
    PostTeam { team: u8, members: Vec<u8> },
    PutTeam { team: u8, members: Vec<u8> },
    PatchTeam { team: u8, add: Vec<u8>, remove: Vec<u8> },
    DeleteTeam { team: u8 },
    AddTeamByHand { team: u8, members: Vec<u8> },
    SetSeats { seats: u8 },
    SetOptions { overage: bool, reactivate: bool, domains: bool },
    DisableAndEnable,
}

fn act() -> impl Strategy<Value = Act> {
    let person = || 0_u8..8;
    let team = || 0_u8..3;
    let people = || proptest::collection::vec(0_u8..8, 0..4);
    let options = any::<(bool, bool, bool)>();
    prop_oneof![
        4 => (person(), person(), any::<bool>()).prop_map(|(person, email, active)| Act::Post { person, email, active }),
        1 => (person(), any::<bool>(), person()).prop_map(|(person, active, email)| Act::Put { person, active, email }),
        4 => (person(), any::<Option<bool>>(), proptest::option::of(person()))
            .prop_map(|(person, active, rename)| Act::Patch { person, active, rename }),
        2 => person().prop_map(|person| Act::Delete { person }),
        2 => (person(), 0_u8..3).prop_map(|(person, role)| Act::AddByHand { person, role }),
        1 => person().prop_map(|person| Act::RemoveByHand { person }),
        2 => (person(), 0_u8..3).prop_map(|(person, role)| Act::SetRole { person, role }),
        2 => (team(), people()).prop_map(|(team, members)| Act::PostTeam { team, members }),
        1 => (team(), people()).prop_map(|(team, members)| Act::PutTeam { team, members }),
        2 => (team(), people(), people()).prop_map(|(team, add, remove)| Act::PatchTeam { team, add, remove }),
        1 => team().prop_map(|team| Act::DeleteTeam { team }),
        1 => (team(), people()).prop_map(|(team, members)| Act::AddTeamByHand { team, members }),
        1 => (0_u8..9).prop_map(|seats| Act::SetSeats { seats }),
        1 => options.prop_map(|(overage, reactivate, domains)| Act::SetOptions { overage, reactivate, domains }),
        1 => Just(Act::DisableAndEnable),
    ]
}

fn address(person: u8) -> String {
    match person {
        0 => OWNER.to_owned(),
        // Of no verified domain.
        7 => "p7@elsewhere.example".to_owned(),
        _ => format!("p{person}@acme.example"),
    }
}

fn role(number: u8) -> Role {
    [Role::Owner, Role::CoOwner, Role::Member][usize::from(number)]
}

/// What can be seen from outside.
struct View {
    members: BTreeMap<String, Member>,
    /// The teams' ids by name, in lower case.
    teams: BTreeMap<String, String>,
}

impl View {
    async fn of(acme: &Acme) -> Self {
        let listing = || Listing { limit: 500, ..Listing::default() };
        let members = acme.organization.members(listing()).await.unwrap().items;
        let teams = acme.organization.teams(listing()).await.unwrap().items;
        Self {
            members: members.into_iter().map(|member| (member.id.clone(), member)).collect(),
            teams: teams.into_iter().map(|team| (team.name.to_lowercase(), team.id)).collect(),
        }
    }

    fn id(&self, person: u8) -> Option<String> {
        self.all(person).next()
    }

    /// One may have the address as userName, another as email address.
    fn all(&self, person: u8) -> impl Iterator<Item = String> {
        let address = address(person);
        let is = move |member: &&Member| {
            member.user_name.eq_ignore_ascii_case(&address) || member.email.eq_ignore_ascii_case(&address)
        };
        self.members.values().filter(is).map(|member| member.id.clone())
    }

    fn ids(&self, people: &[u8]) -> Vec<Value> {
        people.iter().filter_map(|person| self.id(*person)).map(|id| json!({ "value": id })).collect()
    }

    fn team_path(&self, team: u8) -> Option<String> {
        self.teams.get(&format!("team {team}")).map(|id| format!("/Groups/{id}"))
    }
}

/// Does it; returns the ids of the members who were named.
async fn perform(acme: &mut Acme, view: &View, act: &Act) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let mut request: Option<(&str, String, Option<Value>)> = None;
    match act {
        Act::Post { person, email, active } => {
            named.extend(view.all(*person).chain(view.all(*email)));
            let body = json!({"userName": address(*person), "active": active, "emails": [{"value": address(*email)}]});
            request = Some(("POST", "/Users".into(), Some(body)));
        }
        Act::Put { person, active, email } => {
            if let Some(id) = view.id(*person) {
                let body =
                    json!({"userName": address(*person), "active": active, "emails": [{"value": address(*email)}]});
                request = Some(("PUT", format!("/Users/{id}"), Some(body)));
                named.insert(id);
            }
        }
        Act::Patch { person, active, rename } => {
            if let Some(id) = view.id(*person) {
                let mut value = Map::new();
                value.extend(active.map(|active| ("active".to_owned(), json!(active))));
                value.extend(rename.map(|name| ("userName".to_owned(), json!(address(name)))));
                let patch = json!({"Operations": [{"op": "replace", "value": value}]});
                request = Some(("PATCH", format!("/Users/{id}"), Some(patch)));
                named.insert(id);
            }
        }
        Act::Delete { person } => {
            if let Some(id) = view.id(*person) {
                request = Some(("DELETE", format!("/Users/{id}"), None));
                named.insert(id);
            }
        }
        Act::AddByHand { person, role: number } => {
            let _ = acme.organization.add_member(self::person(&address(*person), role(*number), None)).await;
        }
        Act::RemoveByHand { person } => {
            named.extend(view.all(*person));
            let _ = acme.organization.remove_member(&address(*person)).await;
        }
        Act::SetRole { person, role: number } => {
            // The owner before may step down for the new one.
            named.extend(view.members.keys().cloned());
            let _ = acme.organization.set_role(&address(*person), role(*number)).await;
        }
        Act::PostTeam { team, members } => {
            let body = json!({"displayName": format!("team {team}"), "members": view.ids(members)});
            request = Some(("POST", "/Groups".into(), Some(body)));
        }
        Act::PutTeam { team, members } => {
            let body = json!({"displayName": format!("TEAM {team}"), "members": view.ids(members)});
            request = view.team_path(*team).map(|path| ("PUT", path, Some(body)));
        }
        Act::PatchTeam { team, add, remove } => {
            let patch = json!({"Operations": [
                {"op": "add", "path": "members", "value": view.ids(add)},
                {"op": "remove", "path": "members", "value": view.ids(remove)},
            ]});
            request = view.team_path(*team).map(|path| ("PATCH", path, Some(patch)));
        }
        Act::DeleteTeam { team } => request = view.team_path(*team).map(|path| ("DELETE", path, None)),
        Act::AddTeamByHand { team, members } => {
            let members: Vec<String> = members.iter().map(|person| address(*person)).collect();
            let _ = acme.organization.add_team(&format!("Team {team}"), &members).await;
        }
        Act::SetSeats { seats } => acme.change(|record| record.seats = u32::from(*seats)).await,
        Act::SetOptions { overage, reactivate, domains } => {
            acme.change(|record| {
                record.options.allow_overage = *overage;
                record.options.reactivate_on_post = *reactivate;
                record.options.verified_domains_only = *domains;
            })
            .await;
        }
        Act::DisableAndEnable => {
            let owner = view.members.values().find(|member| member.active && member.role == Role::Owner).unwrap();
            acme.organization.disable(&owner.id).await.unwrap();
            acme.scim("DELETE", &format!("/Users/{}", owner.id), None).await.is(401);
            let issued = acme.organization.enable(&owner.id, IdentityProvider::Okta, ExpiryWindow::Never).await;
            acme.token = issued.unwrap().token;
        }
    }
    if let Some((method, target, body)) = request {
        let answer = acme.scim(method, &target, body).await;
        assert!(answer.status < 500 && answer.status != 401, "{} {}", answer.status, answer.body);
    }
    named
}

/// What must hold after every act.
async fn check(acme: &Acme, view: &View) {
    let members = &view.members;
    let active =
        |origin: Origin| members.values().filter(|member| member.active && member.origin == origin).count() as u64;
    let licences = acme.organization.licences().await.unwrap();
    let counted = (active(Origin::Manual), active(Origin::Scim));
    assert_eq!((licences.manual, licences.scim), counted, "licences used are active members");
    let is_owner = |member: &Member| member.active && member.role == Role::Owner;
    assert!(members.values().any(is_owner), "there is always an active owner");
    let unique = |of: &dyn Fn(&Member) -> &String| {
        members.values().map(|member| of(member).to_lowercase()).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(unique(&|member| &member.user_name), members.len(), "userNames are unique");
    assert_eq!(unique(&|member| &member.email), members.len(), "email addresses are unique");

    let pairs = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|one| one["value"].as_str().unwrap().to_owned()).collect()
    };
    let mut from_teams = BTreeSet::new();
    for team in view.teams.values() {
        let body = acme.scim("GET", &format!("/Groups/{team}"), None).await.is(200).body;
        let members = pairs(&body["members"]);
        let listed: BTreeSet<_> = members.iter().map(|member| (member.clone(), team.clone())).collect();
        assert_eq!(listed.len(), members.len(), "nobody is in a team twice");
        from_teams.extend(listed);
    }
    let mut from_members = BTreeSet::new();
    for member in members.keys() {
        let body = acme.scim("GET", &format!("/Users/{member}?attributes=groups"), None).await.is(200).body;
        from_members.extend(pairs(&body["groups"]).into_iter().map(|team| (member.clone(), team)));
    }
    assert_eq!(from_teams, from_members, "every membership has both ends");
}

async fn live(host: &Host, case: u32, acts: &[Act]) {
    let id = OrganizationId::parse(&format!("case-{case}")).unwrap();
    let organization = host.provisioner.create_organization(&id).await.unwrap();
    let mut record = record(SEATS);
    record.options.passphrase_emails = false;
    organization.put(record).await.unwrap();
    organization.add_member(person(OWNER, Role::Owner, None)).await.unwrap();
    let token = organization.enable(OWNER, IdentityProvider::Okta, ExpiryWindow::Never).await.unwrap().token;
    let mut acme = Acme { organization, token };
    let mut view = View::of(&acme).await;
    for act in acts {
        let named = perform(&mut acme, &view, act).await;
        let after = View::of(&acme).await;
        check(&acme, &after).await;
        for (id, before) in view.members.iter().filter(|(id, _)| !named.contains(*id)) {
            let member =
                after.members.get(id).unwrap_or_else(|| panic!("{act:?} removed a member whom it did not name"));
            // To be in another team changes a member's groups, and so the time of the last change.
            let same = Member { last_modified: before.last_modified, ..member.clone() };
            assert_eq!(&same, before, "{act:?} changed a member whom it did not name");
        }
        view = after;
    }
    let kinds = acme.event_types().await;
    let count = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
    assert_eq!(
        count("member.created") - count("member.deleted"),
        view.members.len(),
        "every member comes with an event, and goes with one"
    );
    assert_eq!(count("team.created") - count("team.deleted"), view.teams.len(), "and so does every team");
}

#[test]
fn p4_random_acts_of_administrators_and_of_the_identity_provider_keep_the_invariants() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = World::in_memory();
    let host = runtime.block_on(world.host());
    let case = std::cell::Cell::new(0);
    let config = Config { cases: CASES, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&proptest::collection::vec(act(), 1..40), |acts| {
        case.set(case.get() + 1);
        runtime.block_on(live(&host, case.get(), &acts));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(case.get() >= CASES);
}
