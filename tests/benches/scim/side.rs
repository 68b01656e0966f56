//! One build or one storage that is measured: its servers, and the cost of its requests.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::server::{Connector, Server, Surroundings};

use super::Request;
use super::process::Process;

/// A server of one build, or several on one PostgreSQL.
pub(crate) struct Side {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The users that were made beforehand.
    pub(crate) ids: Vec<String>,
    /// The group that is changed.
    pub(crate) group: String,
    /// How many members it has. They are the first users.
    pub(crate) group_size: usize,
    server: Server,
    process: Process,
    /// Further servers on its PostgreSQL. Connections use them in turn.
    others: Vec<(Server, Process)>,
    /// Organizations that connections use in turn; none if all connections use the first one.
    organizations: Vec<Connector>,
    /// The PostgreSQL. It is declared after the servers, so it ends after them.
    cluster: Option<Cluster>,
    /// The number of the next request.
    next: AtomicUsize,
}

/// The average cost of a request in a run.
pub(crate) struct Sample {
    /// CPU milliseconds of the server, or of all of them.
    pub(crate) cpu: f64,
    /// CPU milliseconds of the PostgreSQL, if there is one.
    pub(crate) database: f64,
    /// KiB that the server has written.
    pub(crate) written: f64,
    pub(crate) per_second: f64,
    /// Half of the requests took at most this number of milliseconds.
    pub(crate) p50: f64,
    /// 99 of 100 requests took at most this number of milliseconds.
    pub(crate) p99: f64,
}

impl Side {
    /// A server with its data in SQLite.
    pub(crate) fn start(name: &'static str, binary: &Path, arguments: &[&str]) -> Self {
        Self::start_in(name, binary, arguments, None)
    }

    /// This number of servers on a PostgreSQL of their own, which they reach over its Unix socket, and whose commits wait for
    /// the disk.
    pub(crate) fn start_on_postgres(name: &'static str, binary: &Path, arguments: &[&str], hosts: usize) -> Self {
        let mut side = Self::start_in(name, binary, arguments, Some(Cluster::start_durable()));
        for _ in 1..hosts {
            let host = side.server.another_host();
            let process = Process(host.process_id());
            side.others.push((host, process));
        }
        side
    }

    fn start_in(name: &'static str, binary: &Path, arguments: &[&str], cluster: Option<Cluster>) -> Self {
        let surroundings = Surroundings {
            binary: Some(binary.to_owned()),
            storage: cluster.as_ref().map(Cluster::url),
            // These arguments also apply to servers on other hosts, and after a restart.
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            ..Surroundings::default()
        };
        let server = Server::start_in(&surroundings, &[]);
        let process = Process(server.process_id());
        lift_limits(&server, &server.demo().organization);
        let (ids, group, group_size, next) = (Vec::new(), String::new(), 0, AtomicUsize::new(0));
        let (others, organizations) = (Vec::new(), Vec::new());
        let side = Self { name, ids, group, group_size, server, process, others, organizations, cluster, next };
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

    /// A client of another organization.
    pub(crate) fn another_organization(&self) -> Client {
        let other = self.server.another_organization("bench-other");
        lift_limits(&self.server, &other.organization);
        other.client()
    }

    /// Makes this number of organizations. From now on connections use them in turn.
    pub(crate) fn spread(&mut self, organizations: usize) {
        for number in 0..organizations {
            let made = self.server.another_organization(&format!("bench-{number}"));
            lift_limits(&self.server, &made.organization);
            self.server.command(&["org", "set", &made.organization, "--option", "passphrase-emails=false"]);
            self.organizations.push(made);
        }
    }

    /// Lets all connections use the first organization again.
    pub(crate) fn gather(&mut self) {
        self.organizations.clear();
    }

    /// The client of the connection with this number.
    fn client_of(&self, connection: usize) -> Client {
        let place = connection % (self.others.len() + 1);
        let host = place.checked_sub(1).map_or(&self.server, |other| &self.others[other].0);
        match self.organizations.get(connection % self.organizations.len().max(1)) {
            None => host.client(),
            Some(Connector { url, token, .. }) => {
                Client::new(&url.replacen(self.server.authority(), host.authority(), 1), token)
            }
        }
    }

    /// The CPU time of all servers so far, in milliseconds.
    fn cpu(&self) -> f64 {
        self.process.cpu() + self.others.iter().map(|(_, process)| process.cpu()).sum::<f64>()
    }

    fn cpu_of_database(&self) -> f64 {
        self.cluster.as_ref().map_or(0.0, |cluster| Process(cluster.process_id()).cpu_with_children())
    }

    /// Resident memory, in MiB.
    pub(crate) fn resident(&self) -> f64 {
        self.server.resident() as f64 / f64::from(1 << 20)
    }

    /// Waits until the servers have nothing to do, at most for ten seconds. Work that requests leave for later, such as moving
    /// the log into the database, is a cost of these requests and not of the next ones.
    fn settle(&self) {
        const PAUSE: Duration = Duration::from_millis(50);
        const IDLE: f64 = 1.0;
        let computed = || self.cpu() + self.cpu_of_database();
        for _ in 0..200 {
            let before = computed();
            std::thread::sleep(PAUSE);
            if computed() - before < IDLE {
                return;
            }
        }
    }

    /// Sends `count` requests over this number of connections.
    pub(crate) fn run(&self, connections: usize, count: usize, request: Request<'_>) -> Sample {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        self.settle();
        let (cpu, database, written) = (self.cpu(), self.cpu_of_database(), self.process.written());
        let began = Instant::now();
        let each = count / connections;
        let mut latencies: Vec<Duration> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..connections)
                .map(|thread| {
                    scope.spawn(move || {
                        let client = self.client_of(thread);
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
        self.settle();
        latencies.sort_unstable();
        let done = latencies.len();
        let percentile = |percent: usize| latencies[(done - 1) * percent / 100].as_secs_f64() * 1_000.0;
        Sample {
            cpu: (self.cpu() - cpu) / done as f64,
            database: (self.cpu_of_database() - database) / done as f64,
            written: (self.process.written() - written) / done as f64,
            per_second: done as f64 / seconds,
            p50: percentile(50),
            p99: percentile(99),
        }
    }
}

/// Lifts the limits of an organization, because the server is measured and not these limits.
fn lift_limits(server: &Server, organization: &str) {
    server.command(&["org", "set", organization, "--seats", "10000000"]);
    let quotas = ["requests-per-second=1000000", "computing-seconds-per-minute=1000000"];
    server.command(&["org", "set", organization, "--quota", quotas[0], "--quota", quotas[1]]);
    // The server reads quotas within five seconds.
    std::thread::sleep(Duration::from_secs(6));
}
