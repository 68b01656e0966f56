//! Receivers of SCIM events (RFC 9967) over HTTP. They poll for tokens (RFC 8936), and verify them with a JWT library
//! that others wrote.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use insomnia_scim_tests::client::{Client, Request, Response};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{BULK, id, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, shared};
use serde_json::{Value, json};

use crate::python::tool;

const AUDIENCE: &str = "https://rp.example/7";

/// An organization with a stream whose receiver polls: the stream as the command line prints it, with its token.
fn organization(name: &str) -> (Connector, Value) {
    let connector = shared().another_organization(&unique(name));
    let stream = shared().command(&[
        "stream",
        "add",
        "Backend",
        "--audience",
        AUDIENCE,
        "--organization",
        &connector.organization,
        "--detail",
        "full",
    ]);
    (connector, stream)
}

fn poll_with(connector: &Connector, stream: &Value, token: Option<&str>, body: &Value) -> Response {
    let path = format!("/streams/{}/poll", text(stream, "id"));
    let request = Request::new("POST", &path).header("Content-Type", "application/json").body(body.to_string());
    let client = Client::bare(&connector.url);
    match token {
        Some(token) => client.header("Authorization", &format!("Bearer {token}")).send(&request),
        None => client.send(&request),
    }
}

fn poll(connector: &Connector, stream: &Value, body: Value) -> Value {
    let response = poll_with(connector, stream, Some(&text(stream, "token")), &body);
    response.is(200).json()
}

/// The claims of these tokens, verified by the key set that the server serves.
fn verified(stream: &Value, sets: &Value) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("receiver/verify.py");
    let mut process = Command::new(tool("python"))
        .arg(script)
        .args([text(stream, "jwks_url"), AUDIENCE.to_owned(), text(stream, "issuer")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs");
    process.stdin.take().expect("a pipe").write_all(sets.to_string().as_bytes()).expect("the tokens are written");
    let output = process.wait_with_output().expect("Python ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("a list of claims")
}

#[test]
fn p6_a_receiver_that_polls_verifies_what_it_is_told_by_the_served_keys() {
    let (connector, stream) = organization("polls");
    let client = connector.client();
    assert_eq!(poll(&connector, &stream, json!({"returnImmediately": true})), json!({"sets": {}}));
    let person = Person::new(&unique("told"));
    let user = client.post("/Users", seed::user_request(&person)).is(201).json();
    let path = format!("/Users/{}", id(&user));
    let changed = client.patch(&path, patch(json!({"op": "replace", "path": "active", "value": false})));
    changed.is(200);
    let answer = poll(&connector, &stream, json!({"returnImmediately": true}));
    let claims = verified(&stream, &answer["sets"]);
    let created = &claims[0]["events"]["urn:ietf:params:scim:event:prov:create:full"];
    assert_eq!((claims.len(), &created["data"]["userName"]), (2, &user["userName"]));
    assert_eq!((&created["version"], &created["data"]["meta"]), (&user["meta"]["version"], &user["meta"]));
    assert_eq!(claims[1]["txn"].as_str(), changed.header("x-request-id"));
    assert!(claims[1]["events"].get("urn:ietf:params:scim:event:prov:deactivate").is_some(), "{claims:?}");
    let config = client.get("/ServiceProviderConfig").is(200).json();
    assert_eq!(config["securityEvents"]["eventUris"].as_array().map(Vec::len), Some(11));

    let of = ["--organization", &connector.organization];
    shared().command(&[&["stream", "rotate-key"], &of[..]].concat());
    let again = poll(&connector, &stream, json!({"returnImmediately": true}));
    assert_ne!(again, answer, "signed by the new key");
    assert_eq!(verified(&stream, &again["sets"]), claims);
    assert_eq!(verified(&stream, &answer["sets"]), claims, "the old key verifies still");
    let ids: Vec<&Value> = claims.iter().map(|claims| &claims["jti"]).collect();
    assert_eq!(poll(&connector, &stream, json!({"ack": ids, "returnImmediately": true})), json!({"sets": {}}));

    let audit = shared().command(&[&["audit", "list"], &of[..]].concat());
    let acts: Vec<String> = audit.as_array().into_iter().flatten().map(|entry| text(entry, "act")).collect();
    for act in ["stream.add", "stream.rotate-signing-key"] {
        assert!(acts.iter().any(|known| known == act), "{act}: {acts:?}");
    }
    let token = text(&stream, "token");
    let stream_id = text(&stream, "id");
    shared().command(&[&["stream", "rotate-token", &stream_id], &of[..]].concat());
    poll_with(&connector, &stream, Some(&token), &json!({})).is(401);
    shared().command(&[&["stream", "remove", &stream_id], &of[..]].concat());
    assert_eq!(shared().command(&[&["stream", "list"], &of[..]].concat()), json!([]));
}

#[test]
fn p6_a_receiver_that_waits_is_woken_by_a_change() {
    let (connector, stream) = organization("waits");
    let answer = thread::scope(|scope| {
        let waiting = scope.spawn(|| poll(&connector, &stream, json!({"maxEvents": 5})));
        thread::sleep(Duration::from_millis(500));
        assert!(!waiting.is_finished(), "there is nothing yet");
        connector.client().post("/Users", seed::user_request(&Person::new(&unique("wakes")))).is(201);
        waiting.join().expect("an answer")
    });
    assert_eq!(answer["sets"].as_object().map(serde_json::Map::len), Some(1), "{answer}");
}

/// Whoever has no token learns neither whether there is such a stream nor such an organization.
#[test]
fn p6_strangers_can_not_tell_organizations_and_streams_apart() {
    let (connector, stream) = organization("strange");
    let nowhere = Connector {
        url: connector.url.replace(&connector.organization, "nobody-has-this-name"),
        organization: String::new(),
        token: String::new(),
    };
    let unknown = json!({"id": "0190a6f0-0000-7000-8000-000000000001"});
    let said = |connector: &Connector, stream: &Value, token: Option<&str>| {
        let response = poll_with(connector, stream, token, &json!({"returnImmediately": true}));
        let challenge = response.header("www-authenticate").map(str::to_owned);
        let keys = Client::bare(&connector.url).get(&format!("/streams/{}/jwks", text(&unknown, "id"))).is(200).text();
        (response.is(401).text(), challenge, keys)
    };
    let expected = said(&nowhere, &unknown, Some("x"));
    assert!(expected.1.is_some() && expected.2 == r#"{"keys":[]}"#, "{expected:?}");
    for (connector, stream) in [(&connector, &stream), (&connector, &unknown), (&nowhere, &stream)] {
        for token in [None, Some("x"), Some(connector.token.as_str())] {
            assert_eq!(said(connector, stream, token), expected);
        }
    }
    let (other, _) = organization("other");
    assert_eq!(said(&other, &stream, Some(&text(&stream, "token"))), expected, "a stream of another organization");
    let keys = Client::bare(&connector.url).get(&format!("/streams/{}/jwks", text(&stream, "id")));
    assert_eq!(keys.header("content-type"), Some("application/jwk-set+json"));
    assert!(keys.is(200).json()["keys"][0].get("d").is_none());
    let wrong = Client::bare(&connector.url).get(&format!("/streams/{}/poll", text(&stream, "id")));
    assert_eq!(wrong.is(405).header("allow"), Some("POST"));
    let large = json!({"ack": ["x".repeat(70_000)]});
    poll_with(&connector, &stream, Some(&text(&stream, "token")), &large).is(413);
}

#[test]
fn rfc_129_an_asynchronous_request_is_answered_at_once_and_told_when_it_is_done() {
    let (connector, stream) = organization("later");
    let client = connector.client();
    let person = Person::new(&unique("later"));
    let post = json!({"method": "POST", "path": "/Users", "bulkId": "one", "data": seed::user_request(&person)});
    let body = json!({"schemas": [BULK], "Operations": [post, {"method": "DELETE", "path": "/Users/nobody"}]});
    let request = |prefer: &str| Request::new("POST", "/Bulk").header("Prefer", prefer).body(body.clone());
    let accepted = client.send(&request("respond-async, wait=0"));
    assert_eq!(accepted.is(202).text(), "");
    assert_eq!(accepted.header("preference-applied"), Some("respond-async"));
    let transaction = accepted.header("set-txn").expect("a transaction").to_owned();
    let location = accepted.header("location").expect("a location").to_owned();
    assert!(location.starts_with(&connector.url) && location.ends_with(&transaction), "{location}");

    let mut told = Vec::new();
    while told.len() < 2 {
        let answer = poll(&connector, &stream, json!({}));
        let claims = verified(&stream, &answer["sets"]);
        let ids: Vec<&Value> = claims.iter().map(|claims| &claims["jti"]).collect();
        poll(&connector, &stream, json!({"ack": ids, "returnImmediately": true, "maxEvents": 0}));
        let response = |claims: &Value| {
            let operation = claims["events"].get("urn:ietf:params:scim:event:misc:asyncresp")?;
            Some((text(claims, "txn"), text(operation, "status")))
        };
        told.extend(claims.iter().filter_map(response));
    }
    let expected =
        [(0, "201"), (1, "404")].map(|(index, status)| (format!("{transaction}:{index}"), status.to_owned()));
    assert_eq!(told, expected);
    let path = location.strip_prefix(&connector.url).expect("a path");
    let done = client.get(path);
    assert_eq!(done.is(200).json()["sets"].as_object().map(serde_json::Map::len), Some(2));
    let one = client.get(&format!("{path}:1"));
    assert_eq!(one.is(200).header("content-type"), Some("application/secevent+jwt"));
    let claims = verified(&stream, &json!({ format!("{transaction}:1"): one.text() }));
    assert_eq!(text(&claims[0], "txn"), format!("{transaction}:1"));
    Client::bare(&connector.url).get(path).is(401);

    let at_once = client.send(&request("respond-async, wait=60"));
    assert_eq!(at_once.document(200)["Operations"][0]["status"], "409", "it is there already");
    assert!(at_once.header("preference-applied").is_none());
}
