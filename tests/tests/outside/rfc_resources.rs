//! RFC 7643 §2, §3: what all resources have in common (rules R16 to R26).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, GROUP, USER, id, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

#[track_caller]
fn create(with: Value) -> Value {
    let mut request = seed::user_request(&Person::new("resource"));
    for (name, value) in with.as_object().expect("an object") {
        request[name] = value.clone();
    }
    client().post("/Users", request).resource(201)
}

#[test]
fn rfc_016_schemas_are_those_of_the_attributes() {
    let plain = create(json!({ "schemas": [USER, USER, ENTERPRISE] }));
    let schemas = plain["schemas"].as_array().expect("schemas");
    assert_eq!(schemas.iter().filter(|urn| **urn == json!(USER)).count(), 1);
    assert!(!schemas.contains(&json!(ENTERPRISE)), "no attribute of it: {plain}");
    let with = create(json!({ "schemas": [ENTERPRISE, USER], ENTERPRISE: { "department": "Sales" } }));
    for urn in [USER, ENTERPRISE] {
        assert!(with["schemas"].as_array().expect("schemas").contains(&json!(urn)), "{with}");
    }
    let group = seed::group(&client(), &unique("schemas"), &[]);
    assert_eq!(group["schemas"], json!([GROUP]));
}

#[test]
fn rfc_017_ids_are_the_servers_and_unique() {
    let created = create(json!({ "id": "mine" }));
    assert_ne!(id(&created), "mine");
    assert!(!id(&created).contains("bulkId"));
    assert_ne!(id(&create(json!({}))), id(&created));
    let filter = encode(&format!("id eq \"{}\"", id(&created)));
    assert_eq!(id(&client().get(&format!("/Users?filter={filter}")).only()), id(&created));
}

#[test]
fn rfc_018_external_id_is_the_clients() {
    let client = client();
    let external = unique("Ext");
    let first = create(json!({ "externalId": external }));
    assert_eq!(first["externalId"], json!(external));
    let none = client.post("/Users", json!({ "schemas": [USER], "userName": unique("none") })).resource(201);
    assert!(none.get("externalId").is_none(), "the server never sets it");
    create(json!({ "externalId": external }));
    let filter = |value: &str| format!("/Users?filter={}", encode(&format!("externalId eq \"{value}\"")));
    assert_eq!(client.get(&filter(&external)).list().total, 2, "two of one externalId are no conflict");
    client.get(&filter(&external.to_uppercase())).none();
}

#[test]
fn rfc_019_meta_is_the_servers() {
    let client = client();
    let created =
        create(json!({ "meta": { "resourceType": "X", "version": "W/\"x\"", "created": "2001-01-01T00:00:00Z" } }));
    let meta = &created["meta"];
    assert_eq!(meta["resourceType"], json!("User"));
    assert_eq!(meta["created"], meta["lastModified"], "until the first change");
    let path = format!("/Users/{}", id(&created));
    let read = client.get(&path);
    assert_eq!(read.resource(200), created);
    assert_eq!(read.header("ETag"), meta["version"].as_str());
    assert_eq!(read.header("Content-Location").or(meta["location"].as_str()), meta["location"].as_str());
    std::thread::sleep(std::time::Duration::from_millis(5));
    let changed = client.patch(&path, patch(json!({ "op": "replace", "path": "title", "value": "x" }))).resource(200);
    assert_eq!(changed["meta"]["created"], meta["created"]);
    assert_eq!(changed["meta"]["location"], meta["location"]);
    assert!(text(&changed["meta"], "lastModified") > text(meta, "lastModified"));
    assert_ne!(changed["meta"]["version"], meta["version"]);
    assert_eq!(seed::group(&client, &unique("meta"), &[])["meta"]["resourceType"], json!("Group"));
}

#[test]
fn rfc_020_extension_attributes_are_in_their_container() {
    let sent = json!({ "employeeNumber": "701984", "costCenter": "4130", "organization": "Universal Studios", "division": "Theme Park", "department": "Tour Operations" });
    let created = create(json!({ "schemas": [USER, ENTERPRISE], ENTERPRISE: sent }));
    assert_eq!(created[ENTERPRISE], sent);
    for name in sent.as_object().expect("an object").keys() {
        assert!(created.get(name).is_none());
    }
}

#[test]
fn rfc_021_names_and_urns_have_no_case() {
    let created = create(json!({
        "NICKNAME": "Nick", "Name": { "GIVENNAME": "Given", "familyname": "Family" },
        ENTERPRISE.to_uppercase(): { "Department": "Sales" },
    }));
    assert_eq!(created["nickName"], json!("Nick"));
    assert_eq!(created["name"]["givenName"], json!("Given"));
    assert_eq!(created[ENTERPRISE]["department"], json!("Sales"));
}

#[test]
fn rfc_023_dates_integers_and_references_are_typed() {
    let created = create(
        json!({ "profileUrl": "https://example.com/~bjensen", "photos": [{ "value": "https://example.com/p.jpg", "type": "photo" }] }),
    );
    assert_eq!(created["profileUrl"], json!("https://example.com/~bjensen"));
    assert_eq!(created["photos"][0]["value"], json!("https://example.com/p.jpg"));
    let created_at = text(&created["meta"], "created");
    assert!(created_at.len() >= 20 && created_at.as_bytes()[10] == b'T' && created_at.ends_with('Z'), "{created_at}");
}

#[test]
fn rfc_024_primary_is_true_once_at_the_most() {
    let mut request = seed::user_request(&Person::new("primary"));
    request["phoneNumbers"] = json!([
        { "value": "1", "type": "work", "primary": true }, { "value": "2", "type": "home", "primary": true } ]);
    let response = client().post("/Users", request);
    if response.status == 400 {
        response.refusal(400, "invalidValue");
        return;
    }
    let created = response.resource(201);
    let primaries =
        created["phoneNumbers"].as_array().expect("numbers").iter().filter(|number| number["primary"] == json!(true));
    assert_eq!(primaries.count(), 1, "{created}");
}

#[test]
fn rfc_025_values_are_not_canonicalised() {
    let mail = format!("{}@EXAMPLE.Com", unique("Bjensen"));
    let created = create(
        json!({ "emails": [{ "value": mail, "type": "WORK" }], "phoneNumbers": [{ "value": "+1 (201) 555-0123" }] }),
    );
    assert_eq!(created["emails"], json!([{ "value": mail, "type": "WORK" }]));
    assert_eq!(created["phoneNumbers"], json!([{ "value": "+1 (201) 555-0123" }]));
}

#[test]
fn rfc_026_null_and_empty_are_unassigned() {
    let created = create(json!({ "nickName": null, "ims": [], "title": "x" }));
    assert!(created.get("nickName").is_none() && created.get("ims").is_none());
    let path = format!("/Users/{}", id(&created));
    let body = patch(json!({ "op": "replace", "path": "title", "value": null }));
    assert!(client().patch(&path, body).resource(200).get("title").is_none());
    let body = patch(json!([
        { "op": "add", "path": "ims", "value": [{ "value": "x" }] },
        { "op": "replace", "path": "ims", "value": [] },
    ]));
    assert!(client().patch(&path, body).resource(200).get("ims").is_none());
}
