//! The public suite of rules for every storage, on one host and on three; and the effects of opening a database.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use insomnia_scim::capability::schedule::Claim;
use insomnia_scim::capability::storage::{
    Change, Condition, Item, Key, OrganizationId, Page, Scanned, Storage, StorageError, Transaction,
};
use insomnia_scim::storage::{PostgresConfig, PostgresOpenError, PostgresStorage, conformance};
use insomnia_scim_tests::postgres::Cluster;

use super::open;
use crate::storage_data::keeps_the_rules_that_are_data;

/// Several hosts on one database, of which each call reaches the next.
pub(super) struct Spread {
    hosts: Vec<Arc<PostgresStorage>>,
    calls: AtomicUsize,
}

impl Spread {
    pub(super) async fn over(url: &str, hosts: usize) -> Self {
        let mut opened = Vec::new();
        for _ in 0..hosts {
            opened.push(open(url).await);
        }
        Self { hosts: opened, calls: AtomicUsize::new(0) }
    }

    fn next(&self) -> &PostgresStorage {
        &self.hosts[self.calls.fetch_add(1, Ordering::Relaxed) % self.hosts.len()]
    }
}

#[async_trait::async_trait]
impl Storage for Spread {
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        self.next().get(organization, keys).await
    }

    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError> {
        self.next().scan(organization, pages).await
    }

    async fn commit(&self, organization: &OrganizationId, transaction: Transaction) -> Result<u64, StorageError> {
        self.next().commit(organization, transaction).await
    }

    /// What is appended is there when a later commit of the same caller returns; over several hosts, when it is flushed.
    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError> {
        let host = self.next();
        host.append(organization, entries).await?;
        host.flush().await
    }

    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        self.next().due(now, limit).await
    }

    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        self.next().next_due(now).await
    }

    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError> {
        self.next().claim(organization, now).await
    }

    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        self.next().renew(organization, number, now).await
    }

    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError> {
        self.next().release(organization, number, next).await
    }

    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        self.next().delete_organization(organization).await
    }

    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError> {
        self.next().is_deleted(organization).await
    }

    async fn flush(&self) -> Result<(), StorageError> {
        for host in &self.hosts {
            host.flush().await?;
        }
        Ok(())
    }
}

pub(super) type Made = Pin<Box<dyn Future<Output = Arc<dyn Storage>> + Send>>;

/// Checks all rules on one database, which is emptied between two of them.
pub(super) async fn keeps_every_rule(cluster: &Cluster, make: impl Fn(String) -> Made) {
    // Its tables are made.
    drop(open(&cluster.url()).await);
    let last: Mutex<Option<Arc<dyn Storage>>> = Mutex::new(None);
    let violations = conformance::run(|| async {
        let before = last.lock().expect("no rule panics").take();
        if let Some(before) = before {
            // What was appended last may still be on its way.
            before.flush().await.expect("the last storage can be flushed");
        }
        cluster.sql("TRUNCATE insomnia_scim.item, insomnia_scim.organization, insomnia_scim.receipt");
        let storage = make(cluster.url()).await;
        *last.lock().expect("no rule panics") = Some(Arc::clone(&storage));
        storage
    })
    .await;
    assert!(violations.is_empty(), "{violations:#?}\n{}", cluster.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_storage_keeps_every_rule() {
    let cluster = Cluster::start();
    keeps_every_rule(&cluster, |url| Box::pin(async move { open(&url).await as Arc<dyn Storage> })).await;
}

/// Where npm has no PostgreSQL for this kind of machine, there is nothing to show.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn storage_in_the_newest_postgres_keeps_every_rule() {
    let Some(cluster) = Cluster::start_newest() else {
        let machine = (std::env::consts::OS, std::env::consts::ARCH);
        assert_ne!(machine, ("linux", "x86_64"), "the newest PostgreSQL is missing: `make test` installs it");
        return;
    };
    let version: u32 = cluster.sql("SHOW server_version_num").parse().unwrap();
    assert!(version >= 180_000, "{version}");
    keeps_every_rule(&cluster, |url| Box::pin(async move { open(&url).await as Arc<dyn Storage> })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_hosts_on_one_postgres_keep_every_rule() {
    let cluster = Cluster::start();
    keeps_every_rule(&cluster, |url| {
        Box::pin(async move { Arc::new(Spread::over(&url, 3).await) as Arc<dyn Storage> })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres_storage_keeps_the_rules_that_are_data() {
    let cluster = Cluster::start();
    // Its tables are made.
    drop(open(&cluster.url()).await);
    keeps_the_rules_that_are_data(|| {
        cluster.sql("TRUNCATE insomnia_scim.item, insomnia_scim.organization, insomnia_scim.receipt");
        let url = cluster.url();
        Box::new(move || {
            let url = url.clone();
            Box::pin(async move { open(&url).await as Arc<dyn Storage> })
        })
    })
    .await;
}

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

fn put(key: &str, value: &str) -> Transaction {
    Transaction { changes: vec![Change::put(key.into(), value.into())], ..Transaction::default() }
}

/// A connection that is as old as the tables has made its plans when these were empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_call_reads_does_not_grow_with_the_organization_also_where_the_tables_were_empty_before() {
    const ITEMS: usize = 3_000;
    const CALLS: usize = 50;
    let cluster = Cluster::start();
    let storage = open(&(cluster.url() + "&connections=2")).await;
    let at = |number: usize| format!("item/{number:05}").into_bytes();
    for first in (0..ITEMS).step_by(100) {
        // Each of the calls that follow has made its plan by then.
        storage.get(&acme(), vec![at(first), at(first + 1)]).await.unwrap();
        let changes = (first..first + 100).map(|number| Change::put(at(number), b"value".to_vec())).collect();
        let conditions = vec![Condition::Absent(at(first))];
        storage.commit(&acme(), Transaction { conditions, changes, wake_at: None }).await.unwrap();
        storage
            .commit(&acme(), Transaction { changes: vec![Change::Delete(at(ITEMS))], ..Transaction::default() })
            .await
            .unwrap();
    }
    for call in 0..CALLS {
        assert!(storage.get(&acme(), vec![at(call), at(ITEMS)]).await.unwrap()[0].is_some());
        let changes = vec![Change::put(at(call), b"other".to_vec()), Change::Delete(at(ITEMS + call))];
        let conditions = vec![Condition::Exists(at(call + 1))];
        storage.commit(&acme(), Transaction { conditions, changes, wake_at: None }).await.unwrap();
    }
    // What a session has counted is told when it ends.
    drop(storage);
    while cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'insomnia-scim'") != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let read =
        cluster.sql("SELECT sum(idx_tup_fetch + seq_tup_read) FROM pg_stat_user_tables WHERE relname LIKE 'item\\_%'");
    let read: usize = read.parse().unwrap();
    assert!((CALLS..3 * ITEMS).contains(&read), "{read} items were read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hosts_that_open_an_empty_database_at_once_make_its_tables_once() {
    let cluster = Cluster::start();
    let mut hosts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let url = cluster.url();
        hosts.spawn(async move { open(&url).await });
    }
    let hosts = hosts.join_all().await;
    let before = hosts[0].commit(&acme(), put("x", "1")).await.unwrap();
    let read = hosts[7].get(&acme(), vec![b"x".to_vec()]).await.unwrap();
    assert_eq!(read, [Some(Item { value: b"1".to_vec(), version: before })]);
    assert_eq!(cluster.sql("SELECT count(*), max(version) FROM insomnia_scim.schema_version"), "1|3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_can_not_be_used_is_refused_with_words() {
    let cluster = Cluster::start();
    let config = || PostgresConfig::from_url(&cluster.url()).unwrap();
    let empty = PostgresStorage::open_existing(config()).await.unwrap_err();
    assert!(matches!(empty, PostgresOpenError::Empty(_)), "{empty}");
    assert_eq!(
        cluster.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'insomnia_scim'"),
        "0",
        "nothing was made"
    );
    // Tables of the first version are brought up to date, with what they have.
    let version_1 = include_str!("../../../host/src/storage/postgres/schema-1.sql");
    let first = version_1.replace("SCHEMA.", "\"old\".");
    let note = "CREATE TABLE old.schema_version (version int NOT NULL); INSERT INTO old.schema_version VALUES (1);";
    let filled = "INSERT INTO old.organization (id, name, generation, version) VALUES (7, 'acme', 0, 41);
        INSERT INTO old.item (organization, key, value, version) VALUES (7, 'x', '1', 41);";
    cluster.sql(&format!("CREATE SCHEMA old; {note} {first} {filled}"));
    let old = open(&(cluster.url() + "&schema=old")).await;
    let read = old.get(&acme(), vec![b"x".to_vec()]).await.unwrap();
    assert_eq!(read, [Some(Item { value: b"1".to_vec(), version: 41 })]);
    assert_eq!(old.commit(&acme(), put("x", "2")).await.unwrap(), 42);
    assert_eq!(cluster.sql("SELECT version, (SELECT count(*) FROM old.members) FROM old.schema_version"), "3|0");
    let mended = "SELECT count(*) FROM pg_proc WHERE proname = 'commit_group'
        AND prosrc LIKE '%IF true THEN%' AND prosrc LIKE '%FOREACH v_key IN ARRAY x_key%'";
    assert_eq!(cluster.sql(mended), "1", "what the release before calls is mended too");
    // A function that somebody has changed can't be mended: that is said, and nothing is done.
    let first = version_1.replace("SCHEMA.", "\"odd\".").replace("IF v_done THEN", "IF v_done IS TRUE THEN");
    cluster.sql(&format!("CREATE SCHEMA odd; {} {first}", note.replace("old.", "odd.")));
    let odd = PostgresConfig::from_url(&(cluster.url() + "&schema=odd")).unwrap();
    let refused = PostgresStorage::open(odd).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::Migration { .. }), "{refused}");
    assert!(refused.to_string().contains("commit_group is not that of version 1"), "{refused}");
    assert_eq!(cluster.sql("SELECT version FROM odd.schema_version"), "1");
    drop(open(&cluster.url()).await);
    cluster.sql("UPDATE insomnia_scim.schema_version SET version = 99");
    let newer = PostgresStorage::open(config()).await.unwrap_err();
    assert!(matches!(newer, PostgresOpenError::Newer { found: 99, .. }), "{newer}");
    cluster.sql("CREATE ROLE reader LOGIN");
    let reader = cluster.url().replace("postgres@", "reader@") + "&schema=other";
    let refused = PostgresStorage::open(PostgresConfig::from_url(&reader).unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains("needs the right to create a schema"), "{refused}");
    let nobody = cluster.url().replace("postgres@", "nobody:hunter2@");
    let refused = PostgresStorage::open(PostgresConfig::from_url(&nobody).unwrap()).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::Refused { .. }), "{refused}");
    assert!(!format!("{refused:?} {refused}").contains("hunter2"));
    // Of several hosts the last one's refusal is not all there is to say: the others may only be away.
    let several = format!("{nobody},{}", cluster.socket().parent().unwrap().display());
    let away = PostgresStorage::open(PostgresConfig::from_url(&several).unwrap()).await.unwrap_err();
    assert!(matches!(away, PostgresOpenError::Connection { .. }), "{away}");
}
