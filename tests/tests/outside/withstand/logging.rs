//! Logging neither delays nor fails a request, whoever reads the log (F4, F5), and tells no secrets (F18).

use std::time::{Duration, Instant};

use insomnia_scim_tests::client::Request;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, Stderr, Surroundings};

/// More than a pipe holds, which is 64 KiB, in lines of some 200 bytes.
const MORE_THAN_A_PIPE: usize = 1_000;

#[test]
fn f4_when_the_reader_of_stderr_is_gone_every_request_is_answered() {
    let mut server = Server::start_in(&Surroundings { stderr: Stderr::Gone, ..Surroundings::default() }, &[]);
    let client = server.client();
    for _ in 0..5 {
        let _ = seed::someone(&client, "unlogged");
    }
    client.at_root().get("/api/v1/organizations").is(401);
    client.at_root().get("/healthz").is(200);
    assert!(server.stop().success());
}

#[test]
fn f5_when_nobody_reads_stderr_every_request_is_answered() {
    let mut server = Server::start_in(&Surroundings { stderr: Stderr::Unread, ..Surroundings::default() }, &[]);
    let client = server.client();
    for _ in 0..MORE_THAN_A_PIPE {
        client.get("/Users?count=0").is(200);
    }
    client.at_root().get("/healthz").is(200);
    assert!(server.stop().success());
}

#[test]
fn f18_no_secret_of_a_url_is_in_the_log() {
    let server = Server::start();
    let root = server.client().at_root();
    for path in [
        "/api/v1/organizations/insm_api_abcdef",
        "/api/v1/organizations/insm%5Fapi%5Fabcdef/members",
        "/scim/v2/insm_scim_abcdef/Users",
        "/scim/v2/demo/Users/insm_scim_abcdef",
        "/organizations/insm_api_abcdef/scim",
        "/oauth/insm_cs_abcdef/token",
    ] {
        let _ = root.send(&Request::new("GET", path));
    }
    let begun = Instant::now();
    while !server.stderr().contains("insm_…") && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let log = server.stderr();
    assert!(log.contains("insm_…") && !log.contains("abcdef"), "{log}");
}
