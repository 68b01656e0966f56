//! An organization can't use more than its quotas allow. It is told which quota it has used up, and no other
//! organization notices.

use std::thread;
use std::time::Duration;

use insomnia_scim_tests::client::{Client, Request, Response};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{PATCH, id};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, shared};
use serde_json::{Value, json};

fn organization(name: &str, quota: &str) -> (Connector, Client) {
    let connector = shared().another_organization(&unique(name));
    shared().command(&["org", "set", &connector.organization, "--quota", quota]);
    let client = connector.client();
    (connector, client)
}

/// Asks until it is refused.
fn refused(client: &Client) -> (usize, Response) {
    for served in 0..5_000 {
        let answer = client.send(&Request::new("GET", "/Users?count=0"));
        if answer.status != 200 {
            return (served, answer);
        }
    }
    panic!("5,000 requests and no limit");
}

#[test]
fn a_flood_is_answered_429_with_whole_seconds_to_wait_and_others_are_served() {
    let (connector, client) = organization("flood", "requests-per-second=25");
    let other = shared().another_organization(&unique("calm")).client();
    let (served, answer) = refused(&client);
    assert!(served >= 250, "ten seconds' worth may come at once: {served}");
    let error = answer.error(429);
    assert!(error["detail"].as_str().is_some_and(|detail| detail.contains("requests-per-second")), "{error}");
    let wait: u64 = answer.header("Retry-After").and_then(|wait| wait.parse().ok()).expect("whole seconds");
    assert!((1..=10).contains(&wait), "{wait}");
    other.get("/Users?count=0").is(200);

    // It is visible in the organization's log, and counted.
    let log = || shared().command(&["log", "list", "--organization", &connector.organization, "--status", "4"]);
    let is_429 = |logged: &Value| logged.as_array().is_some_and(|all| all.iter().any(|one| one["status"] == 429));
    let mut logged = log();
    for _ in 0..20 {
        if is_429(&logged) {
            break;
        }
        thread::sleep(Duration::from_millis(100));
        logged = log();
    }
    assert!(is_429(&logged), "{logged}");

    // Strangers can't use the quota up: they are told that they are strangers.
    let stranger = Client::new(&connector.url, "wrong");
    for _ in 0..50 {
        stranger.get("/Users").is(401);
    }
    thread::sleep(Duration::from_secs(wait));
    client.get("/Users?count=0").is(200);

    let warned = || shared().stderr().contains("requests-per-second");
    for _ in 0..100 {
        if warned() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert!(warned(), "the operator is not told");
}

#[test]
fn whoever_keeps_to_the_limit_is_never_refused() {
    // Entra ID and Okta send up to 25 requests in a second.
    let (_, client) = organization("steady", "requests-per-second=25");
    for _ in 0..100 {
        client.get("/Users?count=0").is(200);
        thread::sleep(Duration::from_millis(40));
    }
}

#[test]
fn by_default_a_full_synchronisation_meets_no_limit() {
    let (_, client) = organization("sync", "requests-per-second=default");
    for _ in 0..1_000 {
        client.get("/Users?count=0").is(200);
    }
}

#[test]
fn a_full_organization_takes_nothing_new_and_can_still_change_and_remove() {
    let (_, client) = organization("full", "storage-bytes=2000000");
    let mut made = Vec::new();
    let answer = loop {
        let mut user = seed::user_request(&Person::new("full"));
        user["title"] = "x".repeat(10_000).into();
        let answer = client.send(&Request::new("POST", "/Users").body(user));
        if answer.status != 201 {
            break answer;
        }
        made.push(id(&answer.json()));
        assert!(made.len() < 1_000, "there is no limit");
    };
    let error = answer.error(503);
    assert!(error["detail"].as_str().is_some_and(|detail| detail.contains("storage-bytes")), "{error}");
    assert!(answer.header("Retry-After").is_some_and(|wait| wait.parse::<u64>().is_ok()), "{answer}");
    client.get(&format!("/Users/{}", made[0])).is(200);
    // Who is deactivated or removed loses the access, however full the organization is.
    let deactivate = json!({ "schemas": [PATCH], "Operations": [{ "op": "replace", "value": { "active": false } }] });
    let deactivated = client.patch(&format!("/Users/{}", made[1]), deactivate);
    assert!([200, 204].contains(&deactivated.status), "{deactivated}");
    client.delete(&format!("/Users/{}", made[0])).is(204);
}

#[test]
fn a_quota_is_set_shown_and_set_back() {
    let server = shared();
    let made = server.another_organization(&unique("shown"));
    let shown = server.command(&["org", "set", &made.organization, "--quota", "emails-per-day=7"]);
    assert_eq!(shown["quotas"]["emails-per-day"], 7, "{shown}");
    assert_eq!(shown["quotas"]["requests-per-second"], 1_000, "{shown}");
    let shown = server.command(&["org", "set", &made.organization, "--quota", "emails-per-day=default"]);
    assert_eq!(shown["quotas"]["emails-per-day"], 250_000, "{shown}");
}
