//! Faults between a host and its database: answers that are lost, a database that is restarted, a lock that is held for
//! long.

use std::fs;
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
use insomnia_scim_tests::pgbouncer::Bouncer;
use insomnia_scim_tests::postgres::Cluster;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::open;

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

/// By this a commit is known that is sent as a whole, or prepared.
const TEXT: &[u8] = b"commit_all";
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
    seen: Arc<Seen>,
}

/// What was seen on the way from hosts to the database.
#[derive(Default)]
struct Seen {
    commits: AtomicUsize,
    cuts: AtomicUsize,
    /// How often hosts have said something after the database had answered.
    turns: AtomicUsize,
    /// How often they have said the text of a commit.
    texts: AtomicUsize,
}

impl Between {
    fn start(database: PathBuf, every: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let seen = Arc::<Seen>::default();
        let shared = Arc::clone(&seen);
        thread::spawn(move || {
            for host in listener.incoming() {
                let (Ok(host), Ok(server)) = (host, UnixStream::connect(&database)) else { return };
                let seen = Arc::clone(&shared);
                thread::spawn(move || carry(host, server, every, &seen));
            }
        });
        Self { directory, seen }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@/postgres?host={}", self.directory.path().display())
    }
}

fn carry(mut host: UnixStream, mut server: UnixStream, every: usize, seen: &Seen) {
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
        seen.texts.fetch_add(usize::from(asked.windows(TEXT.len()).any(|word| word == TEXT)), Ordering::SeqCst);
        seen.turns.fetch_add(usize::from(has_answered.swap(false, Ordering::SeqCst)), Ordering::SeqCst);
        if asked.windows(MARK.len()).any(|word| word == MARK) {
            let number = seen.commits.fetch_add(1, Ordering::SeqCst) + 1;
            if number.is_multiple_of(every) {
                seen.cuts.fetch_add(1, Ordering::SeqCst);
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
    let turns = || between.seen.turns.swap(0, Ordering::SeqCst);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_prepared_on_connections_to_the_database_itself_and_not_behind_pgbouncer() {
    const COMMITS: usize = 20;
    let cluster = Cluster::start();
    let bouncer = Bouncer::before(&cluster, 2);
    let behind = bouncer.url();
    let folder = behind.split_once("host=").and_then(|(_, rest)| rest.split('&').next()).unwrap();
    let socket = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let socket = socket.filter(|path| path.to_string_lossy().contains(".s.PGSQL.")).min().unwrap();
    for (database, is_direct) in [(cluster.socket(), true), (socket, false)] {
        let between = Between::start(database, usize::MAX);
        let storage = open(&(between.url() + "&connections=2")).await;
        // From then on there is a connection, and what can be prepared is.
        storage.commit(&acme(), one_more("first")).await.unwrap();
        between.seen.texts.store(0, Ordering::SeqCst);
        for n in 0..COMMITS {
            storage.commit(&acme(), one_more(&n.to_string())).await.unwrap();
        }
        let texts = between.seen.texts.load(Ordering::SeqCst);
        assert_eq!(texts, if is_direct { 0 } else { COMMITS }, "on a connection to the database itself: {is_direct}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_whose_connection_breaks_is_made_exactly_once() {
    const WRITERS: usize = 4;
    const COMMITS: usize = 30;
    const REFUSED: usize = 20;
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
    // What was refused is not made later either: not even when nothing speaks against it any more.
    let refused = tokio::spawn({
        let storage = Arc::clone(&storage);
        async move {
            for n in 0..REFUSED {
                let wanted = format!("wanted/{n}").into_bytes();
                let mut change = one_more(&format!("refused/{n}"));
                change.conditions = vec![Condition::Exists(wanted.clone())];
                let answer = storage.commit(&acme(), change).await;
                assert!(matches!(&answer, Err(StorageError::Conflict(key)) if *key == wanted), "{answer:?}");
                let put = vec![Change::put(wanted, Vec::new())];
                storage.commit(&acme(), Transaction { changes: put, ..Transaction::default() }).await.unwrap();
            }
        }
    });
    let versions = writers.join_all().await.concat();
    refused.await.unwrap();
    assert!(between.seen.cuts.load(Ordering::SeqCst) > 5, "connections were cut");
    assert_eq!(counter(&storage).await, (WRITERS * COMMITS).to_string(), "each addition was made once");
    // The version that a caller was told is the one that is stored: the answer is that of the try that took place.
    let told = versions.len();
    let stored = cluster.sql(
        "SELECT count(DISTINCT version) FROM insomnia_scim.item WHERE key <> 'n' AND convert_from(key, 'UTF8') NOT LIKE 'wanted/%'",
    );
    assert_eq!(stored, told.to_string());
    let refused = "SELECT count(*) FROM insomnia_scim.item WHERE convert_from(key, 'UTF8') LIKE 'refused/%'";
    assert_eq!(cluster.sql(refused), "0");
    let largest = cluster.sql("SELECT version FROM insomnia_scim.item WHERE key = 'n'");
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
