//! Measures what many organizations in one server cost: the memory of an idle and of a warm organization, and the first
//! request of an organization that nobody has called for long, compared with the following requests.
//!
//! `make bench` runs it against the release build. `INSOMNIA_SCIM_ORGANIZATIONS` is their number (10,000).
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that can't go on has failed")]

use std::time::{Duration, Instant};

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::server::Server;
use serde_json::{Value, json};

/// How many organizations send requests.
const ACTIVE: usize = 50;
/// How many requests each of them sends, one after the other.
const ROUNDS: usize = 40;

fn main() {
    // `cargo test --benches` only checks that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    // The selected parts of the benchmarks; all parts by default.
    let parts = std::env::var("BENCH_PARTS").unwrap_or_default();
    if !parts.is_empty() && !parts.split(',').any(|part| part.trim() == "organizations") {
        return;
    }
    let asked = std::env::var("INSOMNIA_SCIM_ORGANIZATIONS").ok().and_then(|count| count.parse().ok());
    let count: usize = asked.unwrap_or(10_000).max(ACTIVE);
    let mut server = Server::start();
    let key = server.command(&["api-key", "create", "bench", "--operator"])["secret"].as_str().unwrap().to_owned();
    let api = Client::bare(&format!("{}/api/v1", server.client().at_root().url()))
        .content_type("application/json")
        .header("Authorization", &format!("Bearer {key}"));
    let began = Instant::now();
    let mut active = Vec::new();
    for number in 0..count {
        let token = make(&api, number);
        // The active organizations are spread over all.
        if number % (count / ACTIVE) == 0 && active.len() < ACTIVE {
            active.push(Client::new(&format!("{}/scim/v2/bench-{number}", server.client().at_root().url()), &token));
        }
    }
    println!("{count} organizations with a connector each were made in {:.0} s", began.elapsed().as_secs_f64());

    // The process ends, and with it the memory that the creation has used.
    server.stop();
    server.start_again();
    server.client().get("/Users?count=1").is(200);
    let idle = server.resident();
    println!("RSS with {count} idle organizations: {:.1} MiB", mebibytes(idle));
    let cold: Vec<Duration> = active.iter().map(look).collect();
    let warm: Vec<Duration> = (1..ROUNDS).flat_map(|_| active.iter().map(look)).collect();
    let with_active = server.resident();
    println!(
        "RSS with {ACTIVE} of them active: {:.1} MiB, {:.0} KiB for each",
        mebibytes(with_active),
        with_active.saturating_sub(idle) as f64 / 1_024.0 / ACTIVE as f64
    );
    print("first request of an organization", cold);
    print("those that follow", warm);
}

/// Makes an organization and returns its token.
fn make(api: &Client, number: usize) -> String {
    let id = format!("bench-{number}");
    let domain = format!("{id}.example");
    let organization = json!({
        "name": id, "plan": "enterprise", "seats": 10, "domains": [{ "name": domain, "verified": true }],
        "single_sign_on": "okta",
    });
    api.post("/organizations", json!({ "id": id, "organization": organization })).is(201);
    let owner = json!({ "email": format!("owner@{domain}"), "display_name": "Owner", "role": "owner" });
    api.post(&format!("/organizations/{id}/members"), owner).is(201);
    let enabled = api.post(
        &format!("/organizations/{id}/connector/enable"),
        json!({ "identity_provider": "okta", "expires": "never" }),
    );
    let enabled: Value = enabled.json();
    enabled["token"].as_str().unwrap().to_owned()
}

fn look(client: &Client) -> Duration {
    let sent = Instant::now();
    client.get("/Users?count=1").is(200);
    sent.elapsed()
}

fn print(name: &str, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let percentile = |percent: usize| latencies[(latencies.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!("{name}: p50 {:.2} ms, p99 {:.2} ms", percentile(50), percentile(99));
}

fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
