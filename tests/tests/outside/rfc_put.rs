//! RFC 7644 §3.5.1: replacing (rules R89 to R94).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, GROUP, USER, id, members};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

#[track_caller]
fn someone() -> (String, Value) {
    let mut request = seed::user_request(&Person::new("put"));
    request["title"] = json!("Guide");
    request[ENTERPRISE] = json!({ "department": "Sales" });
    let created = client().post("/Users", request).resource(201);
    (format!("/Users/{}", id(&created)), created)
}

#[test]
fn rfc_089_put_never_creates() {
    let client = client();
    let name = unique("never");
    client
        .put("/Users/2819c223-7f76-453a-919d-413861904646", json!({ "schemas": [USER], "userName": name }))
        .error(404);
    client.get(&format!("/Users?filter={}", encode(&format!("userName eq \"{name}\"")))).none();
    client.put("/Groups/nobody", json!({ "schemas": [GROUP], "displayName": name })).error(404);
}

#[test]
fn rfc_090_what_is_omitted_is_cleared() {
    let (path, created) = someone();
    let body = json!({ "schemas": [USER], "userName": created["userName"], "displayName": "Only" });
    let updated = client().put(&path, body).resource(200);
    assert_eq!(updated["displayName"], json!("Only"));
    for name in ["title", "emails", "name", "externalId", ENTERPRISE] {
        assert!(updated.get(name).is_none(), "{name} is still there: {updated}");
    }
    assert!(!updated["schemas"].as_array().expect("schemas").contains(&json!(ENTERPRISE)));
    assert_eq!(updated["active"], json!(true));
    assert_eq!(client().get(&path).resource(200), updated);
}

#[test]
fn rfc_090_put_of_what_was_read_changes_nothing() {
    let client = client();
    let (path, _) = someone();
    let read = client.get(&path).resource(200);
    assert_eq!(client.put(&path, &read).resource(200), read, "neither lastModified nor version");
    let ids = seed::people(&client, "same", 2);
    let group = seed::group(&client, &unique("same"), &ids);
    assert_eq!(client.put(&format!("/Groups/{}", id(&group)), &group).resource(200), group);
}

#[test]
fn rfc_091_read_only_attributes_are_ignored() {
    let (path, created) = someone();
    let mut body = created.clone();
    body["id"] = json!("another");
    body["meta"] = json!({ "location": "http://elsewhere/", "resourceType": "Group" });
    body["groups"] = json!([{ "value": "x" }]);
    let updated = client().put(&path, body).resource(200);
    assert_eq!(updated["id"], created["id"]);
    assert_eq!(updated["meta"]["location"], created["meta"]["location"]);
    assert!(updated.get("groups").is_none());
}

#[test]
fn rfc_092_replacing_members_is_no_violation() {
    let client = client();
    let ids = seed::people(&client, "replaced", 3);
    let name = unique("replaced");
    let group = id(&seed::group(&client, &name, &ids[..2]));
    let body = json!({ "schemas": [GROUP], "id": group, "displayName": name, "members": [
        { "value": ids[2], "display": "x", "type": "User" }, { "value": ids[1] }] });
    let updated = client.put(&format!("/Groups/{group}"), body).resource(200);
    let mut expected = ids[1..].to_vec();
    expected.sort();
    assert_eq!(members(&updated), expected);
}

#[test]
fn rfc_093_required_attributes_are_required() {
    let client = client();
    let (path, created) = someone();
    client.put(&path, json!({ "schemas": [USER], "displayName": "x" })).refusal(400, "invalidValue");
    client.put(&path, json!({ "schemas": [USER], "userName": "" })).refusal(400, "invalidValue");
    assert_eq!(client.get(&path).resource(200), created);
    let group = id(&seed::group(&client, &unique("required"), &[]));
    client.put(&format!("/Groups/{group}"), json!({ "schemas": [GROUP] })).refusal(400, "invalidValue");
}

#[test]
fn rfc_094_taken_names_are_409() {
    let client = client();
    let (path, created) = someone();
    let (_, other) = someone();
    let mut body = created.clone();
    body["userName"] = other["userName"].clone();
    client.put(&path, &body).refusal(409, "uniqueness");
    assert_eq!(client.get(&path).resource(200), created);
    let renamed = unique("renamed");
    body["userName"] = json!(renamed);
    body["emails"] = json!([{ "value": format!("{renamed}@example.com") }]);
    assert_eq!(client.put(&path, &body).resource(200)["userName"], json!(renamed));
    let old = encode(&format!("userName eq \"{}\"", created["userName"].as_str().expect("a name")));
    client.get(&format!("/Users?filter={old}")).none();
    let reused = json!({ "schemas": [USER], "userName": created["userName"] });
    client.post("/Users", reused).resource(201);
}
