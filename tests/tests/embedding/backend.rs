//! `host/examples/backend`: identity providers provision into it, and its own tables have the same people and teams,
//! even after `kill -9`.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit as _, Mac as _};
use insomnia_scim_tests::client::{Client, encode};
use insomnia_scim_tests::scim::{GROUP, PATCH, USER};
use insomnia_scim_tests::server;
use serde_json::{Value, json};
use sha2::Sha256;
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

#[test]
fn the_page_of_the_example_backend_asks_for_the_backends_second_factor_and_not_for_a_passphrase() {
    let data = TempDir::new().unwrap();
    let mut backend = Backend::start(data.path());
    let (passphrase, token) = (backend.says("passphrase "), backend.says("token "));
    let authenticator = backend.says("authenticator ");
    backend.kill();
    let backend = Backend::start(data.path());
    assert_eq!(backend.says("authenticator "), authenticator, "nobody may have read it before");
    let secret = from_base32(authenticator.split_once("secret=").unwrap().1);
    let cookie = backend.sign_in(&passphrase);
    let owner = || Client::bare(&backend.url).header("Cookie", &cookie);
    let forms = owner().content_type("application/x-www-form-urlencoded").header("Sec-Fetch-Site", "same-origin");
    let refresh = |typed: &str| {
        let page = owner().get("/organizations/acme/scim/refresh").is(200).text();
        assert!(page.contains("Your authenticator app shows it.") && !page.contains("Your passphrase"), "{page}");
        let field = |name: &str| {
            let rest = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap().1;
            rest.split('"').next().unwrap().to_owned()
        };
        let (csrf, generation) = (field("csrf"), field("generation"));
        let form = format!("csrf={csrf}&generation={generation}&window=&overlap=0&passphrase={}", encode(typed));
        forms.post("/organizations/acme/scim/refresh", form)
    };
    for wrong in ["", "000000", &passphrase] {
        assert!(refresh(wrong).is(422).text().contains("The token was not changed."));
    }
    let users = |token: &str| Client::new(&backend.connector_url(), token).get("/Users").status;
    assert_eq!(users(&token), 200);
    let code = authenticator_code(&secret);
    let shown = refresh(&code).is(200).text();
    let begin = shown.find("insm_scim_").unwrap();
    let new: String =
        shown[begin..].chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect();
    assert_eq!((users(&token), users(&new)), (401, 200));
    assert!(refresh(&code).is(422).text().contains("was used before"), "a code is good once");
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

/// What an authenticator app shows now (RFC 6238, with SHA-256).
fn authenticator_code(secret: &[u8]) -> String {
    let step = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 30;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[31] & 0x0f);
    let part = u32::from_be_bytes(digest[offset..offset + 4].try_into().unwrap());
    format!("{:06}", (part & 0x7fff_ffff) % 1_000_000)
}

fn from_base32(text: &str) -> Vec<u8> {
    let mut bits = text.bytes().flat_map(|letter| {
        let number = if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' };
        (0..5).rev().map(move |place| number >> place & 1)
    });
    let mut bytes = Vec::new();
    while let [Some(first), rest @ ..] = [(); 8].map(|()| bits.next()) {
        if rest.iter().all(Option::is_some) {
            bytes.push(rest.iter().flatten().fold(first, |byte, bit| byte << 1 | bit));
        }
    }
    bytes
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
