//! Random sequences of actions of administrators and the identity provider keep all invariants.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::connector::{self, Window};
use crate::directory::{self, NewMember};
use crate::store::keys::{self, Kind};
use crate::store::{Candidates, MemberRecord, OrganizationRecord, Origin, Role, Store, StoreError, Stored, TeamRecord};
use crate::testing::organization::TestOrganization;

/// The number of seats, which is so small that all get taken.
const SEATS: u32 = 6;

/// An action. Numbers name people and teams; there are few of each, so that actions concern the same ones.
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
        0 => TestOrganization::OWNER.to_owned(),
        // The domain of this address is not verified.
        7 => "p7@elsewhere.example".to_owned(),
        _ => format!("p{person}@example.com"),
    }
}

fn role(number: u8) -> Role {
    [Role::Owner, Role::CoOwner, Role::Member][usize::from(number)]
}

struct World {
    organization: TestOrganization,
}

impl World {
    fn id(&self, person: u8) -> Option<String> {
        let found = self.organization.store().find_member(&address(person)).unwrap();
        found.map(|found| found.record.id().to_owned())
    }

    fn ids(&self, people: &[u8]) -> Vec<Value> {
        people.iter().filter_map(|person| self.id(*person)).map(|id| json!({ "value": id })).collect()
    }

    fn team_path(&self, team: u8) -> Option<String> {
        let id = self.organization.store().id_by_team_name(&format!("Team {team}")).unwrap();
        id.map(|id| format!("/Groups/{id}"))
    }

    /// Disables SCIM, so that the token is refused, and enables it again.
    fn disable_and_enable(&mut self) {
        let is_owner = |member: &MemberRecord| member.is_active() && member.role == Role::Owner;
        let owner = self.members().into_values().find(is_owner).unwrap();
        connector::disable(&self.organization.store(), owner.id()).unwrap();
        let (status, _) = self.organization.scim("DELETE", &format!("/Users/{}", owner.id()), None);
        assert_eq!(status, 401);
        let issued = connector::enable(&self.organization.store(), owner.id(), "okta", Window::Never);
        self.organization.token = issued.unwrap().token;
    }

    /// Performs the action; returns the ids of the members whom the identity provider named.
    fn act(&mut self, act: &Act) -> BTreeSet<String> {
        if matches!(act, Act::DisableAndEnable) {
            self.disable_and_enable();
            return BTreeSet::new();
        }
        let organization = &self.organization;
        let mut named = BTreeSet::new();
        let mut scim = |person: Option<String>, method: &str, path: &str, body: Option<Value>| {
            named.extend(person);
            let (status, body) = organization.scim(method, path, body);
            assert!(status < 500 && status != 401, "{status} {body}");
        };
        match act {
            Act::Post { person, email, active } => {
                let store = organization.store();
                let both: Vec<_> = [*person, *email]
                    .into_iter()
                    .map(address)
                    .flat_map(|named| [store.id_by_user_name(&named).unwrap(), store.id_by_email(&named).unwrap()])
                    .collect();
                let body =
                    json!({"userName": address(*person), "active": active, "emails": [{"value": address(*email)}]});
                scim(None, "POST", "/Users", Some(body));
                named.extend(both.into_iter().flatten());
            }
            Act::Put { person, active, email } => {
                if let Some(id) = self.id(*person) {
                    let emails = json!([{"value": address(*email)}]);
                    let body = json!({"userName": address(*person), "active": active, "emails": emails});
                    scim(Some(id.clone()), "PUT", &format!("/Users/{id}"), Some(body));
                }
            }
            Act::Patch { person, active, rename } => {
                if let Some(id) = self.id(*person) {
                    let mut value = serde_json::Map::new();
                    value.extend(active.map(|active| ("active".to_owned(), json!(active))));
                    value.extend(rename.map(|name| ("userName".to_owned(), json!(address(name)))));
                    let patch = json!({"Operations": [{"op": "replace", "value": value}]});
                    scim(Some(id.clone()), "PATCH", &format!("/Users/{id}"), Some(patch));
                }
            }
            Act::Delete { person } => {
                if let Some(id) = self.id(*person) {
                    scim(Some(id.clone()), "DELETE", &format!("/Users/{id}"), None);
                }
            }
            Act::AddByHand { person, role: number } => {
                let email = address(*person);
                let display_name = format!("Person {person}");
                let new = NewMember { email, display_name, role: role(*number), passphrase: None };
                let _ = crate::testing::add_member(&organization.store(), &new);
            }
            Act::RemoveByHand { person } => {
                let _ = directory::remove_member(&organization.store(), &address(*person));
            }
            Act::SetRole { person, role: number } => {
                let _ = directory::set_role(&organization.store(), &address(*person), role(*number));
            }
            Act::PostTeam { team, members } => {
                let body = json!({"displayName": format!("team {team}"), "members": self.ids(members)});
                scim(None, "POST", "/Groups", Some(body));
            }
            Act::PutTeam { team, members } => {
                if let Some(path) = self.team_path(*team) {
                    let body = json!({"displayName": format!("TEAM {team}"), "members": self.ids(members)});
                    scim(None, "PUT", &path, Some(body));
                }
            }
            Act::PatchTeam { team, add, remove } => {
                if let Some(path) = self.team_path(*team) {
                    let patch = json!({"Operations": [
                        {"op": "add", "path": "members", "value": self.ids(add)},
                        {"op": "remove", "path": "members", "value": self.ids(remove)},
                    ]});
                    scim(None, "PATCH", &path, Some(patch));
                }
            }
            Act::DeleteTeam { team } => {
                if let Some(path) = self.team_path(*team) {
                    scim(None, "DELETE", &path, None);
                }
            }
            Act::AddTeamByHand { team, members } => {
                let members: Vec<String> = members.iter().map(|person| address(*person)).collect();
                let _ = directory::add_team(&organization.store(), &format!("Team {team}"), &members);
            }
            Act::SetSeats { seats } => {
                organization.change(|record| record.seats = u32::from(*seats)).unwrap();
            }
            Act::SetOptions { overage, reactivate, domains } => {
                let change = |record: &mut OrganizationRecord| {
                    record.options.allow_overage = *overage;
                    record.options.reactivate_on_post = *reactivate;
                    record.options.verified_domains_only = *domains;
                };
                organization.change(change).unwrap();
            }
            Act::DisableAndEnable => {}
        }
        named
    }

    fn members(&self) -> BTreeMap<String, MemberRecord> {
        let mut members = BTreeMap::new();
        let each = |stored: Stored<MemberRecord>| {
            members.insert(stored.record.id().to_owned(), stored.record);
            Ok::<_, StoreError>(true)
        };
        self.organization.store().each_candidate(Kind::User, &Candidates::All, each).unwrap();
        members
    }
}

fn check(store: &Store, members: &BTreeMap<String, MemberRecord>) {
    let count = |holds: &dyn Fn(&MemberRecord) -> bool| members.values().filter(|member| holds(member)).count() as u64;
    let is_scim = |member: &MemberRecord| member.origin == Origin::Scim;
    let counter = |key: &[u8]| store.counter(key.to_vec()).unwrap();
    assert_eq!(counter(keys::SEATS), count(&MemberRecord::is_active), "licences used are active members");
    assert_eq!(counter(keys::SEATS_SCIM), count(&|member| member.is_active() && is_scim(member)));
    let owners = count(&|member| member.is_active() && member.role == Role::Owner);
    assert_eq!(counter(keys::OWNERS), owners);
    assert!(owners > 0, "there is always an active owner");
    assert_eq!(store.listed_total(Kind::User, true).unwrap(), members.len() as u64);
    assert_eq!(store.listed_total(Kind::User, false).unwrap(), count(&is_scim));
    let names: BTreeSet<String> = members.values().map(|member| keys::fold(member.user_name())).collect();
    assert_eq!(names.len(), members.len(), "userNames are unique");
    let emails: Vec<String> = members.values().filter_map(MemberRecord::email).map(keys::fold).collect();
    assert_eq!(emails.iter().collect::<BTreeSet<_>>().len(), emails.len(), "email addresses are unique");
    for (id, member) in members {
        assert_eq!(store.id_by_user_name(member.user_name()).unwrap().as_ref(), Some(id));
        assert_eq!(store.id_by_email(member.email().unwrap()).unwrap().as_ref(), Some(id));
        let is_administrator = member.is_active() && member.role != Role::Member;
        assert_eq!(store.item(keys::administrator(id)).unwrap().is_some(), is_administrator);
    }
    let (mut from_teams, mut teams) = (BTreeSet::new(), BTreeSet::new());
    let each = |stored: Stored<TeamRecord>| {
        let team = stored.record.id().to_owned();
        let mut size = 0;
        store.edges(&team, |edge| {
            let name = members[&edge.member].own_name();
            assert_eq!(edge.own_name().as_deref(), name.as_deref(), "an edge has the member's name");
            from_teams.insert((edge.member, team.clone()));
            size += 1;
            Ok(true)
        })?;
        assert_eq!(store.team_size(&team)?, size, "the size of a team is exact");
        teams.insert(team);
        Ok::<_, StoreError>(true)
    };
    store.each_candidate(Kind::Team, &Candidates::All, each).unwrap();
    let mut from_members = BTreeSet::new();
    store
        .scan_all(keys::prefixed("member-team/"), |entry| {
            let text = String::from_utf8(entry.key).unwrap();
            let (member, team) = text.strip_prefix("member-team/").unwrap().split_once('/').unwrap();
            from_members.insert((member.to_owned(), team.to_owned()));
            Ok(true)
        })
        .unwrap();
    assert_eq!(from_teams, from_members, "every membership has both ends");
    assert!(from_teams.iter().all(|(member, team)| members.contains_key(member) && teams.contains(team)));
    assert_eq!(store.listed_total(Kind::Team, true).unwrap(), teams.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn p4_random_acts_of_administrators_and_of_the_identity_provider_keep_the_invariants(
        acts in proptest::collection::vec(act(), 1..60)
    ) {
        let mut world = World { organization: TestOrganization::new(SEATS, Window::Never).unwrap() };
        for act in &acts {
            let before = world.members();
            let named = world.act(act);
            let after = world.members();
            check(&world.organization.store(), &after);
            let by_hand = matches!(act, Act::AddByHand { .. } | Act::RemoveByHand { .. } | Act::SetRole { .. });
            for (id, member) in before.iter().filter(|(id, _)| !by_hand && !named.contains(*id)) {
                assert_eq!(after.get(id), Some(member), "{act:?} changed a member whom it did not name");
            }
        }
        let kinds = world.organization.event_types();
        let count = |kind: &str| kinds.iter().filter(|known| *known == kind).count();
        let members = count("member.created") - count("member.deleted");
        assert_eq!(members, world.members().len(), "every member came with an event, and went with one");
        let teams = (count("team.created") - count("team.deleted")) as u64;
        assert_eq!(teams, world.organization.store().listed_total(Kind::Team, true).unwrap(), "and so did every team");
    }
}
