//! RFC 7644 §3.5.2: PATCH as a whole (rules R95 to R102, R112, R113).

use insomnia_scim_tests::client::Response;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, PATCH, id, members, patch};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

#[track_caller]
fn someone() -> (String, Value) {
    let created = seed::someone(&client(), "patch");
    (format!("/Users/{}", id(&created)), created)
}

/// PATCHes someone new and returns the response.
#[track_caller]
fn sent(operations: Value) -> Response {
    client().patch(&someone().0, patch(operations))
}

#[test]
fn rfc_095_the_request_has_operations() {
    let (path, created) = someone();
    let client = client();
    for body in [
        json!({ "schemas": [PATCH] }),
        json!({ "schemas": [PATCH], "Operations": {} }),
        json!({ "schemas": [PATCH], "Operations": "x" }),
        json!({ "schemas": [PATCH], "Operations": [17] }),
        json!({ "schemas": [PATCH], "Operations": [{}] }),
        json!({ "schemas": [PATCH], "Operations": [{ "path": "title", "value": "x" }] }),
        json!({ "schemas": [PATCH], "Operations": [{ "op": "set", "path": "title", "value": "x" }] }),
        json!({ "schemas": [PATCH], "Operations": [{ "op": 1, "path": "title", "value": "x" }] }),
    ] {
        client.patch(&path, &body).refusal(400, "invalidSyntax");
    }
    assert_eq!(client.get(&path).resource(200), created);
}

#[test]
fn rfc_096_remove_needs_a_path() {
    sent(json!({ "op": "remove" })).refusal(400, "noTarget");
    sent(json!({ "op": "remove", "value": { "title": "x" } })).refusal(400, "noTarget");
}

#[test]
fn rfc_096_path_is_optional_for_add_and_replace() {
    for op in ["add", "replace"] {
        let answer = sent(json!({ "op": op, "value": { "title": "x", "name": { "middleName": "M" } } })).resource(200);
        assert_eq!(answer["title"], json!("x"));
        assert_eq!(answer["name"]["middleName"], json!("M"));
        assert!(answer["name"]["familyName"].is_string(), "the rest of the name stays");
        sent(json!({ "op": op, "value": "x" })).refusal(400, "invalidValue");
    }
}

#[test]
fn rfc_097_bad_paths() {
    for path in [
        "name..familyName",
        ".title",
        "title.",
        "emails[type eq \"work\"]x",
        "emails[type eq \"work\"].value.x",
        "emails[type eq \"work\"",
        "na me",
        "emails]",
    ] {
        let response = sent(json!({ "op": "replace", "path": path, "value": "x" }));
        let scim_type = response.error(400)["scimType"].clone();
        assert!([json!("invalidPath"), json!("invalidFilter")].contains(&scim_type), "{path}: {response}");
    }
    sent(json!({ "op": "replace", "path": "name..familyName", "value": "x" })).refusal(400, "invalidPath");
    sent(json!({ "op": "replace", "path": "emails[type is \"work\"].value", "value": "x" }))
        .refusal(400, "invalidFilter");
    sent(json!({ "op": "replace", "path": "emails[type eq].value", "value": "x" })).refusal(400, "invalidFilter");
}

#[test]
fn rfc_098_all_or_nothing() {
    let (path, created) = someone();
    let client = client();
    for bad in [
        json!({ "op": "replace", "path": "id", "value": "x" }),
        json!({ "op": "replace", "path": "active", "value": "maybe" }),
        json!({ "op": "remove", "path": "userName" }),
    ] {
        let body = patch(json!([
            { "op": "replace", "path": "title", "value": "x" },
            { "op": "remove", "path": "emails" },
            { "op": "replace", "path": "userName", "value": unique("renamed") },
            bad,
        ]));
        client.patch(&path, body).error(400);
        assert_eq!(client.get(&path).resource(200), created);
    }
}

#[test]
fn rfc_098_all_or_nothing_for_groups() {
    let client = client();
    let ids = seed::people(&client, "atomic", 2);
    let name = unique("atomic");
    let group = seed::group(&client, &name, &ids[..1]);
    let path = format!("/Groups/{}", id(&group));
    let body = patch(json!([
        { "op": "replace", "path": "displayName", "value": unique("renamed") },
        { "op": "add", "path": "members", "value": [{ "value": ids[1] }] },
        { "op": "remove", "path": format!("members[value eq \"{}\"]", ids[0]) },
        { "op": "add", "path": "members", "value": [{ "value": "" }] },
    ]));
    client.patch(&path, body).refusal(400, "invalidValue");
    assert_eq!(client.get(&path).resource(200), group);
    seed::group(&client, &unique("renamed"), &[]);
}

#[test]
fn rfc_098_each_operation_sees_the_one_before() {
    let answer = sent(json!([
        { "op": "add", "path": "phoneNumbers", "value": [{ "type": "work", "value": "1" }] },
        { "op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "2" },
        { "op": "add", "path": "phoneNumbers", "value": [{ "type": "home", "value": "3" }] },
        { "op": "remove", "path": "phoneNumbers[value eq \"2\"]" },
        { "op": "replace", "path": "title", "value": "a" },
        { "op": "replace", "path": "title", "value": "b" },
    ]))
    .resource(200);
    assert_eq!(answer["phoneNumbers"], json!([{ "type": "home", "value": "3" }]));
    assert_eq!(answer["title"], json!("b"));
    let client = client();
    let ids = seed::people(&client, "sequence", 2);
    let group = id(&seed::group(&client, &unique("sequence"), &ids));
    let body = patch(json!([
        { "op": "remove", "path": "members" },
        { "op": "add", "path": "members", "value": [{ "value": ids[0] }, { "value": ids[1] }] },
        { "op": "remove", "path": format!("members[value eq \"{}\"]", ids[1]) },
    ]));
    assert_eq!(members(&client.patch(&format!("/Groups/{group}"), body).resource(200)), ids[..1]);
}

#[test]
fn rfc_099_read_only_targets_are_refused() {
    for path in ["id", "meta", "meta.created", "meta.lastModified", "groups"] {
        for operation in
            [json!({ "op": "replace", "path": path, "value": "x" }), json!({ "op": "remove", "path": path })]
        {
            sent(operation).refusal(400, "mutability");
        }
    }
}

#[test]
fn rfc_100_a_new_primary_takes_it_from_the_others() {
    let numbers = json!({ "op": "add", "path": "phoneNumbers", "value": [
        { "type": "work", "value": "1", "primary": true }, { "type": "home", "value": "2" }] });
    for second in [
        json!({ "op": "add", "path": "phoneNumbers", "value": [{ "type": "mobile", "value": "3", "primary": true }] }),
        json!({ "op": "replace", "path": "phoneNumbers[type eq \"home\"].primary", "value": true }),
        json!({ "op": "replace", "path": "phoneNumbers[type eq \"home\"]", "value": { "type": "home", "value": "2", "primary": true } }),
    ] {
        let answer = sent(json!([numbers, second])).resource(200);
        let primaries: Vec<&Value> = answer["phoneNumbers"]
            .as_array()
            .expect("numbers")
            .iter()
            .filter(|number| number["primary"] == json!(true))
            .collect();
        assert_eq!(primaries.len(), 1, "{answer}");
        assert_ne!(primaries[0]["value"], json!("1"), "{answer}");
    }
}

#[test]
fn rfc_101_extensions_come_and_go_with_their_attributes() {
    let (path, _) = someone();
    let client = client();
    let department = format!("{ENTERPRISE}:department");
    let added = client.patch(&path, patch(json!({ "op": "add", "path": department, "value": "Sales" }))).resource(200);
    assert!(added["schemas"].as_array().expect("schemas").contains(&json!(ENTERPRISE)));
    let removed = client.patch(&path, patch(json!({ "op": "remove", "path": department }))).resource(200);
    assert!(!removed["schemas"].as_array().expect("schemas").contains(&json!(ENTERPRISE)));
    assert!(removed.get(ENTERPRISE).is_none());
    let body = patch(json!([
        { "op": "add", "path": ENTERPRISE, "value": { "department": "Sales", "division": "East" } },
        { "op": "replace", "path": ENTERPRISE, "value": { "department": "Research" } },
    ]));
    let replaced = client.patch(&path, body).resource(200);
    assert_eq!(replaced[ENTERPRISE]["department"], json!("Research"));
    let removed = client.patch(&path, patch(json!({ "op": "remove", "path": ENTERPRISE }))).resource(200);
    assert!(removed.get(ENTERPRISE).is_none());
}

#[test]
fn rfc_102_patch_of_a_user_is_200_with_the_representation() {
    let (path, _) = someone();
    let response = client().patch(&path, patch(json!({ "op": "replace", "path": "title", "value": "x" })));
    let answer = response.resource(200);
    assert_eq!(answer, client().get(&path).resource(200));
    assert_eq!(response.header("ETag"), answer["meta"]["version"].as_str());
}

#[test]
fn rfc_102_patch_of_a_group_is_200_with_the_representation() {
    let client = client();
    let ids = seed::people(&client, "whole", 2);
    let group = id(&seed::group(&client, &unique("whole"), &ids[..1]));
    let add = patch(json!({ "op": "add", "path": "members", "value": [{ "value": ids[1] }] }));
    let answer = client.patch(&format!("/Groups/{group}"), &add).resource(200);
    assert_eq!(members(&answer).len(), 2);
    assert_eq!(answer, client.get(&format!("/Groups/{group}")).resource(200));
    let answer = client.patch(&format!("/Groups/{group}?excludedAttributes=members"), &add).resource(200);
    assert!(answer.get("members").is_none());
}

#[test]
fn rfc_112_a_taken_name_is_409() {
    let (path, created) = someone();
    let (_, other) = someone();
    let client = client();
    for name in [other["userName"].clone(), json!(other["userName"].as_str().expect("a name").to_uppercase())] {
        client
            .patch(&path, patch(json!({ "op": "replace", "path": "userName", "value": name })))
            .refusal(409, "uniqueness");
    }
    assert_eq!(client.get(&path).resource(200), created);
    let own = created["userName"].as_str().expect("a name").to_uppercase();
    let answer = client.patch(&path, patch(json!({ "op": "replace", "path": "userName", "value": own }))).resource(200);
    assert_eq!(answer["userName"], json!(own), "one's own name in another case is free");
}

#[test]
fn rfc_112_required_attributes_cannot_be_cleared() {
    for operation in [
        json!({ "op": "replace", "path": "userName", "value": "" }),
        json!({ "op": "replace", "path": "userName", "value": null }),
        json!({ "op": "replace", "value": { "userName": null } }),
    ] {
        let response = sent(operation.clone());
        response.error(400);
    }
    let client = client();
    let group = id(&seed::group(&client, &unique("required"), &[]));
    let body = patch(json!({ "op": "remove", "path": "displayName" }));
    client.patch(&format!("/Groups/{group}"), body).refusal(400, "mutability");
}

#[test]
fn rfc_113_neither_indices_nor_other_operations() {
    let response = sent(json!({ "op": "replace", "path": "emails[0].value", "value": "x" }));
    response.error(400);
    let response = sent(json!({ "op": "replace", "path": "/emails/0", "value": "x" }));
    response.refusal(400, "invalidPath");
    for op in ["move", "copy", "test"] {
        sent(json!({ "op": op, "path": "title", "value": "x" })).refusal(400, "invalidSyntax");
    }
}

#[test]
fn names_follow_a_patch() {
    let client = client();
    let person = Person::new("renamed");
    let user = id(&seed::user(&client, &person));
    let renamed = unique("renamed");
    client
        .patch(&format!("/Users/{user}"), patch(json!({ "op": "replace", "path": "userName", "value": renamed })))
        .resource(200);
    let find = |name: &str| {
        client.get(&format!("/Users?filter=userName+eq+%22{}%22", insomnia_scim_tests::client::encode(name)))
    };
    find(&person.user_name).none();
    assert_eq!(id(&find(&renamed).only()), user);
}
