//! RFC 7644 §3.4.2.5, §3.9: which attributes are returned (rules R83 to R87).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, USER, id};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

#[track_caller]
fn someone() -> String {
    let mut request = seed::user_request(&Person::new("projection"));
    request["title"] = json!("Guide");
    request["schemas"] = json!([USER, ENTERPRISE]);
    request[ENTERPRISE] = json!({ "department": "Sales", "costCenter": "1" });
    id(&client().post("/Users", request).resource(201))
}

/// The names that are returned, by id and in a list alike.
#[track_caller]
fn read(user: &str, query: &str) -> Value {
    let by_id = client().get(&format!("/Users/{user}?{query}")).document(200);
    let filter = encode(&format!("id eq \"{user}\""));
    let listed = client().get(&format!("/Users?filter={filter}&{query}")).only();
    assert_eq!(by_id, listed, "by id and in a list the same");
    by_id
}

fn names(resource: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = resource.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn rfc_083_attributes_are_the_only_ones_beside_those_always_returned() {
    let user = someone();
    assert_eq!(names(&read(&user, "attributes=userName")), ["id", "schemas", "userName"]);
    assert_eq!(names(&read(&user, "attributes=id")), ["id", "schemas"]);
    assert_eq!(names(&read(&user, "attributes=userName,title,meta")), ["id", "meta", "schemas", "title", "userName"]);
}

#[test]
fn rfc_083_sub_attributes_and_urns() {
    let user = someone();
    let answer = read(&user, "attributes=name.familyName,emails.value");
    assert_eq!(names(&answer), ["emails", "id", "name", "schemas"]);
    assert_eq!(names(&answer["name"]), ["familyName"]);
    assert_eq!(names(&answer["emails"][0]), ["value"]);
    let answer = read(&user, &format!("attributes={}", encode(&format!("{ENTERPRISE}:department"))));
    assert_eq!(answer[ENTERPRISE], json!({ "department": "Sales" }));
    assert!(answer.get("userName").is_none());
    let answer = read(&user, &format!("attributes={ENTERPRISE}"));
    assert_eq!(answer[ENTERPRISE], json!({ "department": "Sales", "costCenter": "1" }));
    let answer = read(&user, &format!("attributes={USER}:userName"));
    assert_eq!(names(&answer), ["id", "schemas", "userName"]);
}

#[test]
fn rfc_084_excluded_attributes_are_left_out() {
    let user = someone();
    let whole = read(&user, "");
    let answer = read(&user, "excludedAttributes=emails,name.givenName");
    assert!(answer.get("emails").is_none());
    assert_eq!(names(&answer["name"]), ["familyName"]);
    assert_eq!(answer["userName"], whole["userName"]);
    let answer = read(&user, &format!("excludedAttributes={ENTERPRISE}:costCenter"));
    assert_eq!(answer[ENTERPRISE], json!({ "department": "Sales" }));
    let answer = read(&user, &format!("excludedAttributes={ENTERPRISE}"));
    assert!(answer.get(ENTERPRISE).is_none());
}

#[test]
fn rfc_084_what_is_always_returned_cannot_be_excluded() {
    let user = someone();
    let answer = read(&user, "excludedAttributes=id,schemas,userName");
    assert_eq!(answer["id"], json!(user));
    assert!(answer["schemas"].is_array());
}

#[test]
fn rfc_084_members_are_excluded_by_id_and_in_lists() {
    let client = client();
    let name = unique("excluded");
    let group = id(&seed::group(&client, &name, &seed::people(&client, "excluded", 2)));
    let by_id = client.get(&format!("/Groups/{group}?excludedAttributes=members")).resource(200);
    assert!(by_id.get("members").is_none());
    let filter = encode(&format!("displayName eq \"{name}\""));
    let listed = client.get(&format!("/Groups?excludedAttributes=members&filter={filter}")).only();
    assert_eq!(listed, by_id);
    let with = client.get(&format!("/Groups?filter={filter}")).only();
    assert_eq!(with["members"].as_array().map(Vec::len), Some(2), "returned by default");
    let only = client.get(&format!("/Groups/{group}?attributes=members.value")).document(200);
    assert_eq!(names(&only), ["id", "members", "schemas"]);
    assert_eq!(names(&only["members"][0]), ["value"]);
}

#[test]
fn rfc_085_of_both_parameters_attributes_wins() {
    let user = someone();
    let answer = read(&user, "attributes=userName&excludedAttributes=userName,id");
    assert_eq!(names(&answer), ["id", "schemas", "userName"]);
}

#[test]
fn rfc_086_names_have_no_case_and_unknown_ones_are_ignored() {
    let user = someone();
    assert_eq!(
        names(&read(&user, "attributes=USERNAME,%20Title%20,,shoeSize")),
        ["id", "schemas", "title", "userName"]
    );
    assert_eq!(names(&read(&user, "attributes=shoeSize")), ["id", "schemas"]);
    assert_eq!(read(&user, "excludedAttributes=shoeSize"), read(&user, ""));
    assert_eq!(read(&user, "attributes="), read(&user, ""), "an empty parameter is none");
}

#[test]
fn rfc_087_meta_is_returned_by_default_only() {
    let user = someone();
    assert!(read(&user, "attributes=userName").get("meta").is_none());
    let answer = read(&user, "attributes=meta.version");
    assert_eq!(names(&answer["meta"]), ["version"]);
}
