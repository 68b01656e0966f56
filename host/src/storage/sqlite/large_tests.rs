//! A large transaction takes effect as a whole, delays no other work, and survives the end of the process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use super::copy::SqliteSource;
use super::large::{self, IsDecided, Staging, can_be_staged};
use super::queue::ROWS;
use super::read::Readers;
use super::tests::{Drawn, compare_reads};
use super::{Checkpoints, SqliteStorage, change, open};
use crate::capability::storage::{
    BoundedAdd, Change, Condition, KeyRange, OrganizationId, Page, Storage as _, StorageError, Transaction,
};
use crate::storage::MemoryStorage;
use crate::storage::copy::{Part, Sent, Source};

/// A number of rows that is too large for one piece.
const MANY: usize = ROWS * 3;

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

/// A key that is alternately kept in a group and in order.
fn key(number: usize) -> Vec<u8> {
    let beginning = if number.is_multiple_of(2) { "user-name" } else { "user-name0" };
    format!("{beginning}/{number:06}").into()
}

fn all() -> KeyRange {
    KeyRange { start: b"user-name/".to_vec(), end: b"user-name1".to_vec() }
}

/// How many of these keys exist at one moment.
async fn count(storage: &SqliteStorage) -> Result<u64, StorageError> {
    Readers::read(&storage.readers, &acme(), u64::MAX, |reader| reader.count(&acme(), &all())).await
}

fn add(delta: i64) -> Change {
    Change::Add(BoundedAdd { key: b"sum".to_vec(), delta, min: Some(0), max: None })
}

fn large(value: &str) -> Transaction {
    let mut changes: Vec<Change> = (0..MANY).map(|number| Change::put(key(number), value.into())).collect();
    changes.push(add(i64::try_from(MANY).unwrap()));
    Transaction { changes, ..Transaction::default() }
}

fn small(name: &str) -> Transaction {
    Transaction { changes: vec![Change::put(name.into(), b"x".to_vec())], ..Transaction::default() }
}

async fn first_page(storage: &SqliteStorage, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>, u64)> {
    let page = Page { range: all(), reverse, skip: 1, limit: 3 };
    let scanned = storage.scan(&acme(), vec![page]).await.unwrap().remove(0);
    scanned.entries.into_iter().map(|entry| (entry.key, entry.value, entry.version)).collect()
}

async fn value(storage: &SqliteStorage, key: &[u8]) -> Option<String> {
    let found = storage.get(&acme(), vec![key.to_vec()]).await.unwrap().remove(0);
    found.map(|item| String::from_utf8(item.value).unwrap())
}

fn rows(path: &Path, table: &str) -> i64 {
    let connection = Connection::open(path).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_transaction_takes_effect_as_a_whole_and_others_commit_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let storage = Arc::new(SqliteStorage::open(&path).unwrap());
    storage.commit(&acme(), small("first")).await.unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (storage, ended) = (Arc::clone(&storage), Arc::clone(&ended));
        async move {
            let (mut seen, mut last) = (0, 0);
            while !ended.load(Ordering::Relaxed) {
                let keys = vec![key(0), key(MANY / 2), key(MANY - 1), b"sum".to_vec()];
                let found = storage.get(&acme(), keys).await.unwrap();
                let values: Vec<_> = found.iter().map(|item| item.as_ref().map(|item| item.version)).collect();
                assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "a part of it is seen: {values:?}");
                let there = count(&storage).await.unwrap();
                assert!(there == 0 || there == MANY as u64, "{there}");
                let version = values[0].unwrap_or_default();
                assert!(version >= last, "it goes back");
                seen += usize::from(version != last);
                last = version;
            }
            seen
        }
    });
    let other = tokio::spawn({
        let (storage, ended) = (Arc::clone(&storage), Arc::clone(&ended));
        async move {
            let other = OrganizationId::parse("other").unwrap();
            let mut commits = 0;
            while !ended.load(Ordering::Relaxed) {
                storage.commit(&other, small("x")).await.unwrap();
                commits += 1;
            }
            commits
        }
    });
    for value in ["one", "two", "three"] {
        storage.commit(&acme(), large(value)).await.unwrap();
        assert_eq!(self::value(&storage, &key(7)).await.as_deref(), Some(value));
    }
    // Later work is done later.
    storage.commit(&acme(), small("last")).await.unwrap();
    ended.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() >= 1);
    let commits: usize = other.await.unwrap();
    assert!(commits > 3 * 3, "others commit between the steps of each: {commits}");
    assert_eq!(value(&storage, b"sum").await, Some((3 * MANY).to_string()));
    storage.flush().await.unwrap();
    assert_eq!((rows(&path, "batch"), rows(&path, "staged")), (0, 0), "nothing is left of it");
}

#[tokio::test]
async fn a_large_transaction_that_is_refused_changes_nothing_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let storage = SqliteStorage::open(&path).unwrap();
    storage.commit(&acme(), small("first")).await.unwrap();
    let conflict = Transaction { conditions: vec![Condition::Absent(b"first".to_vec())], ..large("one") };
    assert_eq!(storage.commit(&acme(), conflict).await, Err(StorageError::Conflict(b"first".to_vec())));
    let mut limit = large("one");
    limit.changes.pop();
    limit.changes.push(add(-1));
    assert!(matches!(storage.commit(&acme(), limit).await, Err(StorageError::Limit(_))));
    assert_eq!(count(&storage).await, Ok(0));
    storage.commit(&acme(), small("last")).await.unwrap();
    storage.flush().await.unwrap();
    assert_eq!((rows(&path, "batch"), rows(&path, "staged")), (0, 0));
}

#[tokio::test]
async fn ranges_that_a_large_transaction_deletes_go_with_what_it_put_there_before() {
    let directory = tempfile::tempdir().unwrap();
    let storage = SqliteStorage::open(&directory.path().join("data.db")).unwrap();
    storage.commit(&acme(), large("one")).await.unwrap();
    let put = |number, value: &str| Change::put(key(number), value.into());
    let mut changes = vec![put(1, "before"), put(MANY + 1, "before"), Change::DeleteRange(all()), put(2, "after")];
    changes.extend((0..MANY).map(|number| Change::put(format!("m/{number}").into(), b"x".to_vec())));
    let transaction = Transaction { changes, ..Transaction::default() };
    assert!(can_be_staged(&transaction));
    storage.commit(&acme(), transaction).await.unwrap();
    assert_eq!(count(&storage).await, Ok(1));
    assert_eq!(value(&storage, &key(2)).await.as_deref(), Some("after"));
}

#[test]
fn what_is_added_to_and_changed_otherwise_is_not_staged() {
    let with = |changes: Vec<Change>| can_be_staged(&Transaction { changes, ..Transaction::default() });
    let range = KeyRange { start: b"s".to_vec(), end: b"t".to_vec() };
    assert!(with(vec![add(1), Change::put(b"other".to_vec(), Vec::new())]));
    assert!(!with(vec![add(1), add(1)]));
    assert!(!with(vec![Change::put(b"sum".to_vec(), Vec::new()), add(1)]));
    assert!(!with(vec![add(1), Change::DeleteRange(range)]));
}

/// Stages the whole transaction.
fn staged(connection: &Connection, organization: i64, transaction: &Transaction) -> Staging {
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN IMMEDIATE").unwrap();
    let mut staging = Staging::begin(connection, organization).unwrap();
    while !staging.step(connection, transaction).unwrap() {}
    connection.execute_batch("COMMIT").unwrap();
    staging
}

/// Leaves a database as a process does that ends after it has staged, decided or moved a part.
fn left_behind(path: &Path, decided: bool, moved: usize) {
    drop(SqliteStorage::open(path).unwrap());
    let connection = open::writer(path, Checkpoints::Own).unwrap();
    connection.execute_batch("INSERT INTO organization (name, generation) VALUES ('acme', 0)").unwrap();
    let organization = connection.last_insert_rowid();
    let change = change::OpenRows { connection: &connection, organization };
    let goes = b"user-name0/z".to_vec();
    let old = [key(1), goes.clone()].map(|key| Change::put(key, b"old".to_vec()));
    change.apply(&Transaction { changes: old.to_vec(), ..Transaction::default() }, 1, None).unwrap();
    let mut transaction = large("new");
    transaction.changes.push(Change::Delete(goes));
    let staging = staged(&connection, organization, &transaction);
    if decided {
        let sums = staging.sums(&change, &transaction).unwrap();
        staging.decide(&change, &transaction, 9, &sums).unwrap();
    }
    for _ in 0..moved {
        assert!(!staging.batch.move_some(&connection).unwrap());
    }
}

#[tokio::test]
async fn after_a_crash_what_was_decided_counts_and_what_was_not_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    for (decided, moved) in [(false, 0), (true, 0), (true, 2)] {
        let path = directory.path().join(format!("{decided}-{moved}.db"));
        left_behind(&path, decided, moved);
        let storage = SqliteStorage::open(&path).unwrap();
        storage.flush().await.unwrap();
        let expected = if decided { MANY as u64 } else { 2 };
        assert_eq!(count(&storage).await, Ok(expected), "{decided} {moved}");
        let read = value(&storage, &key(1)).await.unwrap();
        assert_eq!(read, if decided { "new" } else { "old" });
        drop(storage);
        assert_eq!((rows(&path, "batch"), rows(&path, "staged")), (0, 0));
    }
}

#[tokio::test]
async fn readers_and_writers_of_other_processes_see_a_transaction_that_is_being_moved() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let storage = SqliteStorage::open(&path).unwrap();
    storage.commit(&acme(), small("first")).await.unwrap();
    // Another process decides the transaction and moves a part of it.
    let other = open::writer(&path, Checkpoints::Own).unwrap();
    let number = 1;
    let transaction = large("new");
    let staging = staged(&other, number, &transaction);
    let change = change::OpenRows { connection: &other, organization: number };
    let sums = staging.sums(&change, &transaction).unwrap();
    assert_eq!(count(&storage).await, Ok(0), "it is not decided yet");
    staging.decide(&change, &transaction, 900, &sums).unwrap();
    for moved in 0..2 {
        assert_eq!(count(&storage).await, Ok(MANY as u64), "{moved}");
        let expected = [2, 4, 6].map(|number| (key(number), b"new".to_vec(), 900));
        assert_eq!(first_page(&storage, false).await, expected, "{moved}");
        let expected = [3, 5, 7].map(|number| (key(MANY - number), b"new".to_vec(), 900));
        assert_eq!(first_page(&storage, true).await, expected, "{moved}");
        for number in [0, MANY / 2, MANY - 1] {
            assert_eq!(value(&storage, &key(number)).await.as_deref(), Some("new"), "{moved}");
        }
        assert!(!staging.batch.move_some(&other).unwrap());
    }
    // A write of this process takes effect after the whole transaction.
    let conditions = vec![Condition::version(key(MANY - 1), 900)];
    let changes = vec![Change::put(key(MANY - 1), b"newer".to_vec())];
    storage.commit(&acme(), Transaction { conditions, changes, wake_at: None }).await.unwrap();
    assert!(staging.batch.move_some(&other).unwrap(), "it was moved");
    assert_eq!(value(&storage, &key(MANY - 1)).await.as_deref(), Some("newer"));
    assert_eq!(count(&storage).await, Ok(MANY as u64));
}

#[tokio::test]
async fn every_read_sees_a_transaction_that_is_being_moved_as_if_it_were_made_in_one_piece() {
    let directory = tempfile::tempdir().unwrap();
    let mut drawn = Drawn(7);
    for turn in 0..12 {
        let path = directory.path().join(format!("{turn}.db"));
        let storage = SqliteStorage::open(&path).unwrap();
        let memory = MemoryStorage::new();
        let mut transaction = |writes: usize| {
            let mut changes: Vec<Change> = (0..writes).map(|_| drawn.write()).collect();
            change::bring_together(&mut changes);
            Transaction { changes, ..Transaction::default() }
        };
        let (first, second) = (transaction(300), transaction(if turn % 2 == 0 { 300 } else { 20 }));
        storage.commit(&acme(), first.clone()).await.unwrap();
        memory.commit(&acme(), first).await.unwrap();
        let other = open::writer(&path, Checkpoints::Own).unwrap();
        let staging = staged(&other, 1, &second);
        staging.decide(&change::OpenRows { connection: &other, organization: 1 }, &second, 900, &[]).unwrap();
        memory.commit(&acme(), second).await.unwrap();
        compare_reads(&storage, &memory, &acme(), &mut drawn, 40).await;
        while !staging.batch.move_some(&other).unwrap() {}
        compare_reads(&storage, &memory, &acme(), &mut drawn, 5).await;
    }
}

#[tokio::test]
async fn a_large_transaction_during_which_another_process_writes_is_checked_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let storage = SqliteStorage::open(&path).unwrap();
    storage.commit(&acme(), small("first")).await.unwrap();
    let other = open::writer(&path, Checkpoints::Own).unwrap();
    let transaction = large("new");
    let staging = staged(&other, 1, &transaction);
    assert!(staging.holds(&other).unwrap());
    storage.commit(&acme(), small("second")).await.unwrap();
    assert!(!staging.holds(&other).unwrap(), "what was checked may not hold any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_has_a_transaction_that_is_being_moved_as_a_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    left_behind(&path, true, 2);
    let source: Box<dyn Source> = Box::new(SqliteSource::open(&path, Checkpoints::Own).unwrap());
    let (to, mut sent) = tokio::sync::mpsc::channel(4);
    let sending = tokio::spawn(source.send(Part::All, to));
    let mut items = 0;
    while let Some(part) = sent.recv().await {
        if let Sent::Items(page) = part {
            assert!(page.iter().all(|item| item.version == 9 || item.key.starts_with(b"sum")), "an item is an old one");
            items += page.len();
        }
    }
    sending.await.unwrap().unwrap();
    assert_eq!(items, MANY + 1, "every member and the sum");
}

#[tokio::test]
async fn what_was_decided_is_never_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    left_behind(&path, true, 1);
    let connection = open::writer(&path, Checkpoints::Own).unwrap();
    let batch = large::all(&connection, IsDecided::Yes).unwrap()[0];
    assert!(batch.forget_some(&connection).unwrap(), "there is nothing to be forgotten");
    let storage = SqliteStorage::open(&path).unwrap();
    assert_eq!(count(&storage).await, Ok(MANY as u64));
}

#[tokio::test]
async fn of_a_deleted_organization_nothing_is_left_that_was_staged() {
    let directory = tempfile::tempdir().unwrap();
    for (decided, moved) in [(false, 0), (true, 1)] {
        let path = directory.path().join(format!("{decided}.db"));
        drop(SqliteStorage::open(&path).unwrap());
        // The organization is deleted while another process makes a transaction.
        let storage = SqliteStorage::open(&path).unwrap();
        left_behind(&path, decided, moved);
        storage.delete_organization(&acme()).await.unwrap();
        let left = ["batch", "staged", "alone", "grouped"].map(|table| rows(&path, table));
        assert_eq!(left, [0; 4], "{decided}");
    }
}
