//! Attackers beside innocent organizations: nothing that was acknowledged is lost or changed, no organization sees
//! anything of another, and all are still served.
//!
//! The test runs for some seconds. `make soak MINUTES=30` runs it for longer against the release build, and prints for
//! each attack what it costs the innocent organizations: latencies, refusals, and the server's memory.

mod attackers;
#[allow(dead_code, reason = "the host's own tests use all of it")]
#[path = "../../../../../host/src/component/fault_component.rs"]
mod fault_component;
mod innocent;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim_tests::server::{Connector, Server};

use attackers::Attack;
use innocent::Innocent;

/// How many minutes it runs; some seconds without it.
const MINUTES: &str = "INSOMNIA_SCIM_SOAK_MINUTES";

/// How large it is.
struct Scale {
    /// For each attack.
    time: Duration,
    innocent: usize,
    /// Members of the attacker, and of its largest group.
    members: usize,
}

impl Scale {
    fn asked() -> Self {
        match std::env::var(MINUTES).ok().and_then(|minutes| minutes.parse::<u32>().ok()) {
            Some(minutes) => Self {
                time: Duration::from_secs(60) * minutes.max(1) / u32::try_from(Attack::ALL.len()).unwrap_or(1),
                innocent: 20,
                members: 4_000,
            },
            None => Self { time: Duration::from_millis(700), innocent: 4, members: 60 },
        }
    }
}

/// What the innocent saw during one attack.
#[derive(Default)]
struct Seen {
    latencies: Vec<Duration>,
    refused: usize,
    violations: Vec<String>,
}

#[test]
fn attackers_change_nothing_of_what_others_were_acknowledged() {
    let scale = Scale::asked();
    let mut server = Server::start();
    let named = |number: usize| server.another_organization(&format!("soak-{number:02}"));
    let connectors: Vec<Connector> = (0..scale.innocent).map(named).collect();
    let attacker = server.another_organization("soak-attacker");
    let hostile = server.another_organization("hostile-component");
    let target = attackers::Target::new(&server, &attacker, &hostile, scale.members);
    let mut innocent: Vec<Innocent> = connectors.iter().map(Innocent::new).collect();

    println!(
        "{:<28} {:>8} {:>8} {:>8} {:>7} {:>8} {:>8} {:>8}",
        "attack", "requests", "p50 ms", "p99 ms", "ratio", "refused", "RSS top", "RSS end"
    );
    let mut alone = None;
    let mut violations = Vec::new();
    for attack in Attack::ALL {
        let (seen, most) = go(&server, &mut innocent, &target, attack, scale.time);
        // What the attack took has a moment to come back.
        thread::sleep(scale.time.min(Duration::from_secs(5)) / 5);
        let mut latencies = seen.latencies;
        latencies.sort_unstable();
        let percentile = |percent: usize| {
            let place = latencies.len().saturating_sub(1) * percent / 100;
            latencies.get(place).map_or(0.0, Duration::as_secs_f64) * 1_000.0
        };
        let (median, high) = (percentile(50), percentile(99));
        let ratio = high / *alone.get_or_insert(high);
        println!(
            "{:<28} {:>8} {median:>8.2} {high:>8.2} {ratio:>7.1} {:>8} {:>8} {:>8}",
            attack.name(),
            latencies.len(),
            seen.refused,
            most >> 20,
            server.resident() >> 20
        );
        assert!(!latencies.is_empty(), "{}: nobody was served", attack.name());
        violations.extend(seen.violations);
    }
    // What was acknowledged is there also after the server was ended without a word.
    server.kill();
    server.start_again();
    for one in &mut innocent {
        one.look_at_everything(&mut violations);
    }
    println!("violations: {}", violations.len());
    assert!(violations.is_empty(), "{violations:#?}");
}

/// Lets the innocent go on while the attack lasts. The second value is the most memory that the server had.
fn go(
    server: &Server,
    innocent: &mut [Innocent],
    target: &attackers::Target,
    attack: Attack,
    time: Duration,
) -> (Seen, usize) {
    let stop = Arc::new(AtomicBool::new(false));
    let attackers = attack.begin(target, &stop);
    let seen = Mutex::new(Seen::default());
    let end = Instant::now() + time;
    let mut most = 0;
    thread::scope(|scope| {
        for one in innocent {
            let seen = &seen;
            scope.spawn(move || {
                let mut own = Seen::default();
                while Instant::now() < end {
                    one.act(&mut own);
                }
                let mut seen = seen.lock().unwrap();
                seen.latencies.append(&mut own.latencies);
                seen.violations.append(&mut own.violations);
                seen.refused += own.refused;
            });
        }
        while Instant::now() < end {
            most = most.max(server.resident());
            thread::sleep(Duration::from_millis(50));
        }
    });
    stop.store(true, Ordering::Relaxed);
    for attacker in attackers {
        attacker.join().unwrap();
    }
    (seen.into_inner().unwrap(), most)
}
