//! `host/examples/wasi-http`: the component behind `wasi:http`. Identity providers can provision into it, changes that
//! it has acknowledged survive `kill -9`, and two hosts on one folder do not overwrite each other's changes.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::scim::USER;
use insomnia_scim_tests::{component, server};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::example::{self, Copied};
use super::{PATIENCE, says, succeeds};
use crate::python::node;

const ADMIN_TOKEN: &str = "the-operator-of-these-tests-has-this-token";

#[test]
fn identity_providers_provision_over_wasi_http_through_kill_9_and_into_two_hosts_at_once() {
    let component = Composed::new();
    let data = TempDir::new().unwrap();
    let mut host = component.serve(data.path());
    let stranger = Client::bare(&host.url);
    stranger.post("/admin/token", json!({"identityProvider": "okta"})).is(401);
    stranger.get("/scim/v2/other/Users").is(404);

    let acme = json!({
        "name": "Acme", "seats": 50, "domains": ["acme.example"], "singleSignOn": "okta",
        "owner": {"email": "owner@acme.example", "displayName": "Olive Owner"},
    });
    let operator = host.operator();
    operator.post("/admin/token", json!({"identityProvider": "okta", "days": 90})).is(409);
    operator.put("/admin/organization", acme.clone()).is(200);
    let issued = operator.post("/admin/token", json!({"identityProvider": "okta", "days": 90})).is(200).json();
    let (url, token) = (text(&issued["connectorUrl"]), text(&issued["token"]));
    assert_eq!(url, format!("{}/scim/v2/acme", host.url));
    succeeds(&example::identity_providers(&url, &token, &[]));
    // Jobs are run after the answers, or when the operator's timer calls: a member who stays gets the passphrase by email.
    let mail = data.path().join("mail");
    let begin = Instant::now();
    while !says(&mail, "stays@acme.example") {
        assert!(begin.elapsed() < PATIENCE, "no email has come into {}", mail.display());
        operator.post("/admin/jobs", Vec::new()).is(200);
        thread::sleep(Duration::from_millis(50));
    }
    // Acknowledged, and so not lost.
    let ada = Client::new(&url, &token).post("/Users", user("ada@acme.example")).is(201).json()["id"].clone();
    host.kill();

    let hosts = [component.serve(data.path()), component.serve(data.path())];
    let connectors = hosts.each_ref().map(|host| format!("{}/scim/v2/acme", host.url));
    for (connector, host) in connectors.iter().zip(&hosts) {
        succeeds(&example::identity_providers(connector, &token, &["--again"]));
        Client::new(connector, &token).get(&format!("/Users/{}", text(&ada))).is(200);
        // What is there already stays as it is.
        host.operator().put("/admin/organization", acme.clone()).is(200);
    }
    // Each commit of one host is behind the back of the other. More of them than one epoch has.
    let writers: Vec<_> = (0..2)
        .map(|host| {
            let client = Client::new(&connectors[host], &token);
            thread::spawn(move || {
                for number in 0..20 {
                    client.post("/Users", user(&format!("writer{host}.{number}@acme.example"))).is(201);
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    for connector in &connectors {
        let client = Client::new(connector, &token);
        let found = client.get("/Users?filter=userName%20sw%20%22writer%22&count=100").is(200).json();
        assert_eq!(found["totalResults"], 40);
    }
    let current = std::fs::read_to_string(data.path().join("organization/current")).unwrap();
    assert!(current.parse::<u64>().unwrap() >= 2, "there were enough commits for a second epoch: {current}");
}

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name, "emails": [{"value": name, "primary": true}]})
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The component, and the example's host of `wasi:http` in a folder where Node finds npm's packages.
struct Composed {
    host: Copied,
    component: PathBuf,
}

impl Composed {
    fn new() -> Self {
        let host = Copied::new("wasi-http");
        let component = host.folder().join("insomnia_scim_http.wasm");
        let compose = server::binary().with_file_name("insomnia-scim-compose");
        assert!(compose.is_file(), "{} is not there: run `cargo build --bins` first", compose.display());
        let mut command = Command::new(compose);
        // The same component as in all other tests.
        let command = command.arg(&component).env("INSOMNIA_SCIM_PREBUILT_COMPONENT", component::built());
        succeeds(&command.output().expect("the program starts"));
        Self { host, component }
    }

    fn serve(&self, data: &Path) -> Serving {
        let mut process = Command::new(node())
            .args([&self.host.folder().join("serve.js"), &self.component])
            .arg(data)
            .arg("127.0.0.1:0")
            .env("INSOMNIA_SCIM_ORGANIZATION", "acme")
            .env("INSOMNIA_SCIM_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("INSOMNIA_SCIM_SECRETS_KEY", "0f".repeat(32))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the host starts");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().expect("the host ended early").unwrap();
        let url = line.strip_prefix("serving ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Serving { process, url }
    }
}

/// A running host. Killed when dropped.
struct Serving {
    process: Child,
    url: String,
}

impl Serving {
    fn operator(&self) -> Client {
        let client = Client::bare(&self.url).content_type("application/json");
        client.header("Authorization", &format!("Bearer {ADMIN_TOKEN}"))
    }

    /// Ends it as `kill -9` does.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
