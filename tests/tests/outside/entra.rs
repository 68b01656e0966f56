//! The sequences of requests that Microsoft Entra ID sends, with both forms of its PATCH.

use insomnia_scim_tests::idp::entra::{Entra, Shape};
use insomnia_scim_tests::person::{Person, guid, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, INSOMNIA, PATCH, USER, id, members, sorted};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{client, shared};
use serde_json::json;

fn users(shape: Shape) {
    let entra = Entra::new(&shared().connector(), shape);
    entra.test_connection();

    let mut person = Person::new("Entra.User");
    assert!(entra.find(&person).is_none());
    let user = entra.provision(&person);
    assert_eq!(entra.provision(&person), user, "the second cycle finds what the first made");

    person.email = format!("updated.{}", person.email);
    person.family = "updatedFamilyName".to_owned();
    entra.update(&user, &person, "1234567");
    let read = entra.read(&user);
    assert_eq!(read["emails"], json!([{ "value": person.email, "type": "work", "primary": true }]));
    assert_eq!(read["name"]["familyName"], json!("updatedFamilyName"));
    assert_eq!(read["displayName"], json!(person.display_name()));
    assert_eq!(read["nickName"], json!("Nick"));
    assert_eq!(read[ENTERPRISE]["employeeNumber"], json!("1234567"));
    assert!(read["schemas"].as_array().expect("schemas").contains(&json!(ENTERPRISE)));

    let manager = entra.provision(&Person::new("Entra.Manager"));
    entra.set_manager(&user, &manager);
    assert_eq!(entra.read(&user)[ENTERPRISE]["manager"]["value"], json!(manager));

    entra.disable(&user);
    assert_eq!(entra.find(&person).map(|found| id(&found)), Some(user.clone()), "a disabled user stays findable");
    entra.enable(&user);
    entra.disable(&user);
    entra.purge(&user);
    entra.is_gone(&user);
    assert!(entra.find(&person).is_none());
}

fn groups(shape: Shape) {
    let entra = Entra::new(&shared().connector(), shape);
    let (first, second) = (entra.provision(&Person::new("entra")), entra.provision(&Person::new("entra")));
    let name = unique("Entra Group");
    assert!(entra.find_group(&name).is_none());
    let group = entra.provision_group(&name);
    assert_eq!(entra.provision_group(&name), group);

    entra.add_members(&group, &[first.clone(), second.clone()]);
    let read = client().get(&format!("/Groups/{group}")).resource(200);
    assert_eq!(members(&read), sorted([&first, &second]));
    entra.remove_members(&group, std::slice::from_ref(&second));
    let read = client().get(&format!("/Groups/{group}")).resource(200);
    assert_eq!(members(&read), [first.as_str()], "only the one that was named is gone");

    entra.disable(&first);
    entra.enable(&first);
    let read = client().get(&format!("/Groups/{group}")).resource(200);
    assert_eq!(members(&read), [first], "memberships are not sent again on reactivation");

    entra.rename_group(&group, &format!("{}updatedDisplayName", unique("1879db59")));
    entra.delete_group(&group);
    client().get(&format!("/Groups/{group}")).error(404);
}

#[test]
fn entra_default_users() {
    users(Shape::Default);
}

#[test]
fn entra_2020_flag_users() {
    users(Shape::Flag2020);
}

#[test]
fn entra_default_groups() {
    groups(Shape::Default);
}

#[test]
fn entra_2020_flag_groups() {
    groups(Shape::Flag2020);
}

#[test]
fn entra_replaces_a_work_address_that_is_not_there() {
    let client = client();
    let name = unique("no.address");
    let user = id(&client
        .post("/Users", json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name }))
        .resource(201));
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"MAIL@example.com"}]}"#;
    let mail = format!("{}@example.com", unique("Updated.Email"));
    let patched = client.patch(&format!("/Users/{user}"), body.replace("MAIL@example.com", &mail)).resource(200);
    assert_eq!(patched["emails"], json!([{ "type": "work", "value": mail }]));
}

#[test]
fn entra_manager_as_array_of_reference_and_value() {
    let client = client();
    let (user, boss) = (id(&seed::someone(&client, "report")), id(&seed::someone(&client, "boss")));
    let body = json!({ "schemas": [PATCH], "Operations": [{ "op": "Add", "path": "manager",
        "value": [{ "$ref": format!("http://.../scim/Users/{boss}"), "value": boss }] }] });
    let patched = client.patch(&format!("/Users/{user}"), body).resource(200);
    assert_eq!(patched[ENTERPRISE]["manager"]["value"], json!(boss));
}

#[test]
fn entra_creates_with_nulls_and_a_misspelt_enterprise_schema() {
    let person = Person::new("nulls");
    let body = format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
 "externalId":"{}","userName":"{}","active":true,"addresses":null,"displayName":null,"emails":[{{"type":"work","value":"{}","primary":true}}],
 "phoneNumbers":null,"preferredLanguage":null,"title":null,"department":null,"manager":null,"roles":[],
 "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User":{{"tag":"x"}},
 "name":{{"formatted":null,"familyName":"Family","givenName":"Given"}},"meta":{{"resourceType":"User"}}}}"#,
        guid(),
        person.user_name,
        person.email
    );
    let created = client().post("/Users", body).resource(201);
    let schemas = created["schemas"].as_array().expect("schemas");
    assert!(schemas.contains(&json!(USER)));
    for urn in schemas {
        assert!([USER, INSOMNIA].map(Into::into).contains(urn), "{urn} has no attribute here");
    }
    assert_eq!(created["name"], json!({ "familyName": "Family", "givenName": "Given" }));
}
