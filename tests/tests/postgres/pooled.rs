//! A PostgreSQL behind pgbouncer in transaction mode: no session lasts longer than a transaction.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim::capability::storage::Storage;
use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::idp::entra::{Entra, Shape};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::pgbouncer::Bouncer;
use insomnia_scim_tests::postgres::Cluster;
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{Server, Surroundings, binary};

use super::storage::{Spread, keeps_every_rule};

/// Fewer connections than the hosts have together: each of these serves all of them.
const CONNECTIONS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hosts_behind_pgbouncer_keep_every_rule() {
    let cluster = Cluster::start();
    let bouncer = Bouncer::before(&cluster, CONNECTIONS);
    keeps_every_rule(&cluster, |_| {
        let url = bouncer.url();
        Box::pin(async move { Arc::new(Spread::over(&url, 2).await) as Arc<dyn Storage> })
    })
    .await;
}

#[test]
fn servers_behind_pgbouncer_serve_many_at_a_time() {
    const CALLERS: usize = 8;
    const USERS: usize = 6;
    let cluster = Cluster::start();
    let bouncer = Bouncer::before(&cluster, CONNECTIONS);
    let server = Server::start_in(&Surroundings { storage: Some(bouncer.url()), ..Surroundings::default() }, &[]);
    let two = server.another_host();
    let clients: Vec<Client> =
        (0..CALLERS).map(|caller| if caller % 2 == 0 { server.client() } else { two.client() }).collect();
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| (0..USERS).for_each(|_| drop(seed::user(client, &Person::new("pooled")))));
        }
    });
    assert_eq!(two.client().get("/Users?count=0").list().total as usize, CALLERS * USERS);
    let entra = Entra::new(&server.connector(), Shape::Default);
    let user = entra.provision(&Person::new("entra"));
    let group = entra.provision_group(&unique("Pooled"));
    entra.add_members(&group, std::slice::from_ref(&user));
    entra.purge(&user);
    // Nothing of a statement or a lock is left in a connection for whoever gets it next.
    let left = cluster.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
    assert_eq!(left, "0");
}

fn copied(from: &str, to: &str) -> Output {
    Command::new(binary()).args(["migrate", "--from", from, "--to", to]).output().unwrap()
}

#[test]
fn p9_of_two_copies_through_pgbouncer_one_is_refused_and_afterwards_nobody_is() {
    let cluster = Cluster::start();
    let bouncer = Bouncer::before(&cluster, CONNECTIONS);
    let (data, url) = (tempfile::tempdir().unwrap(), bouncer.url());
    let from = data.path().to_str().unwrap();
    let create = ["--data", from, "org", "create", "acme", "--seats", "10", "--owner", "owner@acme.example"];
    assert!(Command::new(binary()).args(create).stdout(Stdio::null()).status().unwrap().success());
    // What another copy holds, for as long as it is under way.
    let lock =
        "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('insomnia-scim copy SCHEMA', 0)); SELECT pg_sleep(600)";
    let mut other = cluster.client(lock).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "1" {
        thread::sleep(Duration::from_millis(20));
    }
    let refused = copied(from, &url);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("another copy into"), "{said}");
    cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    let _ = other.wait();
    let first = copied(from, &url);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    // The pool notices by itself that the command has ended, and then closes the connection with the lock.
    let begin = Instant::now();
    while cluster.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") != "0" {
        assert!(begin.elapsed() < Duration::from_secs(60), "the lock ends with the copy");
        thread::sleep(Duration::from_millis(20));
    }
}
