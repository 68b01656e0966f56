//! Three hosts behind a balancer, on one PostgreSQL, while everything fails that can fail: every change that was
//! acknowledged must be there exactly once.
//!
//! The test runs for some seconds, with one fault of each of some kinds. `make chaos MINUTES=30` runs it for longer
//! with all kinds: hosts are killed, a standby is promoted, a disk is full. It prints the faults, the operations and
//! the violations. `CHAOS_SEED` repeats the random choices of an earlier run.

mod balancer;
mod faults;
mod history;
mod receivers;
mod writer;

use std::env;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::idp::entra::{Entra, Shape};
use insomnia_scim_tests::idp::okta_oin::OktaOin;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::id;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Connector, Server, Surroundings};

use crate::dice::Dice;
use balancer::{Balancer, Place};
use faults::{Database, Fault, Stage};
use writer::{Counts, Shared, Writer};

/// How many minutes it runs; some seconds without it.
const MINUTES: &str = "INSOMNIA_SCIM_CHAOS_MINUTES";
/// What the dice begin with.
const SEED: &str = "CHAOS_SEED";
/// How many hosts there are.
const HOSTS: usize = 3;

/// How large it is.
struct Scale {
    /// For how long faults happen; without it one of each of some kinds.
    time: Option<Duration>,
    organizations: usize,
    /// In each organization.
    writers: usize,
    /// The longest time for which a host is away.
    longest: Duration,
    /// How long after the faults all may take to be delivered. A host that was killed while it delivered holds its lease for
    /// 45 seconds, and several of them leave pauses of minutes.
    settling: Duration,
    seed: u64,
}

impl Scale {
    fn asked() -> Self {
        let number = |name| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let second = Duration::from_secs(1);
        match number(MINUTES) {
            Some(minutes) => Self {
                time: Some(Duration::from_secs(60 * minutes.max(1))),
                organizations: 2,
                writers: 5,
                longest: 8 * second,
                settling: 900 * second,
                seed: number(SEED).unwrap_or_else(|| {
                    let now = SystemTime::now().duration_since(UNIX_EPOCH);
                    now.map_or(1, |elapsed| elapsed.as_millis() as u64 % 1_000_000)
                }),
            },
            None => Self {
                time: None,
                organizations: 1,
                writers: 4,
                longest: 1_200 * second / 1_000,
                settling: 300 * second,
                seed: number(SEED).unwrap_or(1),
            },
        }
    }
}

#[test]
fn nothing_is_lost_or_done_twice_while_hosts_and_their_database_fail() {
    let scale = Scale::asked();
    println!("seed: {} ({SEED} throws the same dice again)", scale.seed);
    let mut dice = Dice::new(scale.seed);
    let database = Database::start(scale.time.is_some());
    let ((hook, events), (smtp, emails)) = (receivers::take_webhooks(), receivers::take_email());
    let arguments = [
        format!("--http-permit=http://127.0.0.1:{hook}"),
        format!("--smtp-url=smtp://127.0.0.1:{smtp}?tls=none"),
        "--mail-from=no-reply@insomnia.example".to_owned(),
    ];
    let surroundings =
        Surroundings { storage: Some(database.url()), arguments: arguments.into(), ..Surroundings::default() };
    let first = Server::start_in(&surroundings, &[]);
    let mut connectors = vec![first.connector()];
    while connectors.len() < scale.organizations {
        connectors.push(first.another_organization(&format!("chaos-{}", connectors.len())));
    }
    let mut hosts = vec![first];
    while hosts.len() < HOSTS {
        hosts.push(hosts[0].another_host());
    }
    let places = hosts.iter().map(|host| Place::Tcp(host.authority().to_owned())).collect();
    let clients = Balancer::start(places);
    for connector in &mut connectors {
        connector.url = connector.url.replace(hosts[0].authority(), &clients.authority());
        let to = format!("http://127.0.0.1:{hook}/{}", connector.organization);
        hosts[0].command(&["webhook", "set", &to, "--organization", &connector.organization]);
    }
    let shared: Vec<Shared> = connectors.iter().map(share).collect();
    let mut stage = Stage::new(database, hosts, clients, dice.split(), scale.longest);
    let mut writers: Vec<Writer> = Vec::new();
    for shared in &shared {
        writers.extend((0..scale.writers).map(|_| Writer::new(shared, dice.split())));
    }

    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for writer in &mut writers {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    writer.act();
                }
            });
        }
        fail(&mut stage, &scale, &mut dice, &shared);
        stop.store(true, Ordering::Relaxed);
    });

    let is_settled = history::settle(&stage.database.primary, scale.settling);
    let mut violations: Vec<String> = Vec::new();
    if !is_settled {
        violations.push(format!("not all is delivered {:?} after the faults", scale.settling));
    }
    let mut counts = Counts::default();
    for shared in &shared {
        let (own, others): (Vec<Writer>, Vec<Writer>) =
            writers.into_iter().partition(|writer| writer.shared.organization == shared.organization);
        writers = others;
        counts = own.iter().fold(counts, |sum, writer| sum.and(writer.counts));
        violations.extend(history::check(stage.office(), shared, &own, &events.all(), &emails.all()));
    }
    violations.extend(events.overlaps());
    violations.extend(emails.overlaps());
    stage.look_at_logs();
    violations.append(&mut stage.violations);
    connectors.iter().for_each(identity_providers_go_on);
    print(&stage, counts, events.all().len(), emails.all().len(), &violations);
    assert!(violations.is_empty(), "seed {}:\n{}", scale.seed, violations.join("\n"));
}

/// What the writers of an organization need before they begin.
fn share(connector: &Connector) -> Shared {
    let client: Client = connector.client();
    let name = unique("counter");
    let address = format!("{name}@{}.example", connector.organization);
    let counter = Person { user_name: address.clone(), email: address, ..Person::new("counter") };
    Shared {
        organization: connector.organization.clone(),
        group: id(&seed::group(&client, &unique("Chaos"), &[])),
        counter: id(&seed::user(&client, &counter)),
        counter_email: counter.email,
        client,
        contested: AtomicU64::new(0),
        run: unique("run"),
        acknowledged: AtomicUsize::new(0),
    }
}

/// Lets faults happen, and ends them.
fn fail(stage: &mut Stage, scale: &Scale, dice: &mut Dice, shared: &[Shared]) {
    match scale.time {
        Some(time) => {
            let end = Instant::now() + time;
            while Instant::now() < end {
                stage.wait(Duration::from_millis(300 + dice.below(2_500)));
                stage.inject(Fault::ALL[dice.index(Fault::ALL.len())]);
            }
        }
        None => {
            // Who kills a host that delivers waits until its lease has ended: that is left to the long run, and the kill by
            // itself to the tests of several hosts.
            let mut faults = vec![
                Fault::HostPaused,
                Fault::ClientsCut,
                Fault::DatabaseCut,
                Fault::SessionsEnded,
                Fault::DatabaseEnded,
            ];
            while !faults.is_empty() {
                stage.wait(Duration::from_millis(300));
                go_on_writing(stage, shared);
                stage.inject(faults.remove(dice.index(faults.len())));
            }
        }
    }
    stage.wait(Duration::from_millis(300));
    stage.heal();
}

/// Waits until some more writes are acknowledged, so that a slow machine sees as much of a fault as a fast one.
fn go_on_writing(stage: &mut Stage, shared: &[Shared]) {
    const WRITES: usize = 12;
    let written = || shared.iter().map(|shared| shared.acknowledged.load(Ordering::Relaxed)).sum::<usize>();
    let (before, begin) = (written(), Instant::now());
    while written() < before + WRITES {
        assert!(begin.elapsed() < Duration::from_secs(120), "no writes are acknowledged any more");
        stage.wait(Duration::from_millis(50));
    }
}

/// Identity providers find everything in order afterwards.
fn identity_providers_go_on(connector: &Connector) {
    let okta = OktaOin::new(connector);
    let person = Person::new("okta");
    let user = okta.okta().assign(&person);
    assert_eq!(okta.okta().assign(&person), user);
    let entra = Entra::new(connector, Shape::Default);
    let user = entra.provision(&Person::new("entra"));
    let group = entra.provision_group(&unique("Entra Group"));
    entra.add_members(&group, &[user]);
}

fn print(stage: &Stage, counts: Counts, events: usize, emails: usize, violations: &[String]) {
    println!("\n{:<36} {:>8}", "fault", "times");
    for fault in Fault::ALL {
        let times = stage.count.get(&fault).copied().unwrap_or_default();
        let why = match fault {
            Fault::DiskFull if !stage.database.has_disk => "  (left out: there is no disk of its own)",
            Fault::StandbyPromoted if stage.database.standby.is_none() => "  (left out: there is no standby)",
            _ => "",
        };
        println!("{:<36} {times:>8}{why}", fault.name());
    }
    println!("\n{:<36} {:>8}", "operations", "");
    for (name, number) in [
        ("writes acknowledged", counts.acknowledged),
        ("writes overtaken (409, 412)", counts.overtaken),
        ("writes refused (503, 429)", counts.refused),
        ("writes without an answer", counts.lost),
        ("reads", counts.reads),
        ("deliveries of events", events),
        ("deliveries of emails", emails),
    ] {
        println!("{name:<36} {number:>8}");
    }
    println!("\nviolations: {}", violations.len());
}
