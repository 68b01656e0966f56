//! Members of groups whose ids do not exist (T33), and the type of a member, which is only a label (T4).

use serde_json::{Value, json};

use super::Connector;
use crate::protocol::message::Response;
use crate::store::Options;

const NOBODY: &str = "0190a6f0-0000-7000-8000-000000000001";

/// The path of a group with two users, and the users' ids.
fn group(connector: &Connector) -> (String, [String; 2]) {
    let ids = ["ada@example.com", "bob@example.com"].map(|name| connector.create(name));
    let (_, group) = post(connector, "Crew", json!([{"value": ids[0]}, {"value": ids[1]}]));
    (format!("/Groups/{}", group["id"].as_str().unwrap()), ids)
}

fn body(name: &str, members: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members})
}

fn post(connector: &Connector, name: &str, members: Value) -> (Response, Value) {
    connector.send("POST", "/Groups", Some(body(name, members)))
}

fn members(group: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> =
        group["members"].as_array().into_iter().flatten().filter_map(|member| member["value"].as_str()).collect();
    ids.sort_unstable();
    ids
}

fn refused(refusal: &(Response, Value)) {
    assert_eq!((refusal.0.status, &refusal.1["scimType"]), (400, &json!("invalidValue")), "{}", refusal.1);
}

#[test]
fn t33_unknown_members_are_left_out_and_the_known_ones_taken() {
    let connector = Connector::new(100);
    let (path, ids) = group(&connector);
    let third = connector.create("cy@example.com");
    let mixed = json!([{"value": NOBODY}, {"value": third}, {"value": "no id at all"}]);

    let (response, changed) = connector.patch(&path, json!([{"op": "add", "path": "members", "value": mixed}]));
    assert_eq!((response.status, members(&changed)), (200, vec![ids[0].as_str(), &ids[1], &third]));
    let (response, replaced) = connector.patch(&path, json!([{"op": "replace", "path": "members", "value": mixed}]));
    assert_eq!((response.status, members(&replaced)), (200, vec![third.as_str()]));
    let (response, put) =
        connector.send("PUT", &path, Some(body("Crew", json!([{"value": ids[0]}, {"value": NOBODY}]))));
    assert_eq!((response.status, members(&put)), (200, vec![ids[0].as_str()]));
    let (response, new) = post(&connector, "New", mixed.clone());
    assert_eq!((response.status, members(&new)), (201, vec![third.as_str()]));
    let (response, empty) = post(&connector, "Empty", json!([{"value": NOBODY}]));
    assert_eq!((response.status, members(&empty)), (201, vec![]), "a new group replaces nobody");
}

#[test]
fn t33_the_answer_shows_who_is_a_member_also_where_a_patch_is_answered_204() {
    let connector = Connector::with(100, Options { group_patch_no_content: true, ..Options::default() });
    let (path, ids) = group(&connector);
    let third = connector.create("cy@example.com");
    let add = |members: Value| connector.patch(&path, json!([{"op": "add", "path": "members", "value": members}]));
    assert_eq!(add(json!([{"value": third}])).0.status, 204);
    let (response, shown) = add(json!([{"value": third}, {"value": NOBODY}]));
    assert_eq!((response.status, members(&shown)), (200, vec![ids[0].as_str(), &ids[1], &third]));
}

#[test]
fn t33_a_replacement_of_whom_nobody_is_known_is_refused_and_changes_nothing() {
    let connector = Connector::new(100);
    let (path, ids) = group(&connector);
    let nobody = json!([{"value": NOBODY}, {"value": "nobody"}]);
    let chosen = format!("members[value eq \"{}\"]", ids[0]);
    let one = json!({"value": NOBODY});
    for operation in [
        json!({"op": "replace", "path": "members", "value": nobody}),
        json!({"op": "replace", "value": {"members": nobody}}),
        json!({"op": "replace", "path": chosen, "value": one}),
        json!({"op": "replace", "path": "members[type eq \"User\"]", "value": one}),
    ] {
        refused(&connector.patch(&path, json!([operation])));
    }
    refused(&connector.send("PUT", &path, Some(body("Crew", nobody))));
    let (_, same) = connector.send("GET", &path, None);
    assert_eq!(members(&same), ids);
    let (_, cleared) = connector.patch(&path, json!([{"op": "replace", "path": "members", "value": []}]));
    assert_eq!(members(&cleared), Vec::<&str>::new(), "who sends an empty list means it");
}

#[test]
fn t33_strict_mode_and_an_option_refuse_unknown_members() {
    let refusing = Options { refuse_unknown_members: true, ..Options::default() };
    for connector in [Connector::strict(), Connector::with(100, refusing)] {
        let (path, ids) = group(&connector);
        let mixed = json!([{"value": ids[0]}, {"value": NOBODY}]);
        for op in ["add", "replace"] {
            refused(&connector.patch(&path, json!([{"op": op, "path": "members", "value": mixed}])));
        }
        refused(&connector.send("PUT", &path, Some(body("Crew", mixed.clone()))));
        refused(&post(&connector, "New", mixed));
        assert_eq!(members(&connector.send("GET", &path, None).1), ids);
    }
}

#[test]
fn t4_the_type_of_a_member_is_a_label_and_only_a_teams_id_is_a_nested_team() {
    for connector in [Connector::new(100), Connector::strict()] {
        let (path, ids) = group(&connector);
        // PingFederate sends a word of its own.
        for label in ["value", "Group", "user"] {
            let labelled = json!([{"value": ids[0], "type": label}]);
            let (response, put) = connector.send("PUT", &path, Some(body("Crew", labelled)));
            assert_eq!((response.status, members(&put)), (200, vec![ids[0].as_str()]), "{label}: {put}");
            assert_eq!(put["members"][0]["type"], json!("User"), "the server derives it");
        }
        let inner = post(&connector, "Inner", json!([])).1["id"].clone();
        for member in [json!({"value": inner}), json!({"value": inner, "type": "User"})] {
            refused(&connector.patch(&path, json!([{"op": "add", "path": "members", "value": [member]}])));
        }
    }
}
