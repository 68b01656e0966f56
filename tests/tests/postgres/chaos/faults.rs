//! The faults: of hosts, of the connections of clients and hosts, of the database and of its disk.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::server::Server;

use super::balancer::{Balancer, Place};
use crate::dice::Dice;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    HostKilled,
    HostPaused,
    ClientsCut,
    DatabaseCut,
    SessionsEnded,
    DatabaseStopped,
    DatabaseEnded,
    DiskFull,
    StandbyPromoted,
}

impl Fault {
    /// All kinds, in the order in which they are printed.
    pub(super) const ALL: [Self; 9] = [
        Self::HostKilled,
        Self::HostPaused,
        Self::ClientsCut,
        Self::DatabaseCut,
        Self::SessionsEnded,
        Self::DatabaseStopped,
        Self::DatabaseEnded,
        Self::DiskFull,
        Self::StandbyPromoted,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::HostKilled => "host killed (-9) and started",
            Self::HostPaused => "host paused (SIGSTOP)",
            Self::ClientsCut => "connections of clients cut",
            Self::DatabaseCut => "connections of hosts cut",
            Self::SessionsEnded => "sessions ended by PostgreSQL",
            Self::DatabaseStopped => "PostgreSQL stopped (fast)",
            Self::DatabaseEnded => "PostgreSQL stopped (immediate)",
            Self::DiskFull => "disk of PostgreSQL full",
            Self::StandbyPromoted => "standby promoted",
        }
    }
}

/// The PostgreSQL that is written to, its standby if there is one, and the balancer through which hosts reach it.
pub(super) struct Database {
    pub(super) primary: Cluster,
    pub(super) standby: Option<Cluster>,
    pub(super) front: Balancer,
    /// Whether its disk can be filled.
    pub(super) has_disk: bool,
}

impl Database {
    /// Starts one; with `whole` it has a disk of its own, where this process may mount one, and a standby.
    pub(super) fn start(whole: bool) -> Self {
        const MEGABYTES: u32 = 320;
        let own = whole.then(|| Cluster::start_on_disk(MEGABYTES)).flatten();
        let has_disk = own.is_some();
        let primary = own.unwrap_or_else(Cluster::start);
        let standby = whole.then(|| primary.standby());
        let front = Balancer::start(vec![Place::Unix(primary.socket())]);
        Self { primary, standby, front, has_disk }
    }

    /// As `--storage` takes it.
    pub(super) fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres?sslmode=disable", self.front.authority())
    }
}

enum State {
    Up,
    /// Paused until then.
    Paused(Instant),
    /// Killed; it is started again then.
    Down(Instant),
}

/// All that can fail, and what has.
pub(super) struct Stage {
    pub(super) database: Database,
    hosts: Vec<(Server, State)>,
    clients: Balancer,
    dice: Dice,
    begin: Instant,
    /// The longest pause and the longest downtime.
    longest: Duration,
    pub(super) count: BTreeMap<Fault, usize>,
    pub(super) violations: Vec<String>,
}

impl Stage {
    pub(super) fn new(
        database: Database,
        hosts: Vec<Server>,
        clients: Balancer,
        dice: Dice,
        longest: Duration,
    ) -> Self {
        let hosts = hosts.into_iter().map(|host| (host, State::Up)).collect();
        let (begin, count) = (Instant::now(), BTreeMap::new());
        Self { database, hosts, clients, dice, begin, longest, count, violations: Vec::new() }
    }

    /// A host, for commands.
    pub(super) fn office(&self) -> &Server {
        &self.hosts[0].0
    }

    /// Waits so long, and meanwhile lets hosts go on whose time has come.
    pub(super) fn wait(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            self.wake(|until| until <= Instant::now());
            let Some(left) = end.checked_duration_since(Instant::now()) else { return };
            thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// Lets a fault happen; not if it can't happen now, as when too many hosts are away.
    pub(super) fn inject(&mut self, fault: Fault) {
        let happened = match fault {
            Fault::HostKilled => self.kill_host(),
            Fault::HostPaused => self.pause_host(),
            Fault::ClientsCut => self.clients.cut() > 0,
            Fault::DatabaseCut => self.database.front.cut() > 0,
            Fault::SessionsEnded => {
                let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
                self.database.primary.sql(end) != "0"
            }
            Fault::DatabaseStopped => self.restart_database(Cluster::stop),
            Fault::DatabaseEnded => self.restart_database(Cluster::stop_at_once),
            Fault::DiskFull => self.fill_disk(),
            Fault::StandbyPromoted => self.promote(),
        };
        if happened {
            println!("{:>8.1} s  {}", self.begin.elapsed().as_secs_f64(), fault.name());
            *self.count.entry(fault).or_default() += 1;
        }
    }

    /// Ends all faults.
    pub(super) fn heal(&mut self) {
        self.wake(|_| true);
    }

    /// That no host has panicked.
    pub(super) fn look_at_logs(&mut self) {
        for (host, _) in &self.hosts {
            let log = host.stderr();
            let panicked = log.lines().filter(|line| line.contains("panicked at"));
            self.violations.extend(panicked.map(str::to_owned));
        }
    }

    /// Ends pauses and downtimes whose time has come.
    fn wake(&mut self, is_over: impl Fn(Instant) -> bool) {
        for (host, state) in &mut self.hosts {
            if matches!(state, State::Paused(until) if is_over(*until)) {
                host.resume();
                *state = State::Up;
            }
        }
        // A start takes seconds, in which nobody would end a pause.
        if self.hosts.iter().any(|(_, state)| matches!(state, State::Paused(_))) {
            return;
        }
        for (number, (host, state)) in self.hosts.iter_mut().enumerate() {
            if matches!(state, State::Down(until) if is_over(*until)) {
                host.start_elsewhere();
                self.clients.move_place(number, Place::Tcp(host.authority().to_owned()));
                *state = State::Up;
            }
        }
    }

    /// One of the hosts that are up; none if it is the last one.
    fn pick_host(&mut self) -> Option<usize> {
        let up = self.hosts.iter().enumerate().filter(|(_, (_, state))| matches!(state, State::Up));
        let up: Vec<usize> = up.map(|(number, _)| number).collect();
        if up.len() < 2 { None } else { self.dice.pick(&up).copied() }
    }

    fn until(&mut self, least: Duration) -> Instant {
        let more = u64::try_from(self.longest.saturating_sub(least).as_millis()).unwrap_or_default();
        Instant::now() + least + Duration::from_millis(self.dice.below(more + 1))
    }

    fn kill_host(&mut self) -> bool {
        let Some(number) = self.pick_host() else { return false };
        let until = self.until(Duration::ZERO);
        let (host, state) = &mut self.hosts[number];
        host.kill();
        *state = State::Down(until);
        true
    }

    fn pause_host(&mut self) -> bool {
        let Some(number) = self.pick_host() else { return false };
        let until = self.until(Duration::from_secs(1));
        let (host, state) = &mut self.hosts[number];
        host.pause();
        *state = State::Paused(until);
        true
    }

    fn restart_database(&mut self, stop: impl Fn(&mut Cluster)) -> bool {
        stop(&mut self.database.primary);
        thread::sleep(Duration::from_millis(self.dice.below(1_500)));
        self.database.primary.start_again();
        true
    }

    fn fill_disk(&mut self) -> bool {
        if !self.database.has_disk {
            return false;
        }
        let primary = &mut self.database.primary;
        primary.fill_disk();
        thread::sleep(Duration::from_millis(500 + self.dice.below(3_000)));
        primary.empty_disk();
        // It ends when it has no room for its log.
        thread::sleep(Duration::from_millis(200));
        if !primary.is_running() {
            primary.start_again();
        }
        primary.wait_until_ready();
        true
    }

    /// The primary ends, its standby takes over and gets a standby itself.
    fn promote(&mut self) -> bool {
        let database = &mut self.database;
        let Some(standby) = database.standby.take() else { return false };
        // Whoever promotes a standby looks whether it has followed: what a primary that was just started found in its own log
        // is visible there before the standby has it.
        database.primary.wait_for_standby();
        database.primary.stop_at_once();
        standby.promote();
        database.primary = standby;
        database.front.move_place(0, Place::Unix(database.primary.socket()));
        database.front.cut();
        // The next standby takes seconds, in which nobody would end a pause.
        for (host, state) in &mut self.hosts {
            if matches!(state, State::Paused(_)) {
                host.resume();
                *state = State::Up;
            }
        }
        self.database.standby = Some(self.database.primary.standby());
        true
    }
}
