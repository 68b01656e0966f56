//! Two hosts on one PostgreSQL whose clocks jump by hours, forwards and backwards, independently of each other.

use std::sync::Arc;

use insomnia_scim::capability::clock::{Clock as _, ManualClock};
use insomnia_scim::connector::ExpiryWindow;
use insomnia_scim_tests::postgres::Cluster;

use super::open;
use crate::rules::organization::Acme;
use crate::rules::world::{BEGIN, HOUR, Host, MINUTE, World};

const WEBHOOK: &str = "https://backend.example/events";
/// Rounds of one life, above which the jobs chase their own tail.
const MOST_ROUNDS: usize = 5_000;

/// A host, and the clock of its machine.
struct Machine {
    host: Host,
    clock: Arc<ManualClock>,
    acme: Acme,
}

impl Machine {
    fn jump(&self, right: u64, hours: i64) {
        let off = hours.unsigned_abs() * HOUR;
        self.clock.set(if hours < 0 { right - off } else { right + off });
    }
}

/// Lets so many milliseconds pass on both machines, and has each run what is due by its own clock: one after the other. At the
/// same moment two hosts whose clocks are hours apart may both send an email, since to one of them the other's claim is over.
async fn live(machines: &[Machine; 2], milliseconds: u64) {
    let mut left = milliseconds;
    for _ in 0..MOST_ROUNDS {
        let mut step = left;
        for Machine { host, clock, .. } in machines {
            let due = host.storage.next_due(clock.now()).await.unwrap();
            step = due.map_or(step, |due| due.saturating_sub(clock.now()).min(step));
        }
        // Hosts with other clocks may each find due what the other has planned. A scheduler looks once a second at the latest.
        let step = step.max(1_000).min(left);
        left -= step;
        for Machine { host, clock, .. } in machines {
            clock.set(clock.now() + step);
            host.provisioner.run_all_due().await.unwrap();
        }
        if left == 0 {
            return;
        }
    }
    panic!("the jobs never come to rest");
}

/// By how many hours the clocks of both are wrong at the same time.
const WRONG: [(i64, i64); 5] = [(0, 5), (0, -5), (9, -9), (-30, 30), (3, 3)];

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clocks_of_two_hosts_that_jump_by_hours_revive_no_token_and_lose_no_job_and_neither_repeats_what_the_other_has_done()
 {
    let cluster = Cluster::start();
    let world = World::in_memory();
    let mut made = Vec::new();
    for _ in 0..2 {
        let clock = Arc::new(ManualClock::new(BEGIN));
        made.push((world.host_on(open(&cluster.url()).await, Arc::clone(&clock)).await, clock));
    }
    let mut acme = Acme::enabled(&made[0].0, 2_000, ExpiryWindow::Days30).await;
    acme.organization.set_webhook(WEBHOOK).await.unwrap();
    let replaced = acme.token.clone();
    acme.refresh().await;
    let machines: Vec<Machine> =
        made.into_iter().map(|(host, clock)| Machine { acme: acme.on(&host), host, clock }).collect();
    let Ok(machines) = <[Machine; 2]>::try_from(machines) else { panic!("two machines") };

    let (mut right, mut people) = (BEGIN, Vec::new());
    for (round, (one, two)) in WRONG.into_iter().enumerate() {
        machines[0].jump(right, one);
        machines[1].jump(right, two);
        for (place, Machine { acme, .. }) in machines.iter().enumerate() {
            assert_eq!(acme.ping(&replaced).await, 401, "the token was replaced; round {round}, host {place}");
            assert_eq!(acme.ping(&acme.token).await, 200, "round {round}, host {place}");
            let person = format!("person-{round}-{place}@acme.example");
            acme.post_user(&person).await.is(201);
            people.push(person);
        }
        live(&machines, MINUTE).await;
        // Somebody sets both right. What a clock that was ahead has planned comes by then at the latest.
        right += MINUTE;
        machines.iter().for_each(|machine| machine.jump(right, 0));
        live(&machines, 7 * HOUR).await;
        right += 7 * HOUR;
        for person in &people {
            assert_eq!(world.mailbox.subjects_to(person).len(), 1, "{person}: mailed once; round {round}");
        }
        let told = world.network.event_types().iter().filter(|kind| *kind == "member.created").count();
        assert_eq!(told, people.len(), "each is told once; round {round}");
    }
    // What a clock has ended, and what was disabled, stays so on both.
    machines[0].acme.organization.disable(crate::rules::organization::OWNER).await.unwrap();
    for (one, two) in WRONG {
        machines[0].jump(right, one);
        machines[1].jump(right, two);
        for Machine { acme, .. } in &machines {
            assert_eq!(acme.ping(&replaced).await, 401);
            assert_eq!(acme.ping(&acme.token).await, 401);
        }
    }
}
