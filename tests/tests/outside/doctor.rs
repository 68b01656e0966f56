//! `doctor` tells an operator what is wrong with a server's surroundings, and what to do (P9).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use insomnia_scim_tests::server::{Server, binary};
use serde_json::Value;

fn doctor(data: &std::path::Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.arg("doctor").arg("--data").arg(data).args(arguments).stdin(Stdio::null());
    command.output().expect("the binary runs")
}

/// What was found about one thing: its state, and the text.
fn found(output: &Output, check: &str) -> (String, String) {
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let checks = told["checks"].as_array().expect("checks");
    let finding = checks.iter().find(|finding| finding["check"] == check).expect("the check");
    let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    (text("state"), format!("{} {}", text("found"), text("advice")))
}

#[test]
fn p9_all_that_a_running_server_needs_is_found_good_beside_it() {
    let server = Server::start();
    let private = fs::Permissions::from_mode(0o700);
    fs::set_permissions(server.data(), private).expect("the permissions of the directory");
    let base_url = server.demo().connector_url.split("/scim/").next().unwrap_or_default().to_owned();
    let output = doctor(server.data(), &["--json", "--base-url", &base_url]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    for check in ["data", "host key", "database", "clock", "component", "base URL"] {
        let (state, text) = found(&output, check);
        assert_eq!(state, "good", "{check}: {text}");
    }
    let output = doctor(server.data(), &["--json"]);
    let (state, text) = found(&output, "base URL");
    assert!(state == "warning" && text.contains("of the last server"), "it is noted in the data: {state}: {text}");
    // Nobody has set a mail server.
    let (state, text) = found(&output, "mail");
    assert!(state == "warning" && text.contains("--smtp-url"), "{state}: {text}");
    let (state, text) = found(&output, "alerts");
    assert!(state == "warning" && text.contains("--alert-mail"), "nobody is told: {state}: {text}");
    let output = doctor(server.data(), &["--json", "--alert-mail", "ops@example.com"]);
    assert_eq!(found(&output, "alerts").0, "good");
}

#[test]
fn p9_a_lost_key_a_spoilt_database_and_a_mail_server_that_is_not_there_are_named_with_what_to_do() {
    let mut server = Server::start();
    server.stop();
    let smtp = ["--json", "--smtp-url", "smtp://127.0.0.1:1?tls=none", "--mail-from", "no-reply@example.com"];
    let output = doctor(server.data(), &smtp);
    assert_eq!(output.status.code(), Some(1));
    let (state, text) = found(&output, "mail");
    assert!(state == "bad" && text.contains("127.0.0.1:1"), "{state}: {text}");
    fs::remove_file(server.data().join("secret.key")).expect("the key is there");
    let database = server.data().join("insomnia-scim.db");
    let mut bytes = fs::read(&database).expect("the database");
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xa5);
    fs::write(&database, bytes).expect("the spoilt database");
    let output = doctor(server.data(), &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    for check in ["host key", "database", "component"] {
        let (state, text) = found(&output, check);
        assert!(state == "bad" && !text.trim().is_empty(), "{check}: {state}: {text}");
    }
    assert!(found(&output, "host key").1.contains("backup"));
}

#[test]
fn p9_a_database_that_is_not_there_is_told_as_the_database_and_not_as_the_component() {
    let data = tempfile::tempdir().expect("a directory");
    let output = doctor(data.path(), &["--json", "--storage", "postgres://scim@127.0.0.1:1/insomnia"]);
    assert_eq!(output.status.code(), Some(1));
    let (state, text) = found(&output, "database");
    assert!(state == "bad" && text.contains("can't be reached"), "{state}: {text}");
    assert!(text.contains("look whether PostgreSQL runs there"), "what to do is not said: {text}");
    let (state, text) = found(&output, "component");
    assert!(state == "warning" && text.contains("not looked at"), "{state}: {text}");
}
