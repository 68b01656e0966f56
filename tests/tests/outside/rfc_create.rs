//! RFC 7644 §3.3: creating (rules R46 to R51).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{GROUP, USER, id, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::json;

#[test]
fn rfc_046_create_answers_with_the_resource_and_its_location() {
    let client = client();
    let person = Person::new("created");
    let response = client.post("/Users", seed::user_request(&person));
    let created = response.resource(201);
    let location = response.header("Location").expect("a Location");
    assert_eq!(location, format!("{}/Users/{}", client.url(), id(&created)));
    assert_eq!(response.header("ETag"), created["meta"]["version"].as_str());
    assert_eq!(text(&created, "userName"), person.user_name);
    assert_eq!(client.get(&format!("/Users/{}", id(&created))).resource(200), created);
}

#[test]
fn rfc_048_missing_and_wrong_values_are_invalid() {
    let client = client();
    client.post("/Users", json!({ "schemas": [USER] })).refusal(400, "invalidValue");
    client
        .post("/Users", json!({ "schemas": [USER], "userName": unique("x"), "active": [1] }))
        .refusal(400, "invalidValue");
    client
        .post("/Groups", json!({ "schemas": [GROUP], "displayName": unique("x"), "members": [{ "display": "x" }] }))
        .refusal(400, "invalidValue");
    client.post("/Users", "{]").refusal(400, "invalidSyntax");
}

#[test]
fn rfc_049_a_conflict_is_409_uniqueness_and_changes_nothing() {
    let client = client();
    let person = Person::new("conflict");
    let created = seed::user(&client, &person);
    let mut again = seed::user_request(&person);
    again["title"] = json!("Changed");
    client.post("/Users", again).refusal(409, "uniqueness");
    assert_eq!(client.get(&format!("/Users/{}", id(&created))).resource(200), created);
    let filter = encode(&format!("userName eq \"{}\"", person.user_name));
    assert_eq!(client.get(&format!("/Users?filter={filter}")).list().total, 1);
}

#[test]
fn a_failed_create_leaves_its_names_free() {
    let client = client();
    let person = Person::new("failed");
    let mut request = seed::user_request(&person);
    request["active"] = json!("maybe");
    client.post("/Users", &request).refusal(400, "invalidValue");
    seed::user(&client, &person);
    let name = unique("failed");
    let body = json!({ "schemas": [GROUP], "displayName": name, "members": [{ "value": "" }] });
    client.post("/Groups", body).refusal(400, "invalidValue");
    seed::group(&client, &name, &[]);
}

#[test]
fn rfc_050_the_resource_type_is_the_servers() {
    let mut request = seed::user_request(&Person::new("type"));
    request["meta"] = json!({ "resourceType": "Group" });
    assert_eq!(client().post("/Users", request).resource(201)["meta"]["resourceType"], json!("User"));
}

#[test]
fn rfc_051_projection_holds_for_writes() {
    let client = client();
    let created =
        client.post("/Users?attributes=userName", seed::user_request(&Person::new("projected"))).document(201);
    assert!(created["id"].is_string() && created["userName"].is_string());
    assert!(created.get("emails").is_none() && created.get("meta").is_none());
    let path = format!("/Users/{}", id(&created));
    let mut whole = client.get(&path).resource(200);
    whole["title"] = json!("x");
    let updated = client.put(&format!("{path}?excludedAttributes=emails,name"), &whole).document(200);
    assert!(updated.get("emails").is_none() && updated.get("name").is_none());
    assert_eq!(updated["title"], json!("x"));
    let body = insomnia_scim_tests::scim::patch(json!({ "op": "replace", "path": "title", "value": "y" }));
    let patched = client.patch(&format!("{path}?attributes=title"), body).document(200);
    assert_eq!(patched["title"], json!("y"));
    assert!(patched.get("userName").is_none() && patched["id"].is_string());
}
