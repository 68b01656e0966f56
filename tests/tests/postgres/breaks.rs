//! What breaks between a host and its database: answers that are lost, a database that is started again, a lock that is
//! held for long.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim::capability::storage::{
    BoundedAdd, Change, Condition, KeyRange, OrganizationId, Page, Storage as _, StorageError, Transaction,
};
use insomnia_scim_tests::postgres::Cluster;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::open;

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

/// By this a commit is known on its way.
const MARK: &[u8] = b"one more";

/// Adds one to a counter, and puts a key.
fn one_more(key: &str) -> Transaction {
    let add = BoundedAdd { key: b"n".to_vec(), delta: 1, min: None, max: None };
    Transaction { changes: vec![Change::Add(add), Change::put(key.into(), MARK.to_vec())], ..Transaction::default() }
}

async fn counter(storage: &insomnia_scim::storage::PostgresStorage) -> String {
    let item = storage.get(&acme(), vec![b"n".to_vec()]).await.unwrap().remove(0);
    item.map(|item| String::from_utf8(item.value).unwrap()).unwrap_or_default()
}

/// Stands between hosts and the database, and breaks every so many commits off: in turn before the database has heard of
/// one, and when it has answered.
struct Between {
    directory: TempDir,
    cuts: Arc<AtomicUsize>,
    /// How often hosts have said something after the database had answered.
    turns: Arc<AtomicUsize>,
}

impl Between {
    fn start(database: PathBuf, every: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let [cuts, commits, turns] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
        let (counted, counted_turns) = (Arc::clone(&cuts), Arc::clone(&turns));
        thread::spawn(move || {
            for host in listener.incoming() {
                let (Ok(host), Ok(server)) = (host, UnixStream::connect(&database)) else { return };
                let (cuts, commits, turns) = (Arc::clone(&counted), Arc::clone(&commits), Arc::clone(&counted_turns));
                thread::spawn(move || carry(host, server, every, &commits, &cuts, &turns));
            }
        });
        Self { directory, cuts, turns }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@/postgres?host={}", self.directory.path().display())
    }
}

fn carry(
    mut host: UnixStream,
    mut server: UnixStream,
    every: usize,
    commits: &AtomicUsize,
    cuts: &AtomicUsize,
    turns: &AtomicUsize,
) {
    let (mut answers, mut back) = (server.try_clone().unwrap(), host.try_clone().unwrap());
    let is_cut = Arc::new(AtomicUsize::new(0));
    let cut = Arc::clone(&is_cut);
    let has_answered = Arc::new(AtomicBool::new(true));
    let answered = Arc::clone(&has_answered);
    thread::spawn(move || {
        let mut part = vec![0; 64 << 10];
        while let Ok(length @ 1..) = answers.read(&mut part) {
            answered.store(true, Ordering::SeqCst);
            // The database has done what it was asked, and nobody hears of it.
            if cut.load(Ordering::SeqCst) > 0 || back.write_all(&part[..length]).is_err() {
                break;
            }
        }
        let _ = (back.shutdown(Shutdown::Both), answers.shutdown(Shutdown::Both));
    });
    let mut part = vec![0; 64 << 10];
    while let Ok(length @ 1..) = host.read(&mut part) {
        let asked = &part[..length];
        turns.fetch_add(usize::from(has_answered.swap(false, Ordering::SeqCst)), Ordering::SeqCst);
        if asked.windows(MARK.len()).any(|word| word == MARK) {
            let number = commits.fetch_add(1, Ordering::SeqCst) + 1;
            if number.is_multiple_of(every) {
                cuts.fetch_add(1, Ordering::SeqCst);
                if number.is_multiple_of(2 * every) {
                    break;
                }
                is_cut.store(1, Ordering::SeqCst);
            }
        }
        if server.write_all(asked).is_err() {
            break;
        }
    }
    if is_cut.load(Ordering::SeqCst) == 0 {
        let _ = (host.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_get_a_scan_and_a_commit_are_one_round_trip_each() {
    let cluster = Cluster::start();
    let between = Between::start(cluster.socket(), usize::MAX);
    let storage = open(&between.url()).await;
    // From then on there is a connection, and the organization's id is known.
    storage.commit(&acme(), one_more("first")).await.unwrap();
    let turns = || between.turns.swap(0, Ordering::SeqCst);
    turns();
    let keys = (0..1_000).map(|n| format!("{n}").into()).chain([b"first".to_vec(), b"n".to_vec()]).collect();
    assert_eq!(storage.get(&acme(), keys).await.unwrap().iter().flatten().count(), 2);
    assert_eq!(turns(), 1, "a get of many keys");
    let page =
        |reverse| Page { range: KeyRange { start: b"a".to_vec(), end: b"z".to_vec() }, reverse, skip: 0, limit: 10 };
    assert_eq!(storage.scan(&acme(), vec![page(false), page(true)]).await.unwrap()[1].entries.len(), 2);
    assert_eq!(turns(), 1, "a scan of two pages");
    let mut change = one_more("second");
    change.conditions = vec![Condition::Exists(b"first".to_vec()), Condition::Absent(b"second".to_vec())];
    change.changes.extend((0..1_000).map(|n| Change::put(format!("many/{n}").into(), vec![b'x'; 100])));
    change.changes.push(Change::Delete(b"first".to_vec()));
    change.wake_at = Some(1);
    storage.commit(&acme(), change).await.unwrap();
    assert_eq!(turns(), 1, "a commit of all kinds of writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_whose_connection_breaks_is_made_exactly_once() {
    const WRITERS: usize = 4;
    const COMMITS: usize = 30;
    let cluster = Cluster::start();
    let between = Between::start(cluster.socket(), 5);
    let storage = open(&between.url()).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let storage = Arc::clone(&storage);
        writers.spawn(async move {
            let mut versions = Vec::new();
            for n in 0..COMMITS {
                versions.push(storage.commit(&acme(), one_more(&format!("{writer}/{n}"))).await.unwrap());
            }
            assert!(versions.is_sorted_by(|before, after| before < after), "{versions:?}");
            versions
        });
    }
    let versions = writers.join_all().await.concat();
    assert!(between.cuts.load(Ordering::SeqCst) > 5, "connections were cut");
    assert_eq!(counter(&storage).await, (WRITERS * COMMITS).to_string(), "each addition was made once");
    // The version that a caller was told is the one that is stored: the answer is that of the try that took place.
    let told = versions.len();
    let stored = cluster.sql("SELECT count(DISTINCT version) FROM insomnia_scim.item WHERE key <> 'n'");
    assert_eq!(stored, told.to_string());
    let largest = cluster.sql("SELECT max(version) FROM insomnia_scim.item");
    assert_eq!(largest, versions.iter().max().unwrap().to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_wait_for_a_database_that_is_started_again_and_nothing_is_lost() {
    let mut cluster = Cluster::start();
    let storage = open(&cluster.url()).await;
    for n in 0..5 {
        storage.commit(&acme(), one_more(&n.to_string())).await.unwrap();
    }
    cluster.stop();
    let during = tokio::spawn({
        let storage = Arc::clone(&storage);
        async move { (storage.commit(&acme(), one_more("during")).await, counter(&storage).await) }
    });
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.start_again();
        cluster
    })
    .await
    .unwrap();
    let (committed, read) = during.await.unwrap();
    committed.unwrap();
    assert_eq!(read, "6");
    assert_eq!(cluster.sql("SELECT count(*) FROM insomnia_scim.item WHERE key <> 'n'"), "6");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_for_a_lock_or_a_connection_is_refused_and_others_are_served() {
    let cluster = Cluster::start();
    let storage = open(&(cluster.url() + "&connections=4&patience=2")).await;
    let other = OrganizationId::parse("other").unwrap();
    for organization in [&acme(), &other] {
        storage.commit(organization, one_more("x")).await.unwrap();
    }
    let locked = "BEGIN; SELECT 1 FROM insomnia_scim.organization WHERE name = 'acme' FOR UPDATE; SELECT pg_sleep(60)";
    let mut holder = cluster.client(locked).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_locked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    while cluster.sql(is_locked) != "1" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut waiting = JoinSet::new();
    for n in 0..20 {
        let storage = Arc::clone(&storage);
        waiting.spawn(async move { storage.commit(&acme(), one_more(&n.to_string())).await });
    }
    let begin = Instant::now();
    let mut served = 0;
    while !waiting.is_empty() {
        if let Some(ended) = waiting.try_join_next() {
            let refused = ended.unwrap();
            assert!(matches!(refused, Err(StorageError::Unavailable(_))), "{refused:?}");
        }
        storage.commit(&other, one_more("y")).await.unwrap();
        served += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(begin.elapsed() < Duration::from_secs(30), "refused after {:?}", begin.elapsed());
    assert!(served > 1);
    let _ = (holder.kill(), holder.wait());
    cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
    storage.commit(&acme(), one_more("afterwards")).await.unwrap();
    assert_eq!(counter(&storage).await, "2", "what was refused was not made later");
}
