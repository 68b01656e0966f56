//! RFC 7644 §3.5.2.1 to §3.5.2.3: what add, remove and replace do to values (rules R103 to R111).

use insomnia_scim_tests::client::Response;
use insomnia_scim_tests::person::Person;
use insomnia_scim_tests::scim::{id, patch};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

/// Someone with three numbers, of which two are of one type.
#[track_caller]
fn someone() -> (String, Value) {
    let mut request = seed::user_request(&Person::new("values"));
    request["name"] = json!({ "givenName": "Given", "familyName": "Family" });
    request["title"] = json!("Guide");
    request["phoneNumbers"] = json!([
        { "type": "work", "value": "1", "display": "one" }, { "type": "work", "value": "2" }, { "type": "home", "value": "3" }]);
    let created = client().post("/Users", request).resource(201);
    (format!("/Users/{}", id(&created)), created)
}

#[track_caller]
fn sent(operations: Value) -> Response {
    client().patch(&someone().0, patch(operations))
}

#[track_caller]
fn after(operations: Value) -> Value {
    sent(operations).resource(200)
}

fn numbers(user: &Value) -> Vec<&str> {
    user["phoneNumbers"].as_array().into_iter().flatten().filter_map(|number| number["value"].as_str()).collect()
}

#[test]
fn rfc_103_add_needs_a_value() {
    sent(json!({ "op": "add", "path": "title" })).refusal(400, "invalidValue");
    sent(json!({ "op": "add" })).refusal(400, "invalidValue");
}

#[test]
fn rfc_103_add_sets_appends_and_merges() {
    let user = after(json!([
        { "op": "add", "path": "title", "value": "Boss" },
        { "op": "add", "path": "phoneNumbers", "value": [{ "type": "mobile", "value": "4" }] },
        { "op": "add", "path": "phoneNumbers", "value": { "type": "fax", "value": "5" } },
        { "op": "add", "path": "name", "value": { "middleName": "Middle" } },
    ]));
    assert_eq!(user["title"], json!("Boss"));
    assert_eq!(numbers(&user), ["1", "2", "3", "4", "5"]);
    assert_eq!(user["name"], json!({ "givenName": "Given", "familyName": "Family", "middleName": "Middle" }));
    let user = after(json!({ "op": "add", "value": {
        "phoneNumbers": [{ "value": "4" }], "name": { "familyName": "Other" }, "nickName": "Nick" } }));
    assert_eq!(numbers(&user), ["1", "2", "3", "4"]);
    assert_eq!(user["name"], json!({ "givenName": "Given", "familyName": "Other" }));
    assert_eq!(user["nickName"], json!("Nick"));
}

#[test]
fn rfc_103_add_to_the_elements_of_a_value_path() {
    let user = after(json!({ "op": "add", "path": "phoneNumbers[type eq \"work\"].display", "value": "office" }));
    let displays: Vec<&Value> =
        user["phoneNumbers"].as_array().expect("numbers").iter().map(|number| &number["display"]).collect();
    assert_eq!(displays, [&json!("office"), &json!("office"), &Value::Null]);
}

#[test]
fn rfc_104_add_of_what_is_there_changes_nothing() {
    let (path, created) = someone();
    for operation in [
        json!({ "op": "add", "path": "phoneNumbers", "value": [{ "type": "home", "value": "3" }] }),
        json!({ "op": "add", "path": "title", "value": "Guide" }),
        json!({ "op": "add", "path": "emails", "value": created["emails"] }),
        json!({ "op": "add", "value": { "name": { "givenName": "Given" }, "active": true } }),
    ] {
        assert_eq!(client().patch(&path, patch(operation.clone())).resource(200), created, "{operation}");
    }
}

#[test]
fn rfc_105_add_to_a_value_path_without_a_match_makes_an_element() {
    let user = after(json!({ "op": "add", "path": "phoneNumbers[type eq \"fax\"].value", "value": "9" }));
    assert_eq!(user["phoneNumbers"][3], json!({ "type": "fax", "value": "9" }));
    let user = after(json!({ "op": "add", "path": "addresses[type eq \"work\"]", "value": { "locality": "Berlin" } }));
    assert_eq!(user["addresses"], json!([{ "type": "work", "locality": "Berlin" }]));
}

#[test]
fn rfc_106_remove() {
    assert!(after(json!({ "op": "remove", "path": "title" })).get("title").is_none());
    assert!(after(json!({ "op": "remove", "path": "phoneNumbers" })).get("phoneNumbers").is_none());
    assert_eq!(numbers(&after(json!({ "op": "remove", "path": "phoneNumbers[type eq \"work\"]" }))), ["3"]);
    assert_eq!(
        numbers(&after(json!({ "op": "remove", "path": "phoneNumbers[type eq \"work\" and value eq \"2\"]" }))),
        ["1", "3"]
    );
    let user = after(json!({ "op": "remove", "path": "phoneNumbers[value eq \"1\"].display" }));
    assert_eq!(user["phoneNumbers"][0], json!({ "type": "work", "value": "1" }));
    assert_eq!(after(json!({ "op": "remove", "path": "name.givenName" }))["name"], json!({ "familyName": "Family" }));
    assert!(after(json!({ "op": "remove", "path": "name" })).get("name").is_none());
    let user = after(json!([
        { "op": "remove", "path": "phoneNumbers[type eq \"work\"]" },
        { "op": "remove", "path": "phoneNumbers[type eq \"home\"]" },
    ]));
    assert!(user.get("phoneNumbers").is_none(), "the last element gone, it is unassigned");
    let user =
        after(json!([{ "op": "remove", "path": "name.givenName" }, { "op": "remove", "path": "name.familyName" }]));
    assert!(user.get("name").is_none());
}

#[test]
fn rfc_107_remove_of_required_and_read_only_attributes_is_refused() {
    for path in ["userName", "id", "meta", "groups"] {
        sent(json!({ "op": "remove", "path": path })).refusal(400, "mutability");
    }
}

#[test]
fn rfc_108_remove_without_a_match_succeeds() {
    let (path, created) = someone();
    for target in ["phoneNumbers[type eq \"pager\"]", "nickName", "addresses[type eq \"work\"].locality", "addresses"] {
        let answer = client().patch(&path, patch(json!({ "op": "remove", "path": target }))).resource(200);
        assert_eq!(answer, created, "{target}");
    }
}

#[test]
fn rfc_109_replace() {
    assert_eq!(after(json!({ "op": "replace", "path": "title", "value": "Boss" }))["title"], json!("Boss"));
    assert_eq!(
        after(json!({ "op": "replace", "path": "nickName", "value": "Nick" }))["nickName"],
        json!("Nick"),
        "like add"
    );
    let user = after(json!({ "op": "replace", "path": "phoneNumbers", "value": [{ "value": "9" }] }));
    assert_eq!(user["phoneNumbers"], json!([{ "value": "9" }]), "replaced as a whole");
    let user = after(json!({ "op": "replace", "path": "name", "value": { "familyName": "Other" } }));
    assert_eq!(user["name"], json!({ "givenName": "Given", "familyName": "Other" }), "the others are kept");
    let user = after(
        json!({ "op": "replace", "value": { "phoneNumbers": [{ "value": "9" }], "name": { "familyName": "Other" }, "title": "Boss" } }),
    );
    assert_eq!(user["phoneNumbers"], json!([{ "value": "9" }]));
    assert_eq!(user["name"], json!({ "givenName": "Given", "familyName": "Other" }));
    assert_eq!(user["title"], json!("Boss"));
    assert!(after(json!({ "op": "replace", "path": "title", "value": null })).get("title").is_none());
    assert!(after(json!({ "op": "replace", "path": "phoneNumbers", "value": [] })).get("phoneNumbers").is_none());
}

#[test]
fn rfc_110_replace_of_every_element_that_matches() {
    let user = after(json!({ "op": "replace", "path": "phoneNumbers[type eq \"work\"].display", "value": "x" }));
    let displays: Vec<&Value> =
        user["phoneNumbers"].as_array().expect("numbers").iter().map(|number| &number["display"]).collect();
    assert_eq!(displays, [&json!("x"), &json!("x"), &Value::Null]);
    let user = after(
        json!({ "op": "replace", "path": "phoneNumbers[value eq \"2\"]", "value": { "type": "fax", "value": "9" } }),
    );
    assert_eq!(user["phoneNumbers"][1], json!({ "type": "fax", "value": "9" }));
    assert_eq!(numbers(&user), ["1", "9", "3"]);
}

#[test]
fn rfc_111_replace_without_a_match_makes_an_element() {
    let user = after(json!({ "op": "replace", "path": "phoneNumbers[type eq \"fax\"].value", "value": "9" }));
    assert_eq!(
        user["phoneNumbers"][3],
        json!({ "type": "fax", "value": "9" }),
        "as Entra expects; strict mode refuses it"
    );
    // From what is no conjunction of equalities no element can be made.
    sent(json!({ "op": "replace", "path": "phoneNumbers[type eq \"fax\" or type eq \"pager\"].value", "value": "9" }))
        .refusal(400, "noTarget");
    sent(json!({ "op": "replace", "path": "phoneNumbers[value sw \"x\"].display", "value": "9" }))
        .refusal(400, "noTarget");
}
