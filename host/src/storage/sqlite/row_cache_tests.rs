//! Tests of the rows in memory: whoever reads gets what was committed last, by whichever process.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::SqliteStorage;
use super::row_cache::RowCache;
use super::tests::{Drawn, compare_reads};
use crate::capability::storage::{Change, Item, Key, KeyRange, OrganizationId, Storage, Transaction};
use crate::storage::MemoryStorage;

fn acme() -> OrganizationId {
    OrganizationId::parse("acme").unwrap()
}

fn of(changes: Vec<Change>) -> Transaction {
    Transaction { changes, ..Transaction::default() }
}

fn put(key: &str, value: &[u8]) -> Change {
    Change::put(key.into(), value.to_vec())
}

/// Which of the keys would have to be read from the database.
fn missing(storage: &SqliteStorage, keys: &[&str]) -> Vec<String> {
    let keys: Vec<Key> = keys.iter().map(|key| Key::from(*key)).collect();
    storage.readers.missing(&acme(), &keys).into_iter().map(|key| String::from_utf8(key).unwrap()).collect()
}

async fn get(storage: &SqliteStorage, keys: &[&str]) -> Vec<Option<Vec<u8>>> {
    let keys = keys.iter().map(|key| Key::from(*key)).collect();
    let items: Vec<Option<Item>> = storage.get(&acme(), keys).await.unwrap();
    items.into_iter().map(|item| item.map(|item| item.value)).collect()
}

#[tokio::test]
async fn a_row_is_read_once_until_somebody_changes_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let [storage, other] = [(); 2].map(|()| SqliteStorage::open(&path).unwrap());
    let keys = ["a", "b", "user/1", "nothing"];
    storage.commit(&acme(), of(vec![put("a", b"1"), put("b", b"1"), put("user/1", b"1")])).await.unwrap();
    get(&storage, &keys).await;
    assert!(missing(&storage, &keys).is_empty(), "also what is not there is known");
    for (change, changed) in [
        (put("a", b"2"), "a"),
        (Change::Delete(b"b".to_vec()), "b"),
        (Change::DeleteRange(KeyRange { start: b"user/".to_vec(), end: b"user0".to_vec() }), "user/1"),
        (put("nothing", b"2"), "nothing"),
    ] {
        storage.commit(&acme(), of(vec![change])).await.unwrap();
        assert_eq!(missing(&storage, &keys), [changed], "the others stay");
        get(&storage, &keys).await;
        assert!(missing(&storage, &keys).is_empty());
    }
    assert_eq!(get(&storage, &keys).await, [Some(b"2".to_vec()), None, None, Some(b"2".to_vec())]);
    storage.append(&acme(), vec![(b"a".to_vec(), b"3".to_vec())]).await.unwrap();
    storage.flush().await.unwrap();
    assert_eq!(missing(&storage, &keys), ["a"]);
    // What another process writes is not known here, so nothing that was kept counts any more.
    other.commit(&acme(), of(vec![put("b", b"4")])).await.unwrap();
    assert_eq!(missing(&storage, &keys), keys);
    assert_eq!(get(&storage, &keys).await, [Some(b"3".to_vec()), Some(b"4".to_vec()), None, Some(b"2".to_vec())]);
    // The log begins anew, which changes no row.
    storage.scour().await.unwrap();
    assert_eq!(get(&storage, &keys).await, [Some(b"3".to_vec()), Some(b"4".to_vec()), None, Some(b"2".to_vec())]);
    storage.delete_organization(&acme()).await.unwrap();
    assert_eq!(get(&storage, &keys).await, [None, None, None, None]);
}

#[tokio::test]
async fn whichever_process_has_written_each_reads_what_was_committed_last() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let processes = [(); 2].map(|()| SqliteStorage::open(&path).unwrap());
    let (memory, mut drawn) = (MemoryStorage::new(), Drawn(7));
    for _ in 0..300 {
        let changes: Vec<Change> = (0..1 + drawn.below(8)).map(|_| drawn.write()).collect();
        // Mostly one process writes, as a server does beside which a command is called now and then.
        processes[drawn.below(6) / 5].commit(&acme(), of(changes.clone())).await.unwrap();
        memory.commit(&acme(), of(changes)).await.unwrap();
        for process in &processes {
            compare_reads(process, &memory, &acme(), &mut drawn, 2).await;
        }
    }
}

/// Two values that every commit changes together.
const PAIR: [&str; 2] = ["user/1", "count/seats"];

fn number(value: &Option<Vec<u8>>) -> u64 {
    value.as_ref().map_or(0, |value| String::from_utf8_lossy(value).parse().unwrap())
}

async fn watch(storage: &SqliteStorage, acknowledged: &AtomicU64, ended: &AtomicBool) -> u64 {
    let (mut reads, mut last) = (0, 0);
    while !ended.load(Ordering::Acquire) {
        let least = acknowledged.load(Ordering::Acquire);
        // The third is read at times, so that some looks find only a part.
        let keys: &[&str] = if reads % 3 == 0 { &[PAIR[0], "other", PAIR[1]] } else { &PAIR };
        let values = get(storage, keys).await;
        let (one, other) = (number(values.first().unwrap()), number(values.last().unwrap()));
        assert_eq!(one, other, "both are of one moment");
        assert!(one >= least, "{one} was read after {least} had been acknowledged");
        assert!(one >= last, "{one} was read after {last}");
        last = one;
        reads += 1;
        if reads % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    reads
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_reads_a_state_older_than_what_was_acknowledged_or_of_two_moments() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let processes = [(); 2].map(|()| Arc::new(SqliteStorage::open(&path).unwrap()));
    let (acknowledged, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let readers = [0, 0, 1].map(|place| {
        let (storage, acknowledged, ended) = (Arc::clone(&processes[place]), acknowledged.clone(), ended.clone());
        tokio::spawn(async move { watch(&storage, &acknowledged, &ended).await })
    });
    for count in 1..=600_u64 {
        // Mostly one process writes, as a server does beside which a command is called now and then.
        let storage = &processes[usize::from(count % 16 == 0)];
        let value = count.to_string();
        let mut changes: Vec<Change> = PAIR.iter().map(|key| put(key, value.as_bytes())).collect();
        if count % 3 == 0 {
            changes.push(put("other", value.as_bytes()));
        }
        storage.commit(&acme(), of(changes)).await.unwrap();
        acknowledged.store(count, Ordering::Release);
        if count % 200 == 0 {
            storage.scour().await.unwrap();
        }
    }
    ended.store(true, Ordering::Release);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

#[test]
fn without_an_index_nothing_is_kept() {
    let cache = RowCache::new(Path::new("/nowhere/data.db"));
    assert!(cache.look(1, &[b"a".to_vec()]).is_none());
    cache.begin().committed(true, |_| {});
    assert!(cache.look(1, &[b"a".to_vec()]).is_none());
}
