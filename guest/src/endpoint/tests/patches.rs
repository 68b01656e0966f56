//! PATCH as clients see it: the effect of a value that counts as no value, and the errors of strict mode.

use serde_json::{Value, json};

use super::Connector;
use crate::protocol::message::Response;
use crate::protocol::schema::INSOMNIA_USER;

/// The path of an inactive user.
fn inactive(connector: &Connector) -> String {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@example.com", "active": false, "title": "Countess",
    });
    let (response, user) = connector.send("POST", "/Users", Some(body));
    assert_eq!(response.status, 201, "{user}");
    format!("/Users/{}", user["id"].as_str().unwrap())
}

#[track_caller]
fn is_still_inactive(connector: &Connector, path: &str) {
    let (_, user) = connector.send("GET", path, None);
    assert_eq!(user["active"], false, "{user}");
    let (_, user) = connector.send("GET", &format!("{path}?attributes={INSOMNIA_USER}"), None);
    assert_eq!(user[INSOMNIA_USER]["licensed"], false, "{user}");
}

#[test]
fn t20_no_value_for_active_reactivates_nobody() {
    for operation in [
        json!({"op": "replace", "path": "active", "value": ""}),
        json!({"op": "replace", "path": "active", "value": null}),
        json!({"op": "add", "path": "active", "value": null}),
        json!({"op": "replace", "value": {"active": null, "title": "Lady"}}),
        json!({"op": "replace", "value": {"active": ""}}),
        json!({"op": "remove", "path": "active"}),
    ] {
        let connector = Connector::new(10);
        let path = inactive(&connector);
        let (response, user) = connector.patch(&path, json!([operation]));
        assert_eq!((response.status, &user["active"]), (200, &json!(false)), "{operation}");
        is_still_inactive(&connector, &path);
        for active in [json!(""), json!(null)] {
            let body = json!({"userName": "ada@example.com", "active": active});
            let (response, user) = connector.send("PUT", &path, Some(body));
            assert_eq!((response.status, &user["active"]), (200, &json!(false)));
        }
        is_still_inactive(&connector, &path);
    }
}

#[test]
fn r107_strict_mode_refuses_to_remove_active() {
    let connector = Connector::strict();
    let path = inactive(&connector);
    let (response, error) = connector.patch(&path, json!([{"op": "remove", "path": "active"}]));
    assert_eq!((response.status, error["scimType"].as_str()), (400, Some("mutability")));
    let (response, _) = connector.patch(&path, json!([{"op": "replace", "path": "active", "value": null}]));
    assert_eq!(response.status, 200);
    is_still_inactive(&connector, &path);
    let (_, user) = connector.patch(&path, json!([{"op": "replace", "path": "active", "value": true}]));
    assert_eq!(user["active"], true);
}

#[test]
fn rfc_7643_2_5_to_add_null_changes_nothing() {
    for connector in [Connector::new(10), Connector::strict()] {
        let path = inactive(&connector);
        let emails = json!([{"op": "add", "path": "emails", "value": [{"type": "work", "value": "a@example.com"}]}]);
        let (_, before) = connector.patch(&path, emails);
        for operation in [
            json!({"op": "add", "path": "title", "value": null}),
            json!({"op": "add", "value": {"title": null}}),
            json!({"op": "add", "path": "emails", "value": null}),
            json!({"op": "add", "path": "emails[type eq \"work\"].value", "value": null}),
            json!({"op": "add", "path": "emails[type eq \"work\"]", "value": {"value": null}}),
        ] {
            let (response, user) = connector.patch(&path, json!([operation]));
            assert_eq!((response.status, &user), (200, &before), "{operation}");
        }
    }
}

#[test]
fn r99_strict_mode_refuses_read_only_values_that_are_not_the_current_ones() {
    let connector = Connector::strict();
    let path = inactive(&connector);
    let (_, user) = connector.send("GET", &path, None);
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Crew", "members": [{"value": user["id"]}],
    });
    let (response, group) = connector.send("POST", "/Groups", Some(group));
    assert_eq!(response.status, 201, "{group}");
    let group_path = format!("/Groups/{}", group["id"].as_str().unwrap());
    for (path, value) in [
        (&path, json!({"meta": {"created": "2011-05-13T04:42:34Z"}})),
        (&path, json!({"groups": []})),
        (&path, json!({"groups": [{"value": "x"}]})),
        (&path, json!({"id": "x"})),
        (&group_path, json!({"meta": {"resourceType": "User"}})),
    ] {
        let (response, error) = connector.patch(path, json!([{"op": "replace", "value": value}]));
        assert_eq!((response.status, error["scimType"].as_str()), (400, Some("mutability")), "{value}");
    }
    let (_, user) = connector.send("GET", &path, None);
    let mut same: Value = user.clone();
    same.as_object_mut().unwrap().retain(|name, _| ["id", "meta", "groups"].contains(&name.as_str()));
    let (response, after) = connector.patch(&path, json!([{"op": "replace", "value": same}]));
    assert_eq!((response.status, after), (200, user));
}

#[test]
fn t6_paths_of_unknown_attributes_are_passed_over_and_the_log_says_so() {
    let connector = Connector::new(10);
    let path = inactive(&connector);
    // Entra ID sends all mapped attributes in one request.
    let custom = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:CustomAttribute";
    let (response, user) = connector.patch(
        &path,
        json!([
            {"op": "Add", "path": custom, "value": "x"},
            {"op": "Replace", "path": "name.nosuch", "value": "x"},
            {"op": "Replace", "path": "title", "value": "Lady"},
        ]),
    );
    assert_eq!((response.status, &user["title"]), (200, &json!("Lady")));
    assert!(connector.host.dump().contains("tolerance T6"), "the log tells it");
    let strict = Connector::strict();
    let path = inactive(&strict);
    for unknown in [custom, "name.nosuch", "nosuch"] {
        let (response, error) = strict.patch(&path, json!([{"op": "replace", "path": unknown, "value": "x"}]));
        assert_eq!((response.status, error["scimType"].as_str()), (400, Some("invalidPath")), "{unknown}");
    }
}

#[test]
fn members_are_removed_by_every_attribute_that_is_shown() {
    let connector = Connector::new(10);
    let users: Vec<String> = (0..2).map(|number| connector.create(&format!("u{number}@example.com"))).collect();
    let name = json!([{"op": "add", "path": "displayName", "value": "Zoe"}]);
    connector.patch(&format!("/Users/{}", users[0]), name);
    let create = || {
        let members: Vec<Value> = users.iter().map(|id| json!({"value": id})).collect();
        let (_, group) = connector.send("POST", "/Groups", Some(json!({"displayName": "Crew", "members": members})));
        group
    };
    let members = |group: &Value| -> Vec<String> {
        let members = group["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect()
    };
    let reference = |group: &Value| group["members"][0]["$ref"].as_str().unwrap().to_owned();
    for (filter, left) in [
        ("$ref eq \"FIRST\"", &users[1..]),
        ("$ref ew \"SECOND\"", &users[..1]),
        ("type eq \"User\"", &[]),
        ("type eq \"Group\"", &users),
        ("display eq \"zoe\"", &users[1..]),
    ] {
        let group = create();
        let filter = filter.replace("FIRST", &reference(&group)).replace("SECOND", &users[1]);
        let path = format!("members[{filter}]");
        let group_path = format!("/Groups/{}", group["id"].as_str().unwrap());
        let (response, group) = connector.patch(&group_path, json!([{"op": "remove", "path": path}]));
        assert_eq!((response.status, members(&group).as_slice()), (200, left), "{path}");
        assert_eq!(connector.send("DELETE", &group_path, None).0.status, 204);
    }
}

#[test]
fn r67_values_that_differ_in_case_only_are_one_where_the_schema_says_so() {
    let connector = Connector::new(10);
    let emails = json!([{"value": "noop@example.com", "type": "work"}]);
    let body = json!({"userName": "ada", "emails": emails, "roles": [{"value": "Admin"}]});
    let (_, user) = connector.send("POST", "/Users", Some(body));
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let add = json!([
        {"op": "add", "path": "emails", "value": [{"value": "NOOP@example.com", "type": "Work"}]},
        {"op": "add", "path": "roles", "value": [{"value": "ADMIN"}]},
    ]);
    let (response, after) = connector.patch(&path, add);
    assert_eq!((response.status, &after), (200, &user), "what is there stays, and the version with it");
    let add = json!([{"op": "add", "path": "emails", "value": [{"value": "NOOP@example.com", "type": "home"}]}]);
    assert_eq!(connector.patch(&path, add).1["emails"].as_array().unwrap().len(), 2);
}

#[test]
fn t26_strict_mode_refuses_a_password_and_compat_drops_it() {
    let (connector, strict) = (Connector::new(100), Connector::strict());
    let user = |name: &str| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "password": "hunter2!"});
    assert_eq!(connector.send("POST", "/Users", Some(user("ada@example.com"))).0.status, 201);
    let (response, refusal) = strict.send("POST", "/Users", Some(user("ada@example.com")));
    assert_eq!((response.status, &refusal["scimType"]), (400, &json!("invalidSyntax")), "{refusal}");
    for (at, kind) in [(&connector, None), (&strict, Some("Syntax"))] {
        let path = format!("/Users/{}", at.create("bob@example.com"));
        let within_value = json!([{"op": "replace", "value": {"password": "hunter2!"}}]);
        let at_path = json!([{"op": "replace", "path": "password", "value": "hunter2!"}]);
        let expected = |kind: &str| (400, json!(format!("invalid{kind}")));
        let of = |(response, answer): (Response, Value)| (response.status, answer["scimType"].clone());
        let dropped = (200, Value::Null);
        assert_eq!(of(at.patch(&path, within_value)), kind.map_or(dropped.clone(), expected));
        assert_eq!(of(at.patch(&path, at_path)), kind.map_or(dropped, |_| expected("Path")));
        let (response, _) = at.send("PUT", &path, Some(user("bob@example.com")));
        assert_eq!(response.status, kind.map_or(200, |_| 400));
    }
}

#[test]
fn r44_the_whole_of_the_insomnia_extension_can_be_written_and_only_its_note_changes() {
    for connector in [Connector::new(100), Connector::strict()] {
        let path = format!("/Users/{}", connector.create("ada@example.com"));
        let told = |note: Value| {
            let (_, user) = connector.send("GET", &format!("{path}?attributes={INSOMNIA_USER}"), None);
            let mut expected = json!({"origin": "scim", "role": "member", "licensed": true});
            if !note.is_null() {
                expected["note"] = note;
            }
            assert_eq!(user[INSOMNIA_USER], expected, "{user}");
            assert!(user["schemas"].as_array().unwrap().contains(&json!(INSOMNIA_USER)));
        };
        told(Value::Null);
        for op in ["add", "replace"] {
            let whole = json!([{"op": op, "path": INSOMNIA_USER, "value": {"note": op}}]);
            let (_, user) = connector.patch(&path, whole);
            assert_eq!(user[INSOMNIA_USER], json!({"note": op}), "what is told is returned on request");
            assert!(user["schemas"].as_array().unwrap().contains(&json!(INSOMNIA_USER)));
            told(json!(op));
        }
        let (response, user) = connector.patch(&path, json!([{"op": "remove", "path": INSOMNIA_USER}]));
        assert_eq!((response.status, user.get(INSOMNIA_USER)), (200, None));
        assert!(!user["schemas"].as_array().unwrap().contains(&json!(INSOMNIA_USER)));
        told(Value::Null);
    }
}

#[test]
fn t6_labels_alone_replace_no_value_that_a_filter_chooses() {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com",
        "emails": [{"value": "ada@example.com", "type": "work"}, {"value": "ada@home.example", "type": "home", "primary": true}],
    });
    for (value, expected) in [
        (json!({"primary": true}), json!({"value": "ada@example.com", "type": "work", "primary": true})),
        (json!({"type": "other"}), json!({"value": "ada@example.com", "type": "other"})),
        (json!({"value": "new@example.com"}), json!({"value": "new@example.com", "type": "work"})),
    ] {
        let connector = Connector::new(10);
        let (_, created) = connector.send("POST", "/Users", Some(user.clone()));
        let path = format!("/Users/{}", created["id"].as_str().unwrap());
        let operation = json!([{"op": "replace", "path": "emails[type eq \"work\"]", "value": value}]);
        let (response, changed) = connector.patch(&path, operation);
        assert_eq!((response.status, &changed["emails"][0]), (200, &expected), "{value}: {changed}");
        assert_eq!(changed["emails"][1]["primary"], value.get("primary").is_none(), "one is primary: {changed}");
    }
}

#[test]
fn rfc_097_a_refusal_tells_a_broken_filter_from_its_attribute_and_shows_neither_filter() {
    let strict = Connector::strict();
    let path = format!("/Users/{}", strict.create("ada@example.com"));
    for (sent, shown) in [
        ("emails[value eq \"secret\"", "`emails[…` is not a path"),
        ("emails[value eq \"secret\"].nope", "`emails[…].nope` names no attribute"),
        ("emailz[value eq \"secret\"]", "`emailz[…` names no attribute"),
        ("emails..value", "`emails..value` is not a path"),
    ] {
        let body = json!({"schemas": [super::PATCH_OP], "Operations": [{"op": "add", "path": sent, "value": "x"}]});
        let (response, error) = strict.send("PATCH", &path, Some(body));
        assert_eq!((response.status, &error["scimType"]), (400, &json!("invalidPath")), "{sent}: {error}");
        let detail = error["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(shown) && !detail.contains("secret"), "{sent}: {error}");
    }
}

#[test]
fn t6_names_that_can_be_no_path_are_ignored_in_a_value_as_they_are_in_a_post() {
    let connector = Connector::new(10);
    let path = format!("/Users/{}", connector.create("ada@example.com"));
    for name in ["cost centre", "Abteilung (Größe)", "/title", "a.b.c", "1st", "urn:"] {
        let title = format!("knows {name}");
        let operation = json!([{"op": "replace", "value": {(name): "x", "title": title}}]);
        let (response, user) = connector.patch(&path, operation);
        assert_eq!((response.status, user["title"].as_str()), (200, Some(title.as_str())), "{name}: {user}");
        let (response, error) =
            connector.patch(&path, json!([{"op": "replace", "path": format!("{name} (x"), "value": "x"}]));
        assert_eq!((response.status, &error["scimType"]), (400, &json!("invalidPath")), "{name}: {error}");
    }
    let (response, error) =
        connector.patch(&path, json!([{"op": "replace", "value": {"emails[type": "x", "title": "lost"}}]));
    assert_eq!((response.status, &error["scimType"]), (400, &json!("invalidPath")), "a filter was meant: {error}");
    let strict = Connector::strict();
    let path = format!("/Users/{}", strict.create("ada@example.com"));
    let (response, error) = strict.patch(&path, json!([{"op": "replace", "value": {"cost centre": "x"}}]));
    assert_eq!((response.status, &error["scimType"]), (400, &json!("invalidSyntax")), "{error}");
}
