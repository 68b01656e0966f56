//! The operator is told of what needs a person, by email and webhook, when it begins and when it is over (P9).

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::thread;

use insomnia_scim_tests::client::{Client, Request, encode};
use insomnia_scim_tests::scim::{id, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, Surroundings};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::outside::commands::{receiver, soon};

const OPERATOR: &str = "ops@example.com";
/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9/hook";

/// The configuration of a server that looks every second and finds every disk too small, what is posted to its operator, and the
/// folder with its files.
pub(crate) fn alerting() -> (PathBuf, Receiver<String>, TempDir) {
    let (port, posted) = receiver("204 No Content");
    let settings = tempfile::tempdir().expect("a directory");
    let (key, config) = (settings.path().join("key"), settings.path().join("config.toml"));
    fs::write(&key, "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n").expect("the key");
    let table = format!(
        "[http]\npermit = ['http://127.0.0.1:9']\n[alerts]\nmail = ['{OPERATOR}']\nwebhook = 'http://127.0.0.1:{port}/alerts'\n\
         webhook-secret-file = '{}'\nevery-seconds = 1\ndisk-free-mib = 1000000000\n",
        key.display()
    );
    fs::write(&config, table).expect("the configuration");
    (config, posted, settings)
}

/// The alerts in a request of the webhook: cause, organization or host, and what is said of it.
pub(crate) fn alerts(request: &str) -> Vec<(String, String, String)> {
    let (head, body) = request.split_once("\r\n\r\n").expect("a body");
    for field in ["webhook-id: ", "webhook-timestamp: ", "webhook-signature: v1,"] {
        assert!(head.to_lowercase().contains(field), "{field} is missing: {head}");
    }
    let body: Value = serde_json::from_str(body).expect("JSON");
    let alerts = body["data"]["alerts"].as_array().expect("alerts").clone();
    let one = |alert: &Value| {
        let subject = if alert["organization"].is_string() { "organization" } else { "host" };
        (text(alert, "cause"), text(alert, subject), text(alert, "state"))
    };
    alerts.iter().map(one).collect()
}

/// The subjects of the emails to the operator.
fn subjects(server: &Server) -> Vec<String> {
    let Ok(folder) = fs::read_dir(server.data().join("mail").join("_host")) else { return Vec::new() };
    let read = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        path.extension().filter(|extension| *extension == "eml")?;
        let letter = fs::read_to_string(path).ok()?;
        assert!(letter.contains(&format!("\nTo: {OPERATOR}\r")), "{letter}");
        letter.lines().find_map(|line| line.strip_prefix("Subject: ")).map(str::to_owned)
    };
    folder.filter_map(read).collect()
}

/// Somebody guesses: 20 wrong sign-ins, from as many addresses.
fn guess(server: &Server) {
    thread::scope(|scope| {
        for number in 0..20 {
            scope.spawn(move || {
                let form = format!("email={}&passphrase=wrong", encode(&format!("guessed-{number}@demo.example")));
                let request = Request::new("POST", "/sign-in")
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .header("X-Forwarded-For", &format!("192.0.2.{number}"))
                    .body(form);
                Client::bare(&server.demo().page_url).send(&request).is(422);
            });
        }
    });
}

#[test]
fn p9_what_needs_a_person_is_told_to_the_operator_once_and_told_to_be_over_also_after_a_kill() {
    let (config, posted, _settings) = alerting();
    let mut server = Server::start_in(&Surroundings { config: Some(config), ..Surroundings::default() }, &[]);
    let (demo, client) = (server.demo().organization.clone(), server.client());
    let of = ["--organization", demo.as_str()];
    let users = ["one", "two"].map(|name| id(&seed::someone(&client, name)));
    server.command(&[&["guard", "set", "--number", "1"], &of[..]].concat());
    for user in &users {
        let replace = json!({ "op": "replace", "path": "active", "value": false });
        client.patch(&format!("/Users/{user}"), patch(replace));
    }
    server.command(&[&["webhook", "set", NOWHERE], &of[..]].concat());
    let pushed = ["stream", "add", "Backend", "--audience", "https://rp.example/9", "--push-url", NOWHERE];
    server.command(&[&pushed[..], &of[..]].concat());
    server.command(&["org", "set", &demo, "--seats", "1"]);
    let poor = server.another_organization("poor");
    server.command(&["org", "set", &poor.organization, "--quota", "emails-per-day=1"]);
    guess(&server);
    // What is pushed to the stream.
    client.patch(&format!("/Users/{}", users[0]), patch(json!({ "op": "replace", "path": "title", "value": "x" })));

    let expected: BTreeSet<(String, String)> = [
        ("removals-held", &demo),
        ("seats-full", &demo),
        ("streams-failing", &demo),
        ("webhook-failing", &demo),
        ("wrong-sign-ins", &demo),
        ("quota-used-up", &poor.organization),
    ]
    .map(|(cause, organization)| (cause.to_owned(), organization.clone()))
    .into();
    let mut told = Vec::new();
    soon("all alerts", || {
        told.extend(posted.try_iter().flat_map(|request| alerts(&request)));
        let began = told.iter().filter(|(.., state)| state == "began");
        let began: BTreeSet<_> = began.map(|(cause, subject, _)| (cause.clone(), subject.clone())).collect();
        if began.iter().all(|(cause, _)| cause != "quota-used-up") {
            // Each is mailed, until the server has read the limit.
            seed::someone(&poor.client(), "mailed");
        }
        expected.is_subset(&began).then_some(())
    });
    let disk = told.iter().filter(|(cause, ..)| cause == "disk-nearly-full").count();
    assert_eq!(disk, 1, "{told:?}");

    let key = text(&server.command(&["api-key", "create", "tests", "--operator"]), "secret");
    let api =
        Client::bare(&format!("{}/api/v1", client.at_root().url())).header("Authorization", &format!("Bearer {key}"));
    let listed = api.get("/alerts?limit=500").is(200).json();
    let items = listed["items"].as_array().expect("items");
    for (cause, organization) in &expected {
        let is_it = |item: &&Value| item["cause"] == json!(cause) && item["organization"] == json!(organization);
        assert!(items.iter().any(|item| is_it(&item) && item["told"].is_u64()), "{cause}: {listed}");
    }
    assert!(items.iter().any(|item| item["cause"] == "disk-nearly-full" && item["host"].is_string()), "{listed}");
    let log = server.stderr();
    let lines = log.lines().filter(|line| line.contains("WARN") && line.contains("seats-full")).count();
    assert_eq!(lines, 1, "one line an hour: {log}");

    server.command(&["org", "set", &demo, "--seats", "1000"]);
    soon("the end of an alert", || {
        told.extend(posted.try_iter().flat_map(|request| alerts(&request)));
        told.iter().any(|(cause, _, state)| cause == "seats-full" && state == "over").then_some(())
    });
    server.kill();
    server.start_again();
    server.command(&["org", "set", &demo, "--seats", "1"]);
    soon("an alert after the restart", || {
        told.extend(posted.try_iter().flat_map(|request| alerts(&request)));
        (told.iter().filter(|(cause, _, state)| cause == "seats-full" && state == "began").count() == 2).then_some(())
    });
    for (cause, organization) in &expected {
        let number = if cause == "seats-full" { 2 } else { 1 };
        let began =
            told.iter().filter(|(known, subject, state)| (known, subject) == (cause, organization) && state == "began");
        assert_eq!(began.count(), number, "{cause}: {told:?}");
    }
    let test = server.command(&["alerts", "test"]);
    let taken: Vec<&Value> = test.as_array().expect("receivers").iter().map(|line| &line["taken"]).collect();
    assert_eq!(taken, [&json!(true), &json!(true)], "{test}");
    let mailed = soon("the email of the restart", || {
        let subjects = subjects(&server);
        (subjects.iter().filter(|subject| subject.contains("demo: seats-full")).count() >= 1).then_some(subjects)
    });
    assert!(mailed.iter().any(|subject| subject.contains("demo: over: seats-full")), "{mailed:?}");
    assert!(mailed.iter().any(|subject| subject.contains("test of the alerts")), "{mailed:?}");
}
