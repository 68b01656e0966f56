//! `test-connector` tells an administrator whether a connector works, and shows what does not (P9).

use std::io::Write;
use std::process::{Command, Output, Stdio};

use insomnia_scim_tests::server::{binary, shared};
use serde_json::Value;

/// Runs the command on a connector; the token comes by standard input.
fn tried(url: &str, token: &str, arguments: &[&str]) -> Output {
    let mut child = Command::new(binary())
        .args(["test-connector", url])
        .args(arguments)
        .env_remove("INSOMNIA_SCIM_TOKEN")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("its input").write_all(token.as_bytes()).expect("the token is written");
    child.wait_with_output().expect("its end")
}

#[test]
fn p9_a_connector_that_works_passes_every_step_and_keeps_no_user_of_it() {
    let client = shared().client();
    let output = tried(&client.url(), &shared().demo().token, &["--json"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(told["passed"].as_array().map(Vec::len), Some(9), "{told}");
    assert!(told["failed"].is_null(), "{told}");
    client.get("/Users?filter=userName%20sw%20%22scim-test-%22").none();
}

#[test]
fn p9_the_first_step_that_fails_is_shown_with_request_and_answer_but_without_the_token() {
    let token = "insm_scim_this_one_was_never_given";
    let output = tried(&shared().client().url(), token, &[]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("FAILED  the token opens the connector"), "{said}");
    assert!(said.contains("/ServiceProviderConfig") && said.contains("401"), "{said}");
    assert!(said.contains("expected status 200 and a ServiceProviderConfig, got status 401"), "{said}");
    assert!(!said.contains(token), "{said}");
}

#[test]
fn p9_a_connector_that_is_not_there_and_a_missing_token_are_named() {
    let output = tried("http://127.0.0.1:1/scim/v2/acme", "some-token", &[]);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!output.status.success() && said.contains("expected status 401, got no answer: "), "{said}");
    for url in ["ftp://127.0.0.1/scim", "127.0.0.1:8080/scim", "mailto:x@example.com"] {
        let said = String::from_utf8_lossy(&tried(url, "some-token", &[]).stderr).into_owned();
        assert!(said.contains("begins with https://") && said.contains("http://"), "{url}: {said}");
    }
    let output = tried("http://127.0.0.1:1/scim/v2/acme", "", &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("--token-file"), "{said}");
}
