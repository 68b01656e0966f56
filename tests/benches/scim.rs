//! What requests cost: CPU milliseconds of the server, requests per second, latencies and memory, each answer checked.
//!
//! `make bench` runs it against the release build, with warm and with fresh instances.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that can't go on has failed")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::{Client, Response};
use insomnia_scim_tests::server::Server;
use serde_json::{Value, json};

/// What a clock tick of `/proc/PID/stat` lasts, in milliseconds (USER_HZ is 100 on Linux).
const TICK: f64 = 10.0;

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("{:<34} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "CPU ms", "req/s", "p50 ms", "p99 ms", "RSS MiB");
    for isolation in ["organization", "fresh"] {
        println!("--isolation {isolation}");
        let server = Server::start_with(&["--isolation", isolation]);
        // What is measured is the server, not the limit.
        let organization = server.demo().organization.clone();
        let quotas = ["requests-per-second=1000000", "computing-seconds-per-minute=1000000"];
        server.command(&["org", "set", &organization, "--quota", quotas[0], "--quota", quotas[1]]);
        measure(&server);
    }
}

fn measure(server: &Server) {
    let process = Process::of(server.data());
    let mut ids = Vec::new();
    run(&process, "create, 1 connection", 1, 500, server, |client, number| created(client, "one", number));
    run(&process, "create, 16 connections", 16, 480, server, |client, number| created(client, "many", number));
    for users in [1_000, 10_000] {
        let client = server.client();
        while ids.len() < users {
            let answer = client.post("/Users", user("seed", ids.len()));
            ids.push(answer.resource(201)["id"].as_str().unwrap().to_owned());
        }
        let at = |number: usize| number * 7_919 % users;
        run(&process, &format!("GET by id, {users} users"), 1, 1_000, server, |client, number| {
            client.get(&format!("/Users/{}", ids[at(number)])).resource(200);
        });
        run(&process, &format!("filter userName eq, {users} users"), 1, 1_000, server, |client, number| {
            let target = format!("/Users?filter=userName+eq+%22seed{}%40demo.example%22", at(number));
            assert_eq!(client.get(&target).list().total, 1);
        });
        run(&process, &format!("list of 100, {users} users"), 1, 100, server, |client, _| {
            assert_eq!(client.get("/Users?count=100").list().resources.len(), 100);
        });
    }
    for size in [10, 1_000, 10_000] {
        let client = server.client();
        let members: Vec<Value> = ids.iter().take(size - 1).map(|id| json!({ "value": id })).collect();
        let body = json!({ "displayName": format!("Group of {size}"), "members": members });
        let group = client.post("/Groups?attributes=id", body).document(201)["id"].as_str().unwrap().to_owned();
        let last = ids.last().unwrap().clone();
        run(&process, &format!("PATCH one member, group of {size}"), 1, 200, server, |client, number| {
            let operation = match number % 2 {
                0 => json!({ "op": "add", "path": "members", "value": [{ "value": last }] }),
                _ => json!({ "op": "remove", "path": format!("members[value eq \"{last}\"]") }),
            };
            succeeded(&client.patch(&format!("/Groups/{group}"), json!({ "Operations": [operation] })));
        });
    }
}

fn created(client: &Client, text: &str, number: usize) {
    client.post("/Users", user(text, number)).resource(201);
}

fn succeeded(answer: &Response) {
    assert!(matches!(answer.status, 200 | 204), "{}", answer.text());
}

fn user(text: &str, number: usize) -> Value {
    let name = format!("{text}{number}@demo.example");
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name, "externalId": format!("{text}-{number}"), "displayName": format!("User {number}"), "active": true,
        "name": { "givenName": "User", "familyName": number.to_string() },
        "emails": [{ "value": name, "type": "work", "primary": true }],
    })
}

/// Sends `count` requests over so many connections, and prints what they cost.
fn run(
    process: &Process,
    name: &str,
    connections: usize,
    count: usize,
    server: &Server,
    request: impl Fn(&Client, usize) + Sync,
) {
    let (before, began) = (process.cpu(), Instant::now());
    let each = count / connections;
    let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|thread| {
                let request = &request;
                scope.spawn(move || {
                    let client = server.client();
                    let time = |number| {
                        let sent = Instant::now();
                        request(&client, number);
                        sent.elapsed()
                    };
                    (thread * each..(thread + 1) * each).map(time).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), process.cpu() - before);
    latencies.sort_unstable();
    let done = latencies.len();
    let percentile = |percent: usize| latencies[(done - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!(
        "{name:<34} {:>9.3} {:>9.0} {:>9.2} {:>9.2} {:>9.0}",
        cpu / done as f64,
        done as f64 / seconds,
        percentile(50),
        percentile(99),
        process.resident()
    );
}

/// The server, as the operating system sees it.
struct Process(String);

impl Process {
    /// The process that serves this data directory.
    fn of(data: &Path) -> Self {
        let serves = |id: &String| {
            let command = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = command.split(|byte| *byte == 0).collect();
            words.first().is_some_and(|word| word.ends_with(b"insomnia-scim"))
                && words.contains(&data.as_os_str().as_encoded_bytes())
        };
        let all = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        Self(all.filter(|name| name.parse::<u32>().is_ok()).find(serves).unwrap())
    }

    /// User and system time so far, in milliseconds.
    fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * TICK
    }

    /// Resident memory, in MiB.
    fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1_024.0
    }
}
