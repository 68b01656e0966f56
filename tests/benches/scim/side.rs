//! One build that is measured: its server, and what requests cost there.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::server::{Server, Surroundings};

use super::Request;
use super::process::Process;

/// A server of one build.
pub(crate) struct Side {
    /// How the table calls it.
    pub(crate) name: &'static str,
    /// The users that were made beforehand.
    pub(crate) ids: Vec<String>,
    /// The group that is changed.
    pub(crate) group: String,
    /// How many members it has: the first users.
    pub(crate) group_size: usize,
    server: Server,
    process: Process,
    /// The number of the next request.
    next: AtomicUsize,
}

/// What some requests cost, each of them on the average.
pub(crate) struct Sample {
    /// CPU milliseconds of the server.
    pub(crate) cpu: f64,
    /// KiB that it handed to the system.
    pub(crate) written: f64,
    pub(crate) per_second: f64,
    /// Milliseconds that half of them took at the most.
    pub(crate) p50: f64,
    /// Milliseconds that 99 in 100 took at the most.
    pub(crate) p99: f64,
}

impl Side {
    pub(crate) fn start(name: &'static str, binary: &Path, arguments: &[&str]) -> Self {
        let surroundings = Surroundings { binary: Some(binary.to_owned()), ..Surroundings::default() };
        let server = Server::start_in(&surroundings, arguments);
        let process = Process(server.process_id());
        let organization = server.demo().organization.clone();
        server.command(&["org", "set", &organization, "--seats", "10000000"]);
        // What is measured is the server, not the limit.
        let quotas = ["requests-per-second=1000000", "computing-seconds-per-minute=1000000"];
        server.command(&["org", "set", &organization, "--quota", quotas[0], "--quota", quotas[1]]);
        let (ids, group, group_size, next) = (Vec::new(), String::new(), 0, AtomicUsize::new(0));
        let side = Self { name, ids, group, group_size, server, process, next };
        side.set("passphrase-emails=false");
        side
    }

    /// Sets an option of the organization.
    pub(crate) fn set(&self, option: &str) {
        self.server.command(&["org", "set", &self.server.demo().organization, "--option", option]);
    }

    pub(crate) fn client(&self) -> Client {
        self.server.client()
    }

    /// Resident memory, in MiB.
    pub(crate) fn resident(&self) -> f64 {
        self.server.resident() as f64 / f64::from(1 << 20)
    }

    /// Sends so many requests over so many connections.
    pub(crate) fn run(&self, connections: usize, count: usize, request: Request<'_>) -> Sample {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let (cpu, written, began) = (self.process.cpu(), self.process.written(), Instant::now());
        let each = count / connections;
        let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..connections)
                .map(|thread| {
                    scope.spawn(move || {
                        let client = self.client();
                        let time = |number| {
                            let sent = Instant::now();
                            request(self, &client, first + number);
                            sent.elapsed()
                        };
                        (thread * each..(thread + 1) * each).map(time).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let seconds = began.elapsed().as_secs_f64();
        latencies.sort_unstable();
        let done = latencies.len();
        let percentile = |percent: usize| latencies[(done - 1) * percent / 100].as_secs_f64() * 1_000.0;
        Sample {
            cpu: (self.process.cpu() - cpu) / done as f64,
            written: (self.process.written() - written) / done as f64,
            per_second: done as f64 / seconds,
            p50: percentile(50),
            p99: percentile(99),
        }
    }
}
