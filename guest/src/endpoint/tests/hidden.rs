//! What is in no response can't be guessed by a filter, an order or a path either (R30), and a PUT keeps it (T23).

use serde_json::{Value, json};

use super::Connector;
use crate::directory;
use crate::store::Options;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const URN: &str = "urn:example:Secrets";

/// Declares an optional extension of users.
fn declare(connector: &Connector, attributes: Value) {
    let declaration = json!({
        "schemas": [{"id": URN, "name": "Secrets", "attributes": attributes}],
        "resourceTypes": [{"name": "User", "schemaExtensions": [{"schema": URN, "required": false}]}],
    });
    directory::put_schemas(&connector.host.host().store(), &declaration.to_string()).unwrap();
}

/// A connector with a user whose key and keys have a part that is never returned.
fn connector(strict: bool) -> (Connector, String) {
    let connector = Connector::with(10, Options { strict, ..Options::default() });
    let part = |name: &str| json!({"name": name, "type": "string", "multiValued": false});
    let mut secret = part("secret");
    secret["returned"] = "never".into();
    secret["mutability"] = "writeOnly".into();
    let never = |mut attribute: Value| {
        attribute["returned"] = "never".into();
        attribute
    };
    let complex = |name: &str, multi: bool, parts: Value| json!({"name": name, "type": "complex", "multiValued": multi, "subAttributes": parts});
    let attributes = [
        complex("key", false, json!([part("name"), secret])),
        complex("keys", true, json!([part("type"), secret])),
        complex("codes", true, json!([part("type"), never(part("value"))])),
        never(complex("pins", true, json!([part("code"), part("label")]))),
        never(json!({"name": "words", "type": "string", "multiValued": true})),
    ];
    declare(&connector, json!(attributes));
    let user = json!({
        "schemas": [USER, URN], "userName": "ada@example.com",
        URN: {
            "key": {"name": "k", "secret": "s"}, "keys": [{"type": "a", "secret": "s"}],
            "codes": [{"type": "a", "value": "s"}], "pins": [{"code": "1", "label": "l"}], "words": ["s"],
        },
    });
    let (response, user) = connector.send("POST", "/Users", Some(user));
    assert_eq!(response.status, 201, "{user}");
    (connector, format!("/Users/{}", user["id"].as_str().unwrap()))
}

#[test]
fn r30_a_hidden_part_can_not_be_guessed_by_a_filter() {
    for strict in [false, true] {
        let (connector, _) = connector(strict);
        for filter in [
            "key.secret pr",
            "key[secret pr]",
            "key[name eq \"k\" and not (secret eq \"t\")]",
            "keys[secret sw \"s\"]",
            "keys[type eq \"a\" and secret eq \"s\"]",
            "keys.secret eq \"s\"",
            "codes eq \"s\"",
            "codes.value eq \"s\"",
            "codes[value co \"\"]",
        ] {
            let filter = format!("{URN}:{filter}");
            let (response, error) = connector.send("GET", &format!("/Users?filter={filter}"), None);
            assert_eq!(
                (response.status, error["scimType"].as_str()),
                (400, Some("invalidFilter")),
                "{filter}: {error}"
            );
        }
        let (_, found) = connector.send("GET", &format!("/Users?filter={URN}:keys[type eq \"a\"]"), None);
        assert_eq!(found["totalResults"], 1, "{found}");
    }
    let (connector, _) = connector(false);
    for filter in ["keys[type eq \"a\"].secret eq \"s\"", "codes[type eq \"a\"] eq \"s\""] {
        let (response, error) = connector.send("GET", &format!("/Users?filter={URN}:{filter}"), None);
        assert_eq!((response.status, error["scimType"].as_str()), (400, Some("invalidFilter")), "{filter}: {error}");
    }
}

#[test]
fn r30_a_hidden_part_gives_no_order() {
    let (connector, _) = connector(false);
    for attribute in ["key.secret", "keys.secret", "codes", "codes.value"] {
        let (response, error) = connector.send("GET", &format!("/Users?sortBy={URN}:{attribute}"), None);
        assert_eq!((response.status, error["scimType"].as_str()), (400, Some("invalidPath")), "{attribute}: {error}");
    }
    let (response, list) = connector.send("GET", &format!("/Users?sortBy={URN}:key.name"), None);
    assert_eq!(response.status, 200, "{list}");
}

#[test]
fn r30_the_path_of_a_patch_does_not_tell_a_hidden_part() {
    for strict in [false, true] {
        let (connector, path) = connector(strict);
        for filtered in [
            "keys[secret eq \"s\"].type",
            "pins[code sw \"1\"].label",
            "pins[label pr]",
            "words[value sw \"s\"]",
            "words[value sw \"t\"]",
        ] {
            let operation = json!([{"op": "replace", "path": format!("{URN}:{filtered}"), "value": "b"}]);
            let (response, error) = connector.patch(&path, operation);
            assert_eq!(
                (response.status, error["scimType"].as_str()),
                (400, Some("invalidFilter")),
                "{filtered}: {error}"
            );
        }
        let operation = json!([{"op": "replace", "path": format!("{URN}:key.secret"), "value": "t"}]);
        let (response, user) = connector.patch(&path, operation);
        assert_eq!(
            (response.status, user[URN]["key"].clone()),
            (200, json!({"name": "k"})),
            "it can be written: {user}"
        );
    }
}

#[test]
fn r30_a_remove_that_lists_elements_does_not_tell_a_hidden_part() {
    let (connector, path) = connector(false);
    let remove = |attribute: &str, listed: Value| {
        let operation = json!([{"op": "remove", "path": format!("{URN}:{attribute}"), "value": listed}]);
        let (response, user) = connector.patch(&path, operation);
        assert_eq!(response.status, 200, "{user}");
        user[URN][attribute].clone()
    };
    for (attribute, listed) in [
        ("keys", json!([{"secret": "s"}])),
        ("codes", json!([{"value": "s"}])),
        ("codes", json!(["s"])),
        ("keys", json!([{"type": "b", "secret": "s"}])),
    ] {
        assert_eq!(remove(attribute, listed.clone()), json!([{"type": "a"}]), "{attribute} {listed}");
    }
    for (attribute, listed) in
        [("keys", json!([{"type": "a", "secret": "t"}])), ("codes", json!([{"type": "a", "value": "t"}]))]
    {
        assert_eq!(remove(attribute, listed), Value::Null, "the parts that are shown choose the element");
    }
}

#[test]
fn t23_a_put_without_an_extension_that_has_a_hidden_part_makes_no_user_whom_no_patch_can_change() {
    for strict in [false, true] {
        let connector = Connector::with(10, Options { strict, ..Options::default() });
        let code = json!({"name": "code", "type": "string", "multiValued": false, "required": true});
        let pin = json!({"name": "pin", "type": "string", "multiValued": false, "returned": "never"});
        declare(&connector, json!([code, pin]));
        let user = json!({"schemas": [USER, URN], "userName": "ada@example.com", URN: {"code": "c", "pin": "p"}});
        let (_, created) = connector.send("POST", "/Users", Some(user));
        let path = format!("/Users/{}", created["id"].as_str().unwrap());
        let put = json!({"schemas": [USER], "userName": "ada@example.com"});
        let (response, user) = connector.send("PUT", &path, Some(put));
        assert_eq!((response.status, &user["schemas"]), (200, &json!([USER])), "{user}");
        let deactivate = json!([{"op": "replace", "path": "active", "value": false}]);
        let (response, user) = connector.patch(&path, deactivate);
        assert_eq!((response.status, &user["active"]), (200, &json!(false)), "{user}");
        let (_, listed) = connector.send("GET", &format!("/Users?filter={URN}:code pr"), None);
        assert_eq!(listed["totalResults"], 0, "{listed}");
        let half = json!([{"op": "add", "path": format!("{URN}:pin"), "value": "q"}]);
        let (response, error) = connector.patch(&path, half);
        assert_eq!((response.status, error["scimType"].as_str()), (400, Some("invalidValue")), "{error}");
    }
}

#[test]
fn an_answer_does_not_name_an_extension_of_which_it_shows_nothing() {
    let (connector, path) = connector(false);
    let put = json!({"schemas": [USER], "userName": "ada@example.com"});
    let (response, user) = connector.send("PUT", &path, Some(put));
    assert_eq!((response.status, &user["schemas"]), (200, &json!([USER])), "the pins and the words stay: {user}");
    assert_eq!(connector.send("GET", &path, None).1["schemas"], json!([USER]));
}

#[test]
fn t23_a_put_of_what_a_get_returned_keeps_the_hidden_parts_of_elements() {
    for strict in [false, true] {
        let (connector, path) = connector(strict);
        let stored = || {
            let id = path.rsplit('/').next().unwrap();
            connector.host.host().store().member(id).unwrap().unwrap().record.document
        };
        let before = stored();
        let (_, shown) = connector.send("GET", &path, None);
        assert!(!shown.to_string().contains("secret"), "{shown}");
        let (response, after) = connector.send("PUT", &path, Some(shown.clone()));
        assert_eq!((response.status, &after[URN]), (200, &shown[URN]));
        assert_eq!(stored(), before);
    }
}

#[test]
fn a_patch_is_not_refused_for_what_was_missing_before() {
    for strict in [false, true] {
        let connector = Connector::with(10, Options { strict, ..Options::default() });
        let part = |name: &str, required: bool| json!({"name": name, "type": "string", "multiValued": false, "required": required});
        declare(&connector, json!([part("code", false), part("room", false)]));
        let user = json!({"schemas": [USER, URN], "userName": "ada@example.com", URN: {"room": "A"}});
        let (_, created) = connector.send("POST", "/Users", Some(user));
        let path = format!("/Users/{}", created["id"].as_str().unwrap());
        // The organization declares later that the code is required.
        declare(&connector, json!([part("code", true), part("room", false)]));
        for (attribute, value) in [("active", json!(false)), (&format!("{URN}:room"), json!("B"))] {
            let operation = json!([{"op": "replace", "path": attribute, "value": value}]);
            let (response, answer) = connector.patch(&path, operation);
            assert_eq!(response.status, 200, "{answer}");
        }
        let code = |op: &str, value: &str| json!([{"op": op, "path": format!("{URN}:code"), "value": value}]);
        assert_eq!(connector.patch(&path, code("add", "c")).0.status, 200);
        assert_eq!(connector.patch(&path, code("replace", "")).0.status, 400);
        let (response, error) = connector.patch(&path, json!([{"op": "remove", "path": format!("{URN}:code")}]));
        assert_eq!((response.status, error["scimType"].as_str()), (400, Some("mutability")), "{error}");
    }
}
