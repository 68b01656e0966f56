//! API keys on the page: an owner makes one with the passphrase, sees what it may do, and revokes it.

use std::time::Duration;

use insomnia_scim::directory::Role;
use insomnia_scim_tests::client::{Client, Response};

use crate::page::host::Host;
use crate::page::organization::Organization;
use crate::page::visitor::Visitor;

/// Makes a key that may read members and change teams; returns the answer.
fn make(visitor: &Visitor, passphrase: &str, amount: &str) -> Response {
    let csrf = visitor.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("action", "create"),
        ("name", "Deploy <b>"),
        ("amount", amount),
        ("members", "read"),
        ("teams", "write"),
        ("window", "90d"),
        ("passphrase", passphrase),
    ];
    visitor.post("/api-keys", &fields)
}

/// A client of the organization's part of the API, with this key.
fn api(organization: &Organization<'_>, key: &str) -> Client {
    let path = organization.page.replace("/organizations/", "/api/v1/organizations/").replace("/scim", "");
    Client::bare(&path).header("Authorization", &format!("Bearer {key}"))
}

/// What follows `begin` in the page, to the next quotation mark.
fn value(page: &str, begin: &str) -> String {
    let rest = page.split_once(begin).map_or("", |(_, rest)| rest);
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn p9_an_owner_makes_a_limited_key_on_the_page_and_revokes_it() {
    let organization = Organization::new("keys");
    let owner = Visitor::owner(&organization);
    assert!(owner.get("/settings").is(200).text().contains("/scim/api-keys"));
    let refused = make(&owner, "not the passphrase", "chosen").is(422).text();
    assert!(refused.contains("No key was made") && refused.contains("Deploy &#60;b&#62;"), "{refused}");
    make(&owner, &organization.passphrase, "nothing").is(422);
    assert!(owner.get("/api-keys").is(200).text().contains("No key was made yet"));

    let made = make(&owner, &organization.passphrase, "chosen").is(200).text();
    let key = format!("insm_api_{}", value(&made, "value=\"insm_api_"));
    let list = owner.get("/api-keys").is(200).text();
    assert!(
        list.contains("Read Members, change Teams.") && list.contains("Never used.") && list.contains("Expires"),
        "{list}"
    );
    assert!(!list.contains("insm_api_") && !list.contains("<b>\""), "the key is shown once: {list}");
    let client = api(&organization, &key);
    client.get("/members").is(200);
    client.get("/logs").is(403);

    // A key may do what only the owner may, so a co-owner makes none.
    organization.add("co@example.com", "Cora Co-owner", Role::CoOwner);
    let co_owner = Visitor::new(&organization);
    co_owner.sign_in("co@example.com", &organization.passphrase).is(303);
    let page = co_owner.get("/api-keys").is(200).text();
    assert!(
        page.contains("Only an owner can make a key")
            && page.contains("Read Members")
            && !page.contains("Make the key"),
        "{page}"
    );
    make(&co_owner, &organization.passphrase, "everything").is(403);

    let id = value(&list, "/confirm/revoke-api-key?key=");
    let csrf = owner.csrf();
    assert!(owner.get(&format!("/confirm/revoke-api-key?key={id}")).is(200).text().contains("Revoke the key"));
    owner.get("/confirm/revoke-api-key?key=0000").is(404);
    owner.post("/api-keys", &[("csrf", &csrf), ("action", "revoke"), ("key", &id)]).is(303);
    owner.post("/api-keys", &[("csrf", &csrf), ("action", "revoke"), ("key", "0000")]).is(404);
    client.get("/members").is(401);
    assert!(owner.get("/api-keys").is(200).text().contains(">Revoked<"));
    let trail = owner.get("/audit?text=api-key.create").is(200).text();
    assert!(trail.contains("members:read"), "{trail}");
}

#[test]
fn p9_a_key_that_has_expired_is_refused_as_an_unknown_one_and_listed_as_expired() {
    let host = Host::start();
    let organization = Organization::of(&host, "expiry");
    let owner = Visitor::owner(&organization);
    let made = make(&owner, &organization.passphrase, "read").is(200).text();
    let client = api(&organization, &format!("insm_api_{}", value(&made, "value=\"insm_api_")));
    client.get("/members").is(200);
    client.post("/teams", serde_json::json!({"name": "Crew"})).is(403);
    host.pass(Duration::from_secs(90 * 24 * 60 * 60));
    let expired = client.get("/members").is(401).json();
    assert_eq!(expired["type"], "urn:insomnia:problem:unauthorized");
    assert_eq!(expired["detail"], "The API key is not known here, was revoked, or has expired.");
    let list = Visitor::owner(&organization).get("/api-keys").is(200).text();
    assert!(list.contains(">Expired<") && list.contains("Read everything."), "{list}");
    assert!(!list.contains("confirm/revoke-api-key"), "{list}");
}
