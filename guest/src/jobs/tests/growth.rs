//! Stored data does not grow: after a year of the same work every day there is no more of any kind than after two
//! months.

use std::collections::BTreeMap;

use insomnia_scim_contract::{Act, Actor, NewSetupLink, Removal, SecretWindow};
use serde_json::{Value, json};

use super::*;
use crate::capability::{EmailError, HttpError};
use crate::connector::oauth::{self, NewClient, OAuthRequest};
use crate::connector::{IdentityProvider, Window, setup_link};
use crate::directory;
use crate::endpoint::handle;
use crate::journal;
use crate::protocol::message::Request;
use crate::provisioning::guard::{Decision, Guard, status};
use crate::testing::organization::{DAY, TestOrganization};

const OWNER: &str = TestOrganization::OWNER;
const REDIRECT: &str = "https://idp.example/callback";
/// For how many days these tests keep the log. Data with a retention of its own lasts no longer, except the audit
/// trail.
const RETENTION: u32 = 30;
/// For how many days the audit trail is kept.
const AUDIT: u64 = 400;

/// The number of keys of each kind: a kind is the beginning of a key up to its first slash.
fn rows(organization: &TestOrganization) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for line in organization.host.dump().lines() {
        let Some((key, _)) = line.split_once(" = ") else { continue };
        if let Some((sort, _)) = key.split_once('/') {
            *rows.entry(sort.to_owned()).or_default() += 1;
        }
    }
    rows
}

/// Sends a form to the token endpoint; returns the answer.
fn token(organization: &TestOrganization, client: (&str, &str), fields: &str) -> Value {
    let body = format!("client_id={}&client_secret={}&{fields}", client.0, client.1).into_bytes();
    let issuer = "https://scim.example/oauth/acme".to_owned();
    let request = OAuthRequest { headers: Vec::new(), body, issuer, operator_clients: Vec::new() };
    serde_json::from_slice(&oauth::token(organization.host.host(), &request).body).unwrap()
}

/// An authorization code, after the owner's consent.
fn code(organization: &TestOrganization, client: &str) -> String {
    let query = format!("response_type=code&client_id={client}&redirect_uri={REDIRECT}");
    let consent = oauth::authorize_request(&organization.store(), &query, &[]).unwrap();
    let url = oauth::approve(&organization.store(), OWNER, &consent.request, &[]).unwrap();
    url.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

/// One day of the identity provider.
fn provision(organization: &TestOrganization, day: u64, people: &mut Vec<String>) {
    let name = |number: u64| format!("person-{number}@example.com");
    let user = json!({"userName": name(day), "displayName": format!("Person {day}"), "externalId": format!("e{day}")});
    let (status, created) = organization.scim("POST", "/Users", Some(user.clone()));
    assert_eq!(status, 201, "{created}");
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!(organization.scim("POST", "/Users", Some(user)).0, 409);
    let rename = json!({"Operations": [{"op": "replace", "path": "displayName", "value": format!("Other {day}")}]});
    organization.scim("PATCH", &format!("/Users/{id}"), Some(rename));
    let team = json!({"displayName": format!("Team {day}"), "members": [{"value": id}]});
    let team = organization.scim("POST", "/Groups", Some(team)).1["id"].as_str().unwrap().to_owned();
    organization.scim("GET", "/Users?filter=externalId+eq+%22nobody%22", None);
    people.push(id);
    if people.len() > 10 {
        let gone = people.remove(0);
        let (status, _) = organization.scim("DELETE", &format!("/Users/{gone}"), None);
        if status == 503 {
            // The guard holds the removal. The owner allows it, and the identity provider tries again.
            let store = organization.store();
            let held = guard_holds(organization);
            directory::decide_held(&store, OWNER, Decision::Allowed, std::slice::from_ref(&gone)).unwrap();
            assert!(held.contains(&Removal::Delete));
            assert_eq!(organization.scim("DELETE", &format!("/Users/{gone}"), None).0, 204);
        }
    }
    organization.scim("DELETE", &format!("/Groups/{team}"), None);
    // One request finds no free seat, and one has no token.
    organization.change(|record| record.seats = 1).unwrap();
    assert_eq!(
        organization.scim("POST", "/Users", Some(json!({"userName": format!("late-{day}@example.com")}))).0,
        403
    );
    organization.change(|record| record.seats = 1_000).unwrap();
    let stranger = Request {
        method: "GET".into(),
        path: "/Users".into(),
        headers: vec![("authorization".into(), "Bearer of-a-stranger".into())],
        request_id: "r1".into(),
        ..Request::default()
    };
    assert_eq!(handle(organization.host.host(), &stranger).status, 401);
}

fn guard_holds(organization: &TestOrganization) -> Vec<Removal> {
    status(&organization.store(), None, 500).unwrap().held.into_iter().map(|held| held.removal).collect()
}

/// One day of the administrators.
fn administer(organization: &TestOrganization, day: u64, people: &[String], client: (&str, &str)) {
    let store = || organization.store();
    let acting = store().for_act(&Act::of_backend(), "sign-in");
    acting.end_act().unwrap();
    let person = people.last().unwrap();
    directory::request_passphrase_reset(&store(), person, "https://scim.example/reset").unwrap();
    token(organization, client, "grant_type=client_credentials");
    let code = code(organization, client.0);
    if !day.is_multiple_of(4) {
        let redeem = format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}");
        let granted = token(organization, client, &redeem);
        let refresh = granted["refresh_token"].as_str().unwrap_or_else(|| panic!("day {day}: {granted}"));
        token(organization, client, &format!("grant_type=refresh_token&refresh_token={refresh}"));
    }
    if day.is_multiple_of(10) {
        let new = NewSetupLink { identity_provider: IdentityProvider::Okta, window: None, valid_seconds: 3_600 };
        let made = setup_link::create(&store(), Actor::Operator, None, &new).unwrap();
        setup_link::revoke(&store(), Actor::Operator, &made.link.id).unwrap();
        let erasure = erase_person(&store(), &format!("late-{day}@example.com"), &[]).unwrap();
        end_erasure(&store(), &erasure.id).unwrap();
    }
    if day.is_multiple_of(6) {
        organization.host.email_results.borrow_mut().push_back(EmailError::Rejected("no".into()));
    }
    if day.is_multiple_of(40) {
        // The webhook is down for longer than deliveries are tried.
        let down = || Err(HttpError::Unreachable("down".into()));
        organization.host.http_results.borrow_mut().extend((0..100).map(|_| down()));
    }
}

#[test]
fn p9_after_a_year_of_the_same_work_there_is_no_more_stored_than_after_two_months() {
    let organization = TestOrganization::new(1_000, Window::Never).unwrap();
    directory::set_retention(&organization.store(), RETENTION).unwrap();
    directory::set_guard(&organization.store(), Some(Guard { number: None, share: Some(1) })).unwrap();
    journal::set_webhook(&organization.store(), &organization.host, "https://events.example/").unwrap();
    let new = NewClient {
        name: "IdP".into(),
        client_credentials: true,
        authorization_code: true,
        redirect_uris: vec![REDIRECT.into()],
        secret_window: SecretWindow::Never,
        ..NewClient::default()
    };
    let issued = oauth::create(&organization.store(), OWNER, &new).unwrap();
    let client = (issued.client.id.as_str(), issued.secret.as_deref().unwrap());
    let (mut people, mut after_two_months) = (Vec::new(), BTreeMap::new());
    // Every second day is left out, so that the test is quick.
    for day in (2..=AUDIT + 20).step_by(2) {
        provision(&organization, day, &mut people);
        administer(&organization, day, &people, client);
        organization.live_for(2 * DAY).unwrap();
        if day == 60 {
            after_two_months = rows(&organization);
        }
    }
    let after_a_year = rows(&organization);
    for sort in
        ["log", "event", "event-parked", "audit", "outbox-parked", "without-seat", "oauth-access", "oauth-grant"]
    {
        assert!(after_a_year.contains_key(sort), "nothing of '{sort}' came about: {after_a_year:?}");
    }
    for (sort, count) in &after_a_year {
        let before = after_two_months.get(sort).copied().unwrap_or(0);
        // After two months the audit trail has 60 days of entries, and in the end 400 days.
        let live = if sort == "audit" { before * AUDIT / 60 } else { before };
        assert!(*count <= 2 * live, "'{sort}' has grown: {before} to {count}\n{after_two_months:?}\n{after_a_year:?}");
    }
}
