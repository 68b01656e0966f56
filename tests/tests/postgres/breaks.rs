//! What breaks between a host and its database: answers that are lost, a database that is started again, a lock that is
//! held for long.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use insomnia_scim::capability::storage::{BoundedAdd, Change, OrganizationId, Storage as _, StorageError, Transaction};
use insomnia_scim_tests::postgres::Cluster;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::open;

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

/// Adds one to a counter, and puts a key.
fn one_more(key: &str) -> Transaction {
    let add = BoundedAdd { key: b"n".to_vec(), delta: 1, min: None, max: None };
    Transaction { changes: vec![Change::Add(add), Change::put(key.into(), Vec::new())], ..Transaction::default() }
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
}

impl Between {
    fn start(database: PathBuf, every: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let (cuts, commits) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&cuts);
        thread::spawn(move || {
            for host in listener.incoming() {
                let (Ok(host), Ok(server)) = (host, UnixStream::connect(&database)) else { return };
                let (cuts, commits) = (Arc::clone(&counted), Arc::clone(&commits));
                thread::spawn(move || carry(host, server, every, &commits, &cuts));
            }
        });
        Self { directory, cuts }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@/postgres?host={}", self.directory.path().display())
    }
}

fn carry(mut host: UnixStream, mut server: UnixStream, every: usize, commits: &AtomicUsize, cuts: &AtomicUsize) {
    let (mut answers, mut back) = (server.try_clone().unwrap(), host.try_clone().unwrap());
    let is_cut = Arc::new(AtomicUsize::new(0));
    let cut = Arc::clone(&is_cut);
    thread::spawn(move || {
        let mut part = vec![0; 64 << 10];
        while let Ok(length @ 1..) = answers.read(&mut part) {
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
        if asked.windows(12).any(|word| word == b"commit_group") {
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
