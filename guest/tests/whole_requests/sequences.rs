//! Random sequences of valid requests against a model: who lives, who is in which team, how many there are.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fuzz::connector::Connector;
use super::{Options, connector};

/// One request; numbers choose among what lives, modulo how many do.
#[derive(Clone, Debug)]
enum Step {
    CreateUser,
    DeleteUser(usize),
    SetActive(usize, bool),
    CreateGroup(Vec<usize>),
    DeleteGroup(usize),
    Add(usize, Vec<usize>),
    Remove(usize, Vec<usize>),
    RemoveOne(usize, usize),
    ReplaceMembers(usize, Vec<usize>),
    PutGroup(usize, Vec<usize>),
    Rename(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let some = || prop::collection::vec(0..16_usize, 0..5);
    let step = prop_oneof![
        4 => Just(Step::CreateUser),
        2 => (0..16_usize).prop_map(Step::DeleteUser),
        2 => (0..16_usize, any::<bool>()).prop_map(|(user, active)| Step::SetActive(user, active)),
        2 => some().prop_map(Step::CreateGroup),
        1 => (0..4_usize).prop_map(Step::DeleteGroup),
        3 => (0..4_usize, some()).prop_map(|(group, users)| Step::Add(group, users)),
        2 => (0..4_usize, some()).prop_map(|(group, users)| Step::Remove(group, users)),
        2 => (0..4_usize, 0..16_usize).prop_map(|(group, user)| Step::RemoveOne(group, user)),
        1 => (0..4_usize, some()).prop_map(|(group, users)| Step::ReplaceMembers(group, users)),
        1 => (0..4_usize, some()).prop_map(|(group, users)| Step::PutGroup(group, users)),
        1 => (0..4_usize).prop_map(Step::Rename),
    ];
    prop::collection::vec(step, 1..40)
}

/// What should be there.
#[derive(Default)]
struct Model {
    /// Ids of users, in the order of creation, and whether they are active.
    users: Vec<(String, bool)>,
    /// Ids of groups, in the order of creation, and their members.
    groups: Vec<(String, BTreeSet<String>)>,
    names: usize,
}

impl Model {
    fn name(&mut self) -> String {
        self.names += 1;
        format!("name{}", self.names)
    }

    fn pick(&self, numbers: &[usize]) -> BTreeSet<String> {
        let user = |number: &usize| self.users.get(number % self.users.len().max(1)).map(|(id, _)| id.clone());
        numbers.iter().filter_map(user).collect()
    }

    fn run(&mut self, connector: &Connector, step: &Step) {
        let members = |ids: &BTreeSet<String>| -> Value { ids.iter().map(|id| json!({"value": id})).collect() };
        let patch = |path: &str, operation: Value| {
            let answer = connector.json("PATCH", path, &json!({"Operations": [operation]}));
            assert_eq!(answer.status(), 200, "{}", answer.body);
        };
        match step {
            Step::CreateUser => {
                let name = self.name();
                let answer = connector.json("POST", "/Users", &json!({"userName": name, "displayName": name}));
                assert_eq!(answer.status(), 201, "{}", answer.body);
                self.users.push((answer.id(), true));
            }
            Step::CreateGroup(users) => {
                let (name, wanted) = (self.name(), self.pick(users));
                let body = json!({"displayName": name, "members": members(&wanted)});
                let answer = connector.json("POST", "/Groups", &body);
                assert_eq!(answer.status(), 201, "{}", answer.body);
                self.groups.push((answer.id(), wanted));
            }
            Step::DeleteUser(number) | Step::SetActive(number, _) => {
                let Some(at) = number.checked_rem(self.users.len()) else { return };
                let path = format!("/Users/{}", self.users[at].0);
                if let Step::SetActive(_, active) = step {
                    patch(&path, json!({"op": "replace", "path": "active", "value": active}));
                    self.users[at].1 = *active;
                } else {
                    assert_eq!(connector.send("DELETE", &path, &[], b"").status(), 204);
                    assert_eq!(connector.get(&path).status(), 404);
                    let (gone, _) = self.users.remove(at);
                    for (_, members) in &mut self.groups {
                        members.remove(&gone);
                    }
                }
            }
            Step::DeleteGroup(number)
            | Step::Rename(number)
            | Step::Add(number, _)
            | Step::Remove(number, _)
            | Step::RemoveOne(number, _)
            | Step::ReplaceMembers(number, _)
            | Step::PutGroup(number, _) => {
                let Some(at) = number.checked_rem(self.groups.len()) else { return };
                let path = format!("/Groups/{}", self.groups[at].0);
                match step {
                    Step::DeleteGroup(_) => {
                        assert_eq!(connector.send("DELETE", &path, &[], b"").status(), 204);
                        self.groups.remove(at);
                    }
                    Step::Add(_, users) => {
                        let wanted = self.pick(users);
                        patch(&path, json!({"op": "add", "path": "members", "value": members(&wanted)}));
                        self.groups[at].1.extend(wanted);
                    }
                    Step::Remove(_, users) => {
                        let wanted = self.pick(users);
                        patch(&path, json!({"op": "Remove", "path": "members", "value": members(&wanted)}));
                        self.groups[at].1.retain(|member| !wanted.contains(member));
                    }
                    Step::RemoveOne(_, user) => {
                        let Some(gone) = self.pick(&[*user]).pop_first() else { return };
                        patch(&path, json!({"op": "remove", "path": format!("members[value eq \"{gone}\"]")}));
                        self.groups[at].1.remove(&gone);
                    }
                    Step::ReplaceMembers(_, users) => {
                        let wanted = self.pick(users);
                        patch(&path, json!({"op": "replace", "path": "members", "value": members(&wanted)}));
                        self.groups[at].1 = wanted;
                    }
                    Step::PutGroup(_, users) => {
                        let (name, wanted) = (self.name(), self.pick(users));
                        let body = json!({"displayName": name, "members": members(&wanted)});
                        assert_eq!(connector.json("PUT", &path, &body).status(), 200);
                        self.groups[at].1 = wanted;
                    }
                    _ => {
                        let name = self.name();
                        patch(&path, json!({"op": "replace", "value": {"displayName": name}}));
                    }
                }
            }
        }
    }

    fn expect(&self, connector: &Connector) {
        let ids = |endpoint: &str| -> Vec<String> {
            let list = connector.get(&format!("{endpoint}?count=1000")).body;
            assert_eq!(list["totalResults"], list["Resources"].as_array().map_or(0, Vec::len));
            let id = |resource: &Value| resource["id"].as_str().unwrap().to_owned();
            list["Resources"].as_array().into_iter().flatten().map(id).collect()
        };
        let values = |resource: &Value, attribute: &str| -> BTreeSet<String> {
            let value = |element: &Value| element["value"].as_str().unwrap().to_owned();
            resource[attribute].as_array().into_iter().flatten().map(value).collect()
        };
        assert_eq!(ids("/Users"), self.users.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>());
        assert_eq!(ids("/Groups"), self.groups.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>());
        let mut memberships: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (id, members) in &self.groups {
            assert_eq!(values(&connector.get(&format!("/Groups/{id}")).body, "members"), *members);
            for member in members {
                memberships.entry(member).or_default().insert(id.clone());
            }
        }
        for (id, active) in &self.users {
            let user = connector.get(&format!("/Users/{id}")).body;
            assert_eq!(user["active"], *active);
            assert_eq!(values(&user, "groups"), memberships.remove(id.as_str()).unwrap_or_default());
        }
        let active = connector.get("/Users?filter=active eq true&count=0").body["totalResults"].clone();
        assert_eq!(active, self.users.iter().filter(|(_, active)| *active).count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn lists_and_memberships_are_what_the_requests_made_them(steps in steps()) {
        let (connector, mut model) = (connector(), Model::default());
        for step in &steps {
            model.run(&connector, step);
        }
        model.expect(&connector);
        connector.expect_consistent();
    }

    #[test]
    fn p4_seats_are_never_exceeded_and_never_lost(steps in prop::collection::vec((0..6_usize, 0..3_u8), 1..40)) {
        const SEATS: usize = 4;
        let connector = Connector::new(u32::try_from(SEATS).unwrap(), Options::default());
        let mut ids: Vec<Option<(String, bool)>> = vec![None; 6];
        for (slot, action) in steps {
            // The owner has a seat too.
            let taken = 1 + ids.iter().flatten().filter(|(_, active)| *active).count();
            ids[slot] = match (ids[slot].take(), action) {
                (None, _) => {
                    let answer = connector.json("POST", "/Users", &json!({"userName": format!("u{slot}")}));
                    prop_assert_eq!(answer.status(), if taken < SEATS { 201 } else { 403 }, "{}", answer.body);
                    (answer.status() == 201).then(|| (answer.id(), true))
                }
                (Some((id, _)), 0) => {
                    prop_assert_eq!(connector.send("DELETE", &format!("/Users/{id}"), &[], b"").status(), 204);
                    None
                }
                (Some((id, was)), action) => {
                    let body = json!({"Operations": [{"op": "replace", "value": {"active": action == 1}}]});
                    let answer = connector.json("PATCH", &format!("/Users/{id}"), &body);
                    let is_refused = action == 1 && !was && taken >= SEATS;
                    prop_assert_eq!(answer.status(), if is_refused { 403 } else { 200 }, "{}", answer.body);
                    Some((id, if is_refused { was } else { action == 1 }))
                }
            };
        }
    }
}
