//! Log entries about unauthenticated callers (rule P5): enough to find a mistake, too few to fill the storage.

use serde_json::json;

use super::{because, logged, request};
use crate::connector::Window;
use crate::journal::{LogQuery, search};
use crate::store::keys;
use crate::testing::organization::TestOrganization;

fn organization() -> TestOrganization {
    TestOrganization::new(10, Window::Days30).unwrap()
}

fn entries(organization: &TestOrganization) -> u64 {
    organization.host.count(&keys::logs(0, u64::MAX))
}

#[test]
fn p5_of_a_caller_who_is_not_known_no_body_is_kept_and_little_else() {
    let organization = organization();
    let target = format!("/Users/{}?filter={}", "x".repeat(3_000), "y".repeat(3_000));
    for authorization in [None, Some("Bearer wrong"), Some("Basic d3Jvbmc6d3Jvbmc=")] {
        let mut request = request(&organization, "POST", &target, Some(json!({"userName": "z".repeat(10_000)})));
        request.headers.retain(|(name, _)| name != "authorization");
        request.headers.extend(authorization.map(|value| ("authorization".into(), value.into())));
        request.headers.push(("user-agent".into(), "a".repeat(3_000)));
        let (status, entry) = logged(&organization, &request);
        assert_eq!((status, &entry["status"], &entry["body"]), (401, &json!(401), &json!(null)));
        assert_eq!(entry["bytesReceived"], request.body.len());
        assert!(entry.to_string().len() < 1_500, "{entry}");
    }
}

#[test]
fn p5_an_hour_has_600_entries_of_callers_who_are_not_known_and_the_next_tells_how_many_there_were() {
    let organization = organization();
    let before = entries(&organization);
    let mut stranger = request(&organization, "GET", "/Users", None);
    stranger.headers.retain(|(name, _)| name != "authorization");
    for number in 0..1_000 {
        stranger.request_id = format!("r{number}");
        logged(&organization, &stranger);
    }
    assert_eq!(entries(&organization) - before, 600);
    let known = request(&organization, "GET", "/Users", None);
    assert_eq!(logged(&organization, &known).1["status"], 200, "the identity provider's are kept");
    assert_eq!(entries(&organization) - before, 601);
    organization.live_for(3_600_000).unwrap();
    let (_, entry) = logged(&organization, &stranger);
    assert_eq!(because(&entry), ["strangers-left-out 400"]);
    let (_, entry) = logged(&organization, &stranger);
    assert!(because(&entry).is_empty(), "it is told once");
}

#[test]
fn p5_the_service_provider_configuration_read_by_strangers_counts_as_well() {
    let organization = organization();
    let before = entries(&organization);
    let mut stranger = request(&organization, "GET", "/ServiceProviderConfig", None);
    stranger.headers.retain(|(name, _)| name != "authorization");
    for number in 0..700 {
        stranger.request_id = format!("r{number}");
        assert_eq!(logged(&organization, &stranger).0, 200);
    }
    assert_eq!(entries(&organization) - before, 600);
}

#[test]
fn p2_every_request_with_an_expired_token_is_logged() {
    let organization = organization();
    organization.host.set_now(organization.store().now() + 31 * 24 * 3_600_000);
    let before = entries(&organization);
    for number in 0..700 {
        let mut request = request(&organization, "POST", "/Users", Some(json!({"userName": "ada@example.com"})));
        request.request_id = format!("r{number}");
        let (status, entry) = logged(&organization, &request);
        assert_eq!((status, &entry["tokenGeneration"], &entry["body"]), (401, &json!(1), &json!(null)));
    }
    assert_eq!(entries(&organization) - before, 700);
    let text = Some("expired".to_owned());
    let found = search(&organization.store(), &LogQuery { text, limit: 500, ..LogQuery::default() }).unwrap();
    assert_eq!(found.entries.len(), 500);
}
