//! A POST with an idempotency key is done once.

use std::thread;

use insomnia_scim_tests::client::{Request, Response};
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::Server;
use serde_json::{Value, json};

use crate::api::caller::{Organization, created, keyed, nobody_of, ok, problem, with};

fn teams(organization: &Organization) -> usize {
    ok(&organization.get("/teams"))["items"].as_array().map_or(0, Vec::len)
}

#[test]
fn the_same_request_gets_the_same_answer_and_is_not_done_again() {
    let organization = Organization::new("again");
    let request = keyed(&organization.at("/members"), "key-1", json!({"email": "ada@example.com"}));
    let first = organization.client.send(&request);
    let made = created(&first);
    assert_eq!(first.header("idempotency-replayed"), None);
    let second = organization.client.send(&request);
    assert_eq!(created(&second), made);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    assert_eq!(second.header("location"), first.header("location"));
    assert_ne!(second.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(ok(&organization.get("/licences"))["manual"], json!(2));
}

#[test]
fn what_is_shown_once_is_shown_again_to_the_same_request() {
    let organization = Organization::new("secret");
    let asked = json!({"identity_provider": "okta", "expires": "90d"});
    let request = keyed(&organization.at("/connector/enable"), "enable", asked);
    let first = ok(&organization.client.send(&request));
    assert_eq!(ok(&organization.client.send(&request)), first);
    let another = created(&organization.post("/api-keys", json!({"name": "other"})));
    // Another API key has keys of its own.
    let other = with(&text(&another, "secret"));
    problem(&other.send(&request), 409, "conflict");
}

#[test]
fn a_stored_answer_is_sealed() {
    let server = Server::start();
    let key = text(&server.command(&["api-key", "create", "tests", "--operator"]), "secret");
    let client = nobody_of(&server).header("Authorization", &format!("Bearer {key}"));
    let request = keyed("/api-keys", "make", json!({"name": "made"}));
    let secret = text(&created(&client.send(&request)), "secret");
    assert_eq!(text(&created(&client.send(&request)), "secret"), secret);
    for file in std::fs::read_dir(server.data()).expect("the data directory").flatten() {
        let Ok(bytes) = std::fs::read(file.path()) else { continue };
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{:?}", file.path());
    }
}

#[test]
fn a_stored_answer_survives_kill_9() {
    let mut server = Server::start();
    let key = text(&server.command(&["api-key", "create", "tests", "--operator"]), "secret");
    let request = keyed("/organizations/demo/teams", "make", json!({"name": "Kept"}));
    let client = |server: &Server| nobody_of(server).header("Authorization", &format!("Bearer {key}"));
    let first = created(&client(&server).send(&request));
    server.kill();
    server.start_again();
    assert_eq!(created(&client(&server).send(&request)), first);
}

#[test]
fn the_key_with_another_request_is_422() {
    let organization = Organization::new("reused");
    let path = organization.at("/teams");
    created(&organization.client.send(&keyed(&path, "k", json!({"name": "One"}))));
    problem(&organization.client.send(&keyed(&path, "k", json!({"name": "Two"}))), 422, "idempotency-key-reused");
    let elsewhere = keyed(&organization.at("/members"), "k", json!({"name": "One"}));
    problem(&organization.client.send(&elsewhere), 422, "idempotency-key-reused");
    assert_eq!(teams(&organization), 1);
}

#[test]
fn a_refusal_is_not_kept() {
    let organization = Organization::new("refusal");
    let path = organization.at("/teams");
    let request = keyed(&path, "k", json!({"name": "Team", "members": ["late@example.com"]}));
    problem(&organization.client.send(&request), 404, "not-found");
    created(&organization.post("/members", json!({"email": "late@example.com"})));
    let first = created(&organization.client.send(&request));
    assert_eq!(created(&organization.client.send(&request)), first);
    created(&organization.client.send(&keyed(&path, "other", json!({"name": "Other"}))));
}

#[test]
fn of_the_same_request_at_the_same_time_one_is_done() {
    let organization = Organization::new("parallel");
    let request = keyed(&organization.at("/teams"), "at once", json!({"name": "Once"}));
    problem(&organization.client.send(&request), 400, "bad-request");
    let request = keyed(&organization.at("/teams"), "at-once", json!({"name": "Once"}));
    let answers: Vec<Response> = thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                let (client, request) = (organization.client.clone(), &request);
                scope.spawn(move || client.send(request))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    let mut made: Vec<Value> = Vec::new();
    for answer in &answers {
        match answer.status {
            201 => made.push(created(answer)),
            _ => {
                problem(answer, 409, "request-in-progress");
                assert!(answer.header("retry-after").is_some(), "{answer}");
            }
        }
    }
    assert!(!made.is_empty() && made.iter().all(|team| *team == made[0]), "{made:?}");
    let done = answers.iter().filter(|answer| answer.status == 201 && answer.header("idempotency-replayed").is_none());
    assert_eq!(done.count(), 1);
    assert_eq!(teams(&organization), 1);
}

#[test]
fn different_requests_at_the_same_time_are_all_done() {
    let organization = Organization::new("many");
    thread::scope(|scope| {
        for number in 0..12 {
            let client = organization.client.clone();
            let request =
                keyed(&organization.at("/teams"), &format!("k{number}"), json!({"name": format!("T{number}")}));
            scope.spawn(move || created(&client.send(&request)));
        }
    });
    assert_eq!(teams(&organization), 12);
}

#[test]
fn what_is_no_idempotency_key_is_400() {
    let organization = Organization::new("nokey");
    let path = organization.at("/teams");
    for key in ["", "\"\"", "a b", &"x".repeat(256), "ü"] {
        let refused = problem(&organization.client.send(&keyed(&path, key, json!({"name": "x"}))), 400, "bad-request");
        assert_eq!(refused["errors"][0]["parameter"], json!("Idempotency-Key"));
    }
    let twice = keyed(&path, "a", json!({"name": "x"})).header("idempotency-key", "b");
    problem(&organization.client.send(&twice), 400, "bad-request");
    assert_eq!(teams(&organization), 0);
    // As the draft has it, quoted, it is the same key as without the quotes.
    let quoted = created(&organization.client.send(&keyed(&path, "\"q\"", json!({"name": "q"}))));
    assert_eq!(created(&organization.client.send(&keyed(&path, "q", json!({"name": "q"})))), quoted);
}

#[test]
fn an_idempotency_key_needs_an_api_key() {
    let organization = Organization::new("anonymous");
    let request = keyed(&organization.at("/teams"), "k", json!({"name": "x"}));
    problem(&crate::api::caller::nobody().send(&request), 401, "unauthorized");
    let foreign = Organization::new("foreign");
    problem(&foreign.client.send(&request), 403, "forbidden");
}

#[test]
fn other_methods_do_not_look_at_the_key() {
    let organization = Organization::new("methods");
    let get = Request::new("GET", &organization.at("/teams")).header("Idempotency-Key", "a b");
    let _ = ok(&organization.client.send(&get));
}
