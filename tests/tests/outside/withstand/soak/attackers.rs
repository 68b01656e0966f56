//! The attacks. Each one has threads of its own, which run until the attack is stopped.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::scim::GROUP;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, Server};
use serde_json::json;

use super::super::http2::Http2;
use super::fault_component;

/// What is attacked, and from where.
#[derive(Clone)]
pub(super) struct Target {
    authority: String,
    path: String,
    token: String,
    connector: Connector,
    /// Below the connector URL of an organization that runs a hostile component.
    hostile: String,
    members: Arc<Vec<String>>,
    group: String,
}

impl Target {
    /// An organization of the attacker's own with so many members, and another one that is pinned to a component which
    /// does what its requests' paths say.
    pub(super) fn new(server: &Server, attacker: &Connector, hostile: &Connector, members: usize) -> Self {
        let file = server.data().join("hostile.wasm");
        std::fs::write(&file, fault_component::component()).expect("a file");
        let file = file.to_str().unwrap_or_default();
        server.command(&["org", "set", &hostile.organization, "--component", file]);
        let seats = (members + 100).to_string();
        server.command(&[
            "org",
            "set",
            &attacker.organization,
            "--seats",
            &seats,
            "--option",
            "passphrase-emails=false",
        ]);
        let client = attacker.client();
        let members = seed::people(&client, "greedy", members);
        let group = client.post("/Groups", json!({ "schemas": [GROUP], "displayName": "greedy" })).resource(201);
        let path = attacker.url.split_once(server.authority()).map_or("", |(_, path)| path).to_owned();
        Self {
            authority: server.authority().to_owned(),
            path,
            token: attacker.token.clone(),
            connector: attacker.clone(),
            hostile: hostile.url.split_once(server.authority()).map_or("", |(_, path)| path).to_owned(),
            members: Arc::new(members),
            group: group["id"].as_str().unwrap_or_default().to_owned(),
        }
    }

    fn head(&self, method: &str, path: &str) -> String {
        format!("{method} {}{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", self.path, self.token)
    }

    fn client(&self) -> Client {
        self.connector.client()
    }
}

/// What is done beside the innocent.
#[derive(Clone, Copy)]
pub(super) enum Attack {
    /// Nothing: what the innocent see alone.
    None,
    /// Two threads compute, as those of the attacks do: what a busy machine costs.
    BusyMachine,
    /// F1: bodies of strangers over HTTP/2 that do not end.
    StrangersBodies,
    /// F2: answers that nobody takes.
    UnreadAnswers,
    /// F6: uploads of 16 MiB that do not come.
    SlowUploads,
    /// F8: a group that gets all members and loses them, again and again.
    GiantGroups,
    /// F9: filters that look at every user.
    Filters,
    /// F9: lists that are sorted.
    Sorts,
    /// F9: lists that are compressed.
    CompressedLists,
    /// F9: requests that are sent without waiting for answers.
    Pipelining,
    /// A component that loops, takes memory, traps, floods the log and calls the host without end.
    HostileComponent,
    /// Nothing again: what has come back.
    Afterwards,
}

impl Attack {
    pub(super) const ALL: [Self; 12] = [
        Self::None,
        Self::BusyMachine,
        Self::StrangersBodies,
        Self::UnreadAnswers,
        Self::SlowUploads,
        Self::GiantGroups,
        Self::Filters,
        Self::Sorts,
        Self::CompressedLists,
        Self::Pipelining,
        Self::HostileComponent,
        Self::Afterwards,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::BusyMachine => "a busy machine",
            Self::StrangersBodies => "strangers' bodies (F1)",
            Self::UnreadAnswers => "unread answers (F2)",
            Self::SlowUploads => "slow uploads (F6)",
            Self::GiantGroups => "giant groups (F8)",
            Self::Filters => "filters (F9)",
            Self::Sorts => "sorts (F9)",
            Self::CompressedLists => "compressed lists (F9)",
            Self::Pipelining => "pipelining (F9)",
            Self::HostileComponent => "a hostile component",
            Self::Afterwards => "none any more",
        }
    }

    /// Starts the threads, which end when they are told to stop.
    pub(super) fn begin(self, target: &Target, stop: &Arc<AtomicBool>) -> Vec<JoinHandle<()>> {
        let threads = match self {
            Self::None | Self::Afterwards => 0,
            Self::BusyMachine => 2,
            Self::GiantGroups => 1,
            Self::StrangersBodies | Self::UnreadAnswers | Self::SlowUploads => 20,
            Self::HostileComponent => FAULTS.len(),
            Self::Filters | Self::Sorts | Self::CompressedLists | Self::Pipelining => 16,
        };
        let start = |number: usize| {
            let (target, stop) = (target.clone(), Arc::clone(stop));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    self.once(&target, number, &stop);
                }
            })
        };
        (0..threads).map(start).collect()
    }

    /// Whatever the server answers is right, as long as the innocent do not notice.
    fn once(self, target: &Target, number: usize, stop: &AtomicBool) {
        match self {
            Self::None | Self::Afterwards => {}
            Self::BusyMachine => {
                std::hint::black_box((0..100_000_u64).fold(0, u64::wrapping_add));
            }
            Self::StrangersBodies => strangers_bodies(target, stop),
            Self::UnreadAnswers => {
                let ask = format!("{}\r\n", target.head("GET", "/Users?count=1000"));
                hold(target, &ask, b"", stop);
            }
            Self::SlowUploads => {
                let head = target.head("POST", "/Groups");
                let head = format!(
                    "{head}Content-Type: application/scim+json\r\nContent-Length: 16777216\r\n\r\n{{\"displayName\":\""
                );
                hold(target, &head, b"x", stop);
            }
            Self::GiantGroups => {
                let members: Vec<_> = target.members.iter().map(|id| json!({ "value": id })).collect();
                for members in [json!(members), json!([])] {
                    let group = json!({ "schemas": [GROUP], "displayName": "greedy", "members": members });
                    let path = format!("/Groups/{}?excludedAttributes=members", target.group);
                    let _ = target.client().try_send(&Request::new("PUT", &path).body(group));
                }
            }
            Self::Filters => ask(target, "/Users?filter=title+co+%22nowhere%22", None),
            Self::Sorts => ask(target, "/Users?sortBy=name.familyName&count=10", None),
            Self::CompressedLists => ask(target, "/Users?count=1000", Some("gzip")),
            Self::Pipelining => pipeline(target),
            Self::HostileComponent => {
                let fault = FAULTS.get(number % FAULTS.len()).unwrap_or(&"loop");
                let ask =
                    format!("GET {}/{fault} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n", target.hostile);
                answered(target, &ask, stop);
            }
        }
    }
}

/// What the hostile component is asked to do, each by a thread of its own.
const FAULTS: [&str; 8] =
    ["loop", "memory", "overflow", "trap", "giant-answer", "host-calls", "noise", "yrandom-without-end"];

/// Sends a request and takes the answer, or gives it up when it is to stop.
fn answered(target: &Target, request: &str, stop: &AtomicBool) {
    let Ok(mut stream) = TcpStream::connect(&target.authority) else { return };
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    if stream.write_all(request.as_bytes()).is_err() {
        return;
    }
    let mut buffer = [0; 4_096];
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(_) => return,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

/// One request, whose answer is taken.
fn ask(target: &Target, path: &str, coding: Option<&str>) {
    let mut client = target.client();
    if let Some(coding) = coding {
        client = client.header("Accept-Encoding", coding);
    }
    let _ = client.try_send(&Request::new("GET", path));
}

fn strangers_bodies(target: &Target, stop: &AtomicBool) {
    let Ok(mut connection) = Http2::open(&target.authority) else { return };
    for stream in 0..100 {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let stream = stream * 2 + 1;
        let begun = connection.request(stream, "POST", &format!("{}/Users", target.path), &[], false);
        if begun.and_then(|()| connection.data(stream, &[b' '; 30_000])).is_err() {
            return;
        }
    }
    wait(stop, Duration::from_secs(1));
}

/// Sends what it is given, then a little now and then, and reads nothing.
fn hold(target: &Target, first: &str, more: &[u8], stop: &AtomicBool) {
    let Ok(mut stream) = TcpStream::connect(&target.authority) else { return };
    if stream.write_all(first.as_bytes()).is_err() {
        return;
    }
    for _ in 0..20 {
        wait(stop, Duration::from_millis(500));
        if stop.load(Ordering::Relaxed) || stream.write_all(more).is_err() {
            return;
        }
    }
}

fn pipeline(target: &Target) {
    let Ok(mut stream) = TcpStream::connect(&target.authority) else { return };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let request = format!("{}\r\n", target.head("GET", "/Users?count=50"));
    if stream.write_all(request.repeat(50).as_bytes()).is_ok() {
        let mut taken = 0;
        let mut buffer = [0; 65_536];
        while let Ok(read) = stream.read(&mut buffer) {
            taken += read;
            if read == 0 || taken > 1 << 20 {
                break;
            }
        }
    }
}

fn wait(stop: &AtomicBool, time: Duration) {
    let mut left = time;
    while !left.is_zero() && !stop.load(Ordering::Relaxed) {
        let step = left.min(Duration::from_millis(50));
        thread::sleep(step);
        left -= step;
    }
}
