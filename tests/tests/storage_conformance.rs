//! The storages of the host keep the rules of the contract, and SQLite also keeps them across restarts, crashes and
//! several processes.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use insomnia_scim::capability::schedule::Claim;
use insomnia_scim::capability::storage::{
    BoundedAdd, Change, Condition, Key, KeyRange, OrganizationId, Page, Storage, StorageError, Transaction,
};
use insomnia_scim::storage::{MemoryStorage, SqliteStorage, conformance};
use tempfile::TempDir;

fn open(path: &Path) -> Arc<SqliteStorage> {
    Arc::new(SqliteStorage::open(path).unwrap())
}

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

fn put(key: &str, value: &str) -> Transaction {
    Transaction { changes: vec![Change::put(key.into(), value.into())], ..Transaction::default() }
}

async fn value(storage: &dyn Storage, key: &str) -> Option<String> {
    value_of(storage, &acme(), key).await
}

async fn value_of(storage: &dyn Storage, organization: &OrganizationId, key: &str) -> Option<String> {
    let items = storage.get(organization, vec![key.into()]).await.unwrap();
    items[0].as_ref().map(|item| String::from_utf8(item.value.clone()).unwrap())
}

async fn keys(storage: &dyn Storage) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    loop {
        let start = keys.last().map(|key| [key, &b"\0"[..]].concat()).unwrap_or_default();
        let range = KeyRange { start, end: vec![0xff] };
        let page = Page { range, reverse: false, skip: 0, limit: 1_000 };
        let scanned = storage.scan(&acme(), vec![page]).await.unwrap().remove(0);
        keys.extend(scanned.entries.into_iter().map(|entry| entry.key));
        if !scanned.more {
            return keys;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_storage_keeps_every_rule() {
    let violations = conformance::run(|| async { Arc::new(MemoryStorage::new()) as Arc<dyn Storage> }).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_storage_keeps_every_rule() {
    let directory = TempDir::new().unwrap();
    let databases = std::sync::atomic::AtomicUsize::new(0);
    let violations = conformance::run(|| {
        let number = databases.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = directory.path().join(format!("{number}.db"));
        async move { open(&path) as Arc<dyn Storage> }
    })
    .await;
    assert!(violations.is_empty(), "{violations:#?}");
}

/// A storage that forgets a rule, to show that the suite would notice.
struct Forgetful(MemoryStorage);

#[async_trait::async_trait]
impl Storage for Forgetful {
    async fn get(
        &self,
        organization: &OrganizationId,
        keys: Vec<Key>,
    ) -> Result<Vec<Option<insomnia_scim::capability::storage::Item>>, StorageError> {
        self.0.get(organization, keys).await
    }

    async fn scan(
        &self,
        organization: &OrganizationId,
        pages: Vec<Page>,
    ) -> Result<Vec<insomnia_scim::capability::storage::Scanned>, StorageError> {
        self.0.scan(organization, pages).await
    }

    async fn commit(&self, organization: &OrganizationId, mut transaction: Transaction) -> Result<u64, StorageError> {
        transaction.conditions.retain(|require| !matches!(require, Condition::Absent(_)));
        self.0.commit(organization, transaction).await
    }

    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError> {
        self.0.append(organization, entries).await
    }

    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        self.0.due(now, limit).await
    }

    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        self.0.next_due(now).await
    }

    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError> {
        self.0.claim(organization, now).await
    }

    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        self.0.renew(organization, number, now).await
    }

    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError> {
        self.0.release(organization, number, next).await
    }

    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        self.0.delete_organization(organization).await
    }

    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError> {
        self.0.is_deleted(organization).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_suite_names_the_rules_that_a_storage_breaks() {
    let make = || async { Arc::new(Forgetful(MemoryStorage::new())) as Arc<dyn Storage> };
    let broken: Vec<_> = conformance::run(make).await.into_iter().map(|violation| violation.rule).collect();
    assert!(broken.contains(&"absent_holds_only_for_a_key_without_a_value"), "{broken:?}");
    assert!(broken.contains(&"of_writers_of_one_unique_key_exactly_one_wins"), "{broken:?}");
    assert!(!broken.contains(&"scan_orders_keys_bytewise"), "{broken:?}");
}

#[tokio::test]
async fn sqlite_keeps_everything_when_it_is_opened_again() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("data.db");
    let storage = open(&path);
    let before = storage.commit(&acme(), Transaction { wake_at: Some(77), ..put("x", "1") }).await.unwrap();
    storage.append(&acme(), vec![("log/1".into(), "appended".into())]).await.unwrap();
    drop(storage);

    let storage = open(&path);
    assert_eq!(value(&*storage, "x").await.as_deref(), Some("1"));
    assert_eq!(value(&*storage, "log/1").await.as_deref(), Some("appended"), "dropping flushes appends");
    assert_eq!(storage.due(77, 10).await.unwrap(), [acme()]);
    assert_eq!(storage.next_due(0).await.unwrap(), Some(77));
    assert!(storage.commit(&acme(), put("x", "2")).await.unwrap() > before, "versions go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_sqlite_storages_on_one_file_stay_correct() {
    const COMMITS: usize = 60;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("data.db");
    let storages = [open(&path), open(&path)];
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let storage = Arc::clone(&storages[writer % 2]);
        tasks.spawn(async move {
            let mut versions = Vec::new();
            for n in 0..COMMITS {
                let key = format!("{writer}/{n}");
                let add = BoundedAdd { key: b"n".to_vec(), delta: 1, min: None, max: Some(10_000) };
                let changes = vec![Change::put(key.clone().into(), Vec::new()), Change::Add(add)];
                let conditions = vec![Condition::Absent(key.into())];
                versions
                    .push(storage.commit(&acme(), Transaction { conditions, changes, wake_at: None }).await.unwrap());
            }
            versions
        });
    }
    let mut versions = tasks.join_all().await.concat();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), 8 * COMMITS, "no version is given twice");
    for storage in &storages {
        assert_eq!(value(&**storage, "n").await, Some((8 * COMMITS).to_string()));
        assert_eq!(keys(&**storage).await.len(), 8 * COMMITS + 1);
    }
}

#[tokio::test]
async fn sqlite_reads_what_another_instance_has_committed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("data.db");
    let (one, two) = (open(&path), open(&path));
    assert_eq!(value(&*two, "x").await, None);
    for n in 0..20 {
        let (writes, reads) = if n % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let acme = acme().with_generation(n);
        let before = writes.commit(&acme, put("x", &n.to_string())).await.unwrap();
        assert_eq!(value_of(&**reads, &acme, "x").await, Some(n.to_string()));
        let conditions = vec![Condition::version(b"x".to_vec(), before)];
        let after = reads.commit(&acme, Transaction { conditions, ..put("y", "1") }).await.unwrap();
        assert!(after > before);
        one.delete_organization(&acme).await.unwrap();
        assert_eq!(value_of(&*two, &acme, "y").await, None);
        assert_eq!(two.commit(&acme, put("z", "1")).await, Err(StorageError::Deleted));
    }
}

/// Where the process that is to be killed finds the database; it is this test in a process of its own.
const KILLED: &str = "STORAGE_CONFORMANCE_KILLED";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sqlite_loses_nothing_acknowledged_when_killed() {
    if let Some(path) = std::env::var_os(KILLED) {
        return write_until_killed(Path::new(&path)).await;
    }
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("data.db");
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storage_conformance::sqlite_loses_nothing_acknowledged_when_killed", "--nocapture"])
            .env(KILLED, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut read = 0;
        while read < 40 + round * 23 {
            let line = lines.next().expect("the writer ended early").unwrap();
            if let Some(key) = line.strip_prefix("committed ") {
                acknowledged.push(key.to_owned());
                read += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it still managed to say counts too, but for a line that was cut short.
        let rest: Vec<_> = lines.map_while(Result::ok).collect();
        let whole = rest.iter().filter(|line| line.ends_with('.'));
        acknowledged.extend(whole.filter_map(|line| line.strip_prefix("committed ")).map(str::to_owned));

        let storage = open(&path);
        let stored = keys(&*storage).await;
        for key in &acknowledged {
            assert!(stored.contains(&key.as_bytes().to_vec()), "{key} was acknowledged and is lost");
        }
        let documents = stored.iter().filter(|key| key.starts_with(b"m/")).count();
        assert_eq!(value(&*storage, "n").await, Some(documents.to_string()), "no transaction is there by half");
    }
}

async fn write_until_killed(path: &Path) {
    let storage = open(path);
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let storage = Arc::clone(&storage);
        tasks.spawn(async move {
            for n in 0..100_000 {
                let key = format!("m/{}/{writer}/{n}.", std::process::id());
                let add = BoundedAdd { key: b"n".to_vec(), delta: 1, min: None, max: None };
                let changes = vec![Change::put(key.clone().into(), vec![b'x'; 900]), Change::Add(add)];
                storage.commit(&acme(), Transaction { changes, ..Transaction::default() }).await.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "committed {key}").unwrap();
                out.flush().unwrap();
            }
        });
    }
    tasks.join_all().await;
}
