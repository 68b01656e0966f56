//! Insomnia's rules, tested by requests of the identity provider with a host in memory.

mod events;
mod guard;
mod memberships;
mod passphrases;
mod preview;
mod property;
mod seats;
mod teams;
mod without_seat;

use serde_json::{Value, json};

use crate::testing::organization::TestOrganization;

/// Provisions a resource; returns its id.
fn post(organization: &TestOrganization, target: &str, body: Value) -> String {
    let (status, body) = organization.scim("POST", target, Some(body));
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

/// Provisions people of these names; returns each name with the id.
fn people<const N: usize>(organization: &TestOrganization, names: [&'static str; N]) -> [(&'static str, String); N] {
    let user = |name: &str| json!({"userName": format!("{name}@example.com"), "displayName": name});
    names.map(|name| (name, post(organization, "/Users", user(name))))
}
