//! The host key is rotated while a server runs: secrets that the old key has sealed can be used before, during and
//! after the rotation.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, binary};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::outside::commands::{receiver, soon};

/// Whether the request is signed with the webhook's secret, as Standard Webhooks has it.
#[track_caller]
fn is_signed(request: &str, secret: &str) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
    let field = |name: &str| {
        let found =
            head.lines().filter_map(|line| line.split_once(": ")).find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("the prefix")).expect("base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
    mac.update(format!("{}.{}.{body}", field("webhook-id"), field("webhook-timestamp")).as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(field("webhook-signature"), expected, "{request}");
}

/// What a command says that is refused with this exit code.
#[track_caller]
fn refused(server: &Server, arguments: &[&str], code: i32) -> String {
    let output: Output =
        Command::new(binary()).args(arguments).arg("--data").arg(server.data()).output().expect("it runs");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A token that a stream's receiver polls is signed with the key that the host has sealed.
fn polled(stream: &Value) -> usize {
    let client =
        Client::bare(&text(stream, "poll_url")).header("Authorization", &format!("Bearer {}", text(stream, "token")));
    let request = Request::new("POST", "").header("Content-Type", "application/json");
    let answer = client.send(&request.body(json!({"returnImmediately": true}).to_string()));
    answer.is(200).json()["sets"].as_object().map_or(0, serde_json::Map::len)
}

#[test]
fn p9_the_host_key_is_rotated_and_what_the_old_one_has_sealed_goes_on_to_work_without_it() {
    let (port, received) = receiver("204 No Content");
    let mut server = Server::start_with(&["--http-permit", &format!("http://127.0.0.1:{port}")]);
    let of = ["--organization", &server.demo().organization.clone()];
    let hook = server.command(&[&["webhook", "set", &format!("http://127.0.0.1:{port}/hook")], &of[..]].concat());
    is_signed(&soon("the test event", || received.try_recv().ok()), &text(&hook, "secret"));
    let add = ["stream", "add", "Backend", "--audience", "https://rp.example/7"];
    let stream = server.command(&[&add[..], &of[..]].concat());
    let key = text(&server.command(&["api-key", "create", "tests", "--operator"]), "secret");
    let kept = |server: &Server| {
        let api = Client::bare(&format!("{}/api/v1", server.client().at_root().url())).content_type("application/json");
        let request = Request::new("POST", "/api-keys").header("Idempotency-Key", "once").body(json!({"name": "made"}));
        api.header("Authorization", &format!("Bearer {key}")).send(&request).is(201).json()
    };
    let made = kept(&server);
    let file = server.data().join("secret.key");
    let old = fs::read(&file).expect("the key");
    let status = server.command(&["key", "status"]);
    assert!(status["items"].as_u64() >= Some(3) && status["items_of_old"] == json!(0), "{status}");
    assert_eq!(status["old"], json!([]), "{status}");

    let rotated = server.command(&["key", "rotate"]);
    assert_eq!(rotated["old"], json!([status["sealing"]]), "{rotated}");
    assert!(refused(&server, &["key", "rotate"], 4).contains("under way"));
    // The server that runs takes up the new key, and seals again.
    let status = soon("everything is sealed again", || {
        let status = server.command(&["key", "status"]);
        (status["items_of_old"] == json!(0)).then_some(status)
    });
    assert!(status["items"].as_u64() >= Some(3) && status["sealing"] == rotated["sealing"], "{status}");
    seed::someone(&server.client(), "rotated");
    is_signed(&soon("the event", || received.try_recv().ok()), &text(&hook, "secret"));
    assert!(polled(&stream) > 0);
    assert_eq!(kept(&server), made);

    // Neither the old key alone opens the database, nor the new one while the old one is not retired.
    server.kill();
    let both = fs::read(&file).expect("the keys");
    assert_eq!((both.len(), &both[32..]), (64, &old[..]));
    fs::write(&file, &old).expect("the key");
    assert!(refused(&server, &["org", "list"], 1).contains("is not the host key"));
    fs::write(&file, &both[..32]).expect("the key");
    assert!(refused(&server, &["org", "list"], 1).contains("not the one before"));
    fs::write(&file, &both).expect("the keys");
    server.start_again();
    assert!(polled(&stream) > 0);

    let retired = server.command(&["key", "retire", "--after", "5"]);
    assert_eq!(retired["retired"], rotated["old"], "{retired}");
    assert_eq!(fs::read(&file).expect("the key"), &both[..32]);
    server.kill();
    server.start_again();
    assert!(polled(&stream) > 0);
    assert_eq!(kept(&server), made);
    let status = server.command(&["key", "status"]);
    assert_eq!((&status["old"], &status["items_of_old"]), (&json!([]), &json!(0)), "{status}");
}

#[test]
fn p9_a_rotation_that_is_killed_in_the_middle_is_ended_by_the_next_server() {
    let mut server = Server::start();
    let of = ["--organization", &server.demo().organization.clone()];
    let add = ["stream", "add", "Backend", "--audience", "https://rp.example/7"];
    let stream = server.command(&[&add[..], &of[..]].concat());
    // No server is there to seal again; the one that comes is killed at once.
    server.kill();
    server.command(&["key", "rotate"]);
    let status = server.command(&["key", "status"]);
    assert!(status["items_of_old"].as_u64() >= Some(1), "{status}");
    assert!(status["where"].to_string().contains("Security Event Tokens"), "{status}");
    for _ in 0..3 {
        server.start_again();
        server.kill();
    }
    server.start_again();
    soon("everything is sealed again", || {
        (server.command(&["key", "status"])["items_of_old"] == json!(0)).then_some(())
    });
    seed::someone(&server.client(), "after");
    assert!(polled(&stream) > 0);
    assert_eq!(server.command(&["key", "retire", "--after", "5"])["retired"].as_array().map(Vec::len), Some(1));
    assert_eq!(length(&server.data().join("secret.key")), 32);
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).expect("the file").len()
}
