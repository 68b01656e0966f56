//! The data of an organization can't be reached with another organization's token or under another organization's URL.

use std::sync::OnceLock;

use insomnia_scim_tests::client::{Client, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{GROUP, id, patch};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, shared};
use serde_json::json;

/// The shared server's second organization.
fn second() -> &'static Connector {
    static SECOND: OnceLock<Connector> = OnceLock::new();
    SECOND.get_or_init(|| shared().another_organization(&unique("second")))
}

#[test]
fn a_token_is_401_on_another_organizations_url() {
    let (first, second) = (shared().connector(), second());
    assert_ne!(first.url, second.url);
    Client::new(&first.url, &second.token).get("/Users").error(401);
    Client::new(&second.url, &first.token).get("/Users").error(401);
    Client::new(&first.url, &second.token).post("/Users", seed::user_request(&Person::new("x"))).error(401);
    let _ = second.client().get("/Users").list();
}

#[test]
fn ids_are_404_in_another_organization() {
    let (first, second) = (shared().client(), second().client());
    let user = id(&seed::someone(&first, "tenant"));
    let group = id(&seed::group(&first, &unique("tenant"), std::slice::from_ref(&user)));
    second.get(&format!("/Users/{user}")).error(404);
    second.get(&format!("/Groups/{group}")).error(404);
    second.delete(&format!("/Users/{user}")).error(404);
    second.delete(&format!("/Groups/{group}")).error(404);
    second.patch(&format!("/Users/{user}"), patch(json!({ "op": "replace", "value": { "active": false } }))).error(404);
    second.put(&format!("/Users/{user}"), seed::user_request(&Person::new("x"))).error(404);
    second.get(&format!("/Users?filter={}", encode(&format!("id eq \"{user}\"")))).none();
    let body = json!({ "schemas": [GROUP], "displayName": unique("foreign"), "members": [{ "value": user }] });
    // For the second organization it is nobody's id.
    assert!(second.post("/Groups", body).resource(201).get("members").is_none());
    assert_eq!(first.get(&format!("/Users/{user}")).resource(200)["active"], json!(true));
}

#[test]
fn the_same_names_are_free_in_another_organization() {
    let (first, second) = (shared().client(), second().client());
    let person = Person::new("everywhere");
    let one = seed::user(&first, &person);
    let other = seed::user(&second, &person);
    assert_ne!(id(&one), id(&other));
    let name = unique("Everyone");
    assert_ne!(id(&seed::group(&first, &name, &[])), id(&seed::group(&second, &name, &[])));
    let filter = encode(&format!("userName eq \"{}\"", person.user_name));
    assert_eq!(id(&second.get(&format!("/Users?filter={filter}")).only()), id(&other));
}

#[test]
fn an_unknown_organization_is_not_served() {
    let first = shared().connector();
    let url = first.url.replace(&first.organization, "nobody");
    assert_ne!(url, first.url, "the connector URL names the organization");
    let response = Client::new(&url, &first.token).get("/Users");
    assert!([401, 404].contains(&response.status), "{response}");
    response.error(response.status);
}
