//! `host/examples/backend`: identity providers provision into it, and its own tables follow, through `kill -9`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::{Client, encode};
use insomnia_scim_tests::scim::{GROUP, PATCH, USER};
use insomnia_scim_tests::server;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PATIENCE, example, succeeds};

/// Compiled code, for all tests of this build.
const COMPILED: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/backend-compiled");
const OWNER: &str = "owner@acme.example";

#[test]
fn accounts_of_the_example_backend_follow_what_identity_providers_do_through_kill_9() {
    let data = TempDir::new().unwrap();
    let mut backend = Backend::start(data.path());
    let (passphrase, token) = (backend.says("passphrase "), backend.says("token "));
    succeeds(&example::identity_providers(&backend.connector_url(), &token, &[]));
    let cookie = backend.sign_in(&passphrase);
    backend.shows(&cookie, |people| emails(people).contains(&"stays@acme.example"));

    let client = Client::new(&backend.connector_url(), &token);
    let ada = json!({"schemas": [USER], "userName": "ada@acme.example", "displayName": "Ada"});
    let ada = client.post("/Users", ada).is(201).json()["id"].clone();
    let team = json!({"schemas": [GROUP], "displayName": "Engineering", "members": [{"value": ada}]});
    client.post("/Groups", team).is(201);
    // Acknowledged, and perhaps not yet told.
    backend.kill();

    let backend = Backend::start(data.path());
    succeeds(&example::identity_providers(&backend.connector_url(), &token, &["--again"]));
    // The session is the backend's own, and still there.
    backend.shows(&cookie, |people| {
        let ada = people.iter().find(|person| person["email"] == "ada@acme.example");
        ada.is_some_and(|ada| ada["name"] == "Ada" && ada["teams"] == json!(["Engineering"]))
    });
    let client = Client::new(&backend.connector_url(), &token);
    let off = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": false}]});
    client.patch(&format!("/Users/{}", ada.as_str().unwrap()), off).is(200);
    backend.shows(&cookie, |people| !emails(people).contains(&"ada@acme.example"));

    // In the end both know the same people; the owner is nobody whom SCIM manages.
    let users = client.get("/Users?filter=active%20eq%20true&count=1000").is(200).json();
    let mut known: Vec<String> = users["Resources"].as_array().unwrap().iter().map(address).collect();
    known.sort();
    backend.shows(&cookie, |people| {
        let mut mirrored = emails(people);
        mirrored.retain(|email| *email != OWNER);
        mirrored.sort_unstable();
        mirrored == known
    });
}

#[test]
fn the_page_of_the_example_backend_opens_by_the_backends_own_sessions() {
    let data = TempDir::new().unwrap();
    let backend = Backend::start(data.path());
    let passphrase = backend.says("passphrase ");
    let visitor = Client::bare(&backend.url);
    let sent_away = visitor.get("/organizations/acme/scim");
    assert_eq!(sent_away.is(303).header("location"), Some("/acme/sign-in?then=%2Forganizations%2Facme%2Fscim"));
    let form = |passphrase: &str| format!("email={}&passphrase={}", encode(OWNER), encode(passphrase));
    let visitor = visitor.content_type("application/x-www-form-urlencoded");
    visitor.post("/acme/sign-in", form("wrong wrong wrong")).is(422);
    // Another host is no place to go to.
    let elsewhere = visitor.post("/acme/sign-in?then=%2F%2Fevil.example", form(&passphrase));
    assert_eq!(elsewhere.is(303).header("location"), Some("/acme/people"));

    let cookie = backend.sign_in(&passphrase);
    let owner = Client::bare(&backend.url).header("Cookie", &cookie);
    assert!(owner.get("/organizations/acme/scim").is(200).text().contains("Acme"));
    owner.get("/acme/sign-out").is(303);
    owner.get("/organizations/acme/scim").is(303);
}

/// The example as a program. Killed when dropped.
struct Backend {
    process: Child,
    url: String,
    /// What it printed before it served.
    printed: Vec<String>,
}

impl Backend {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(program());
        let command = command.arg(data).args(["127.0.0.1:0", COMPILED]).stdout(Stdio::piped());
        // Whatever happens, it ends with this.
        let process = command.spawn().expect("the example starts");
        let mut backend = Self { process, url: String::new(), printed: Vec::new() };
        for line in BufReader::new(backend.process.stdout.take().unwrap()).lines().map(Result::unwrap) {
            if let Some(url) = line.strip_prefix("serving ") {
                url.trim_end_matches('/').clone_into(&mut backend.url);
                return backend;
            }
            backend.printed.push(line);
        }
        panic!("the example ended: {:?}", backend.printed);
    }

    /// What follows the word in what it printed.
    fn says(&self, word: &str) -> String {
        let found = self.printed.iter().find_map(|line| line.split_once(word));
        found.map_or_else(|| panic!("no {word:?} in {:?}", self.printed), |(_, value)| value.to_owned())
    }

    fn connector_url(&self) -> String {
        format!("{}/scim/v2/acme", self.url)
    }

    /// Signs the owner in, and returns the cookie.
    fn sign_in(&self, passphrase: &str) -> String {
        let visitor = Client::bare(&self.url).content_type("application/x-www-form-urlencoded");
        let form = format!("email={}&passphrase={}", encode(OWNER), encode(passphrase));
        let answer = visitor.post("/acme/sign-in", form);
        answer.is(303).header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }

    /// Waits until the people that the backend shows are these.
    fn shows(&self, cookie: &str, right: impl Fn(&[Value]) -> bool) {
        let client = Client::bare(&self.url).header("Cookie", cookie);
        let begin = Instant::now();
        loop {
            let people = client.get("/acme/people").is(200).json()["people"].as_array().unwrap().clone();
            if right(&people) {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "{people:?}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it as `kill -9` does.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program, which cargo builds beside the server.
fn program() -> PathBuf {
    let program = server::binary().with_file_name("examples").join("backend");
    assert!(program.is_file(), "{} is not there: run `cargo build --examples` first", program.display());
    program
}

fn emails(people: &[Value]) -> Vec<&str> {
    people.iter().filter_map(|person| person["email"].as_str()).collect()
}

/// The address by which the backend knows a user.
fn address(user: &Value) -> String {
    let emails = user["emails"].as_array().map_or(&[][..], Vec::as_slice);
    let primary = emails.iter().find(|email| email["primary"] == true).or(emails.first());
    primary.map_or(&user["userName"], |email| &email["value"]).as_str().unwrap().to_owned()
}
