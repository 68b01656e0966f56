//! What changes nothing changes nothing, and what is undone is as it was.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::resources::{attributes, text, user};
use super::{Answer, connector};

/// The resource without what every write changes.
fn lasting(answer: &Answer) -> Map<String, Value> {
    let mut resource = answer.body.as_object().cloned().unwrap_or_default();
    resource.remove("meta");
    resource
}

fn patch(operations: Vec<Value>) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

/// The operations that make `to` of `from`.
fn difference(from: &Map<String, Value>, to: &Map<String, Value>) -> Vec<Value> {
    let mut operations = Vec::new();
    for name in from.keys().filter(|name| !to.contains_key(*name)) {
        operations.push(json!({"op": "remove", "path": name}));
    }
    for (name, value) in to.iter().filter(|(name, value)| from.get(*name) != Some(*value)) {
        if name != "schemas" && name != "id" {
            // What is not named of a complex value stays (RFC 7644 §3.5.2.3).
            if value.is_object() && from.contains_key(name) {
                operations.push(json!({"op": "remove", "path": name}));
            }
            operations.push(json!({"op": "replace", "path": name, "value": value}));
        }
    }
    operations
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn put_of_what_get_returned_changes_nothing(user in user(0), others in prop::collection::vec(text(), 0..3)) {
        let connector = connector();
        let created = connector.json("POST", "/Users", &user);
        prop_assert_eq!(created.status(), 201, "{}", created.body);
        let mut members = vec![json!({"value": created.id()})];
        for (number, name) in others.iter().enumerate() {
            let other = connector.json("POST", "/Users", &json!({"userName": format!("{name}/{number}")}));
            members.push(json!({"value": other.id()}));
        }
        let group = connector.json("POST", "/Groups", &json!({"displayName": "Crew", "members": members}));
        for path in [format!("/Users/{}", created.id()), format!("/Groups/{}", group.id())] {
            let before = connector.get(&path);
            connector.host.set_now(1_760_000_999_000);
            let put = connector.json("PUT", &path, &before.body);
            prop_assert_eq!(put.status(), 200, "{}", put.body);
            prop_assert_eq!(&put.body, &before.body);
            prop_assert_eq!(connector.get(&path).body, before.body);
        }
    }

    #[test]
    fn a_patch_that_changes_nothing_keeps_the_version(user in user(0)) {
        let connector = connector();
        let created = connector.json("POST", "/Users", &user);
        let path = format!("/Users/{}", created.id());
        let same: Vec<Value> = ["replace", "add"].iter().flat_map(|op| {
            let fields = created.body.as_object().unwrap().iter().filter(|(name, _)| *name != "meta" && *name != "schemas" && *name != "id");
            fields.map(move |(name, value)| json!({"op": op, "path": name, "value": value}))
        }).collect();
        connector.host.set_now(1_760_000_999_000);
        let patched = connector.json("PATCH", &path, &patch(same));
        prop_assert_eq!(patched.status(), 200, "{}", patched.body);
        prop_assert_eq!(patched.body, created.body);
    }

    #[test]
    fn a_patch_and_its_inverse_restore_the_user(user in user(0), other in attributes()) {
        let connector = connector();
        let created = connector.json("POST", "/Users", &user);
        let path = format!("/Users/{}", created.id());
        let before = lasting(&created);
        let mut wanted = before.clone();
        wanted.retain(|name, _| ["schemas", "id", "userName", "active"].contains(&name.as_str()));
        wanted.extend(other);
        let there = connector.json("PATCH", &path, &patch(difference(&before, &wanted)));
        if !difference(&before, &wanted).is_empty() {
            prop_assert_eq!(there.status(), 200, "{}", there.body);
            let after = lasting(&there);
            let differs = wanted.iter().find(|(name, value)| *name != "schemas" && after.get(*name) != Some(*value));
            prop_assert!(differs.is_none(), "{:?}\n{:?}", differs, after);
            let back = difference(&after, &before);
            if !back.is_empty() {
                prop_assert_eq!(connector.json("PATCH", &path, &patch(back)).status(), 200);
            }
        }
        prop_assert_eq!(lasting(&connector.get(&path)), before);
        connector.expect_consistent();
    }
}
