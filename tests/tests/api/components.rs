//! Components: the operator stores them, pins organizations to them, and tries one as a canary.

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::shared;
use serde_json::json;

use crate::api::caller::{Organization, gone, nobody, ok, operator, problem};

/// The SHA-256 of `text`.
const TEXT: &str = "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1";

fn put(id: &str, media: &str) -> Request {
    Request::new("PUT", &format!("/components/{id}?name=text")).header("Content-Type", media).body("text")
}

#[test]
fn what_is_no_component_is_not_stored_and_told_why() {
    let operator = operator();
    let known = problem(&operator.send(&put(TEXT, "application/wasm")), 422, "invalid");
    assert!(known["detail"].as_str().is_some_and(|detail| detail.contains("not a WebAssembly component")), "{known}");
    let other = TEXT.replace('9', "8");
    let refused = problem(&operator.send(&put(&other, "application/wasm")), 422, "invalid");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("SHA-256")), "{refused}");
    problem(&operator.send(&put("text", "application/wasm")), 404, "not-found");
    problem(&operator.send(&put(TEXT, "text/plain")), 415, "unsupported-media-type");
    let key = text(&shared().command(&["api-key", "create", "untyped", "--operator"]), "secret");
    let untyped = Client::bare(&nobody().url()).header("Authorization", &format!("Bearer {key}"));
    let untyped = untyped.send(&Request::new("PUT", &format!("/components/{TEXT}")).body("text"));
    assert_eq!(problem(&untyped, 422, "invalid")["detail"], known["detail"], "bytes without a media type are bytes");
    problem(&operator.delete(&format!("/components/{TEXT}")), 404, "not-found");
    let listed = ok(&operator.get("/components"));
    assert!(listed["items"].as_array().is_some_and(|items| items.iter().all(|item| item["id"] != TEXT)), "{listed}");
}

#[test]
fn an_organization_sees_what_it_runs_and_the_operator_alone_changes_it() {
    let organization = Organization::new("component");
    let shown = ok(&organization.get("/component"));
    assert!(shown["runs"].as_str().is_some_and(|runs| runs.starts_with("built-in@")), "{shown}");
    assert_eq!((&shown["pinned"], &shown["can_be_rolled_back"]), (&json!(null), &json!(false)));
    problem(&organization.put("/component", json!({"component": "default"})), 403, "forbidden");
    let path = organization.at("/component");
    problem(&operator().put(&path, json!({"component": "former"})), 409, "conflict");
    for unknown in [TEXT, "latest"] {
        let refused = problem(&operator().put(&path, json!({"component": unknown})), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!("/component"));
    }
    assert_eq!(ok(&operator().put(&path, json!({"component": "default"}))), shown);
}

#[test]
fn a_canary_needs_a_stored_component_and_a_share() {
    let operator = operator();
    let unknown = problem(&operator.put("/canary", json!({"component": TEXT, "percent": 5})), 422, "invalid");
    assert_eq!(unknown["errors"][0]["pointer"], json!("/component"));
    let share = problem(&operator.put("/canary", json!({"component": TEXT, "percent": 0})), 422, "invalid");
    assert_eq!(share["errors"][0]["pointer"], json!("/percent"));
    problem(&operator.get("/canary"), 404, "not-found");
    gone(&operator.delete("/canary"));
}
