//! RFC 7644 §3.6: deleting (rules R114 to R116).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, USER, id, members, patch};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::json;

#[test]
fn rfc_114_deleted_is_404_for_every_method() {
    let client = client();
    let created = seed::someone(&client, "deleted");
    let path = format!("/Users/{}", id(&created));
    client.delete(&path).no_content();
    client.get(&path).error(404);
    client.put(&path, &created).error(404);
    client.patch(&path, patch(json!({ "op": "replace", "path": "title", "value": "x" }))).error(404);
    client.delete(&path).error(404);
    let filter = encode(&format!("id eq \"{}\"", id(&created)));
    client.get(&format!("/Users?filter={filter}")).none();
}

#[test]
fn rfc_115_names_are_free_again() {
    let client = client();
    let person = Person::new("again");
    let first = id(&seed::user(&client, &person));
    client.delete(&format!("/Users/{first}")).no_content();
    let second = id(&seed::user(&client, &person));
    assert_ne!(first, second);
    let name = unique("again");
    let group = id(&seed::group(&client, &name, &[]));
    client.delete(&format!("/Groups/{group}")).no_content();
    assert_ne!(id(&seed::group(&client, &name, &[])), group);
}

#[test]
fn rfc_116_references_to_the_deleted_disappear() {
    let client = client();
    let ids = seed::people(&client, "referenced", 2);
    let group = id(&seed::group(&client, &unique("referenced"), &ids));
    let report = client
        .post("/Users", json!({ "schemas": [USER, ENTERPRISE], "userName": unique("report"), ENTERPRISE: { "manager": { "value": ids[0] } } }))
        .resource(201);
    client.delete(&format!("/Users/{}", ids[0])).no_content();
    assert_eq!(members(&client.get(&format!("/Groups/{group}")).resource(200)), ids[1..]);
    let read = client.get(&format!("/Users/{}", id(&report))).resource(200);
    assert!(read.pointer(&format!("/{ENTERPRISE}/manager")).is_none(), "{read}");
    client.get(&format!("/Groups?filter={}", encode(&format!("members.value eq \"{}\"", ids[0])))).none();

    client.delete(&format!("/Groups/{group}")).no_content();
    let read = client.get(&format!("/Users/{}", ids[1])).resource(200);
    assert!(read.get("groups").is_none(), "deleting a group removes no member, and its membership goes: {read}");
}
