//! Tests of the row cache: every reader gets what was committed last, by whichever process.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rusqlite::{Connection, params};

use super::SqliteStorage;
use super::row_cache::RowCache;
use super::tests::Drawn;
use crate::capability::storage::{
    Change, Entry, Item, Key, KeyRange, OrganizationId, Page, Scanned, Storage, Transaction,
};

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
    // The content of another process's commit is unknown here, so all cached rows are invalid.
    other.commit(&acme(), of(vec![put("b", b"4")])).await.unwrap();
    assert_eq!(missing(&storage, &keys), keys);
    assert_eq!(get(&storage, &keys).await, [Some(b"3".to_vec()), Some(b"4".to_vec()), None, Some(b"2".to_vec())]);
    // The log starts again, which changes no row.
    storage.scour().await.unwrap();
    assert_eq!(get(&storage, &keys).await, [Some(b"3".to_vec()), Some(b"4".to_vec()), None, Some(b"2".to_vec())]);
    storage.delete_organization(&acme()).await.unwrap();
    assert_eq!(get(&storage, &keys).await, [None, None, None, None]);
}

fn range(start: &str, end: &str) -> KeyRange {
    KeyRange { start: start.into(), end: end.into() }
}

/// A page of all entries of a range.
fn whole(range: KeyRange) -> Page {
    Page { range, reverse: false, skip: 0, limit: u32::MAX }
}

#[tokio::test]
async fn a_small_range_is_read_once_until_somebody_changes_a_key_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let [storage, other] = [(); 2].map(|()| SqliteStorage::open(&path).unwrap());
    let pages = [whole(range("edge/1/", "edge/10")), whole(range("edge/2/", "edge/20"))];
    let keys = async |pages: &[Page]| -> Vec<Vec<String>> {
        let scanned = storage.scan(&acme(), pages.to_vec()).await.unwrap();
        let keys =
            |page: Scanned| page.entries.into_iter().map(|entry| String::from_utf8(entry.key).unwrap()).collect();
        scanned.into_iter().map(keys).collect()
    };
    // How many of the pages would have to be read from the database.
    let missing = || storage.readers.missing(&acme(), &pages).len();
    storage.commit(&acme(), of(vec![put("edge/1/a", b""), put("edge/1/b", b""), put("edge/3", b"")])).await.unwrap();
    let nothing = Vec::<String>::new();
    assert_eq!(keys(&pages).await, [vec!["edge/1/a", "edge/1/b"], vec![]]);
    assert_eq!(missing(), 0, "also a range without keys is known");
    for (change, first, second) in [
        (put("edge/2/c", b""), vec!["edge/1/a", "edge/1/b"], vec!["edge/2/c"]),
        (Change::Delete(b"edge/1/a".to_vec()), vec!["edge/1/b"], vec!["edge/2/c"]),
        (Change::DeleteRange(range("edge/1/b", "edge/1/c")), vec![], vec!["edge/2/c"]),
    ] {
        storage.commit(&acme(), of(vec![change])).await.unwrap();
        assert_eq!(missing(), 1, "the other one stays");
        assert_eq!(keys(&pages).await, [first, second]);
        assert_eq!(missing(), 0);
    }
    storage.commit(&acme(), of(vec![put("edge/3", b"")])).await.unwrap();
    assert_eq!(missing(), 0, "the key is in neither range");
    storage.append(&acme(), vec![(b"edge/1/z".to_vec(), Vec::new())]).await.unwrap();
    storage.flush().await.unwrap();
    assert_eq!(keys(&pages).await, [vec!["edge/1/z"], vec!["edge/2/c"]]);
    other.commit(&acme(), of(vec![Change::Delete(b"edge/2/c".to_vec())])).await.unwrap();
    assert_eq!(missing(), 2, "the content of another process's commit is unknown here");
    assert_eq!(keys(&pages).await, [vec!["edge/1/z".to_owned()], nothing.clone()]);
    // A page with another limit, start or direction.
    storage.commit(&acme(), of(vec![put("edge/2/d", b""), put("edge/2/e", b"")])).await.unwrap();
    keys(&pages).await;
    let second = || whole(range("edge/2/", "edge/20"));
    let odd = [
        Page { limit: 1, ..second() },
        Page { limit: 2, ..second() },
        Page { skip: 1, ..second() },
        Page { reverse: true, ..second() },
        Page { limit: 0, ..second() },
    ];
    let scanned = storage.scan(&acme(), odd.to_vec()).await.unwrap();
    assert_eq!(scanned.iter().map(|page| page.more).collect::<Vec<_>>(), [true, false, false, false, true]);
    let (d, e) = ("edge/2/d".to_owned(), "edge/2/e".to_owned());
    let expected = [vec![d.clone()], vec![d.clone(), e.clone()], vec![e.clone()], vec![e, d], nothing.clone()];
    assert_eq!(keys(&odd).await, expected);
    storage.delete_organization(&acme()).await.unwrap();
    assert_eq!(keys(&pages).await, [nothing, Vec::new()]);
}

#[tokio::test]
async fn whichever_process_has_written_each_reads_the_versions_and_values_that_were_committed_last() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let processes = [(); 2].map(|()| SqliteStorage::open(&path).unwrap());
    let (mut model, mut drawn): (BTreeMap<Key, Item>, _) = (BTreeMap::new(), Drawn(7));
    for round in 0..500 {
        let changes: Vec<Change> = (0..1 + drawn.below(8))
            .map(|_| match drawn.write() {
                Change::Put(put) => Change::put(put.key, format!("{round}").into_bytes()),
                change => change,
            })
            .collect();
        // Mostly one process writes, like a server beside which a command runs now and then.
        let version = processes[drawn.below(6) / 5].commit(&acme(), of(changes.clone())).await.unwrap();
        for change in changes {
            match change {
                Change::Put(put) => drop(model.insert(put.key, Item { value: put.value, version })),
                Change::Delete(key) => drop(model.remove(&key)),
                Change::DeleteRange(range) => model.retain(|key, _| *key < range.start || range.end <= *key),
                Change::Add(_) => unreachable!(),
            }
        }
        for process in &processes {
            for _ in 0..3 {
                let keys: Vec<Key> = (0..1 + drawn.below(6)).map(|_| drawn.key()).collect();
                let expected: Vec<Option<Item>> = keys.iter().map(|key| model.get(key).cloned()).collect();
                assert_eq!(process.get(&acme(), keys).await.unwrap(), expected, "round {round}");
            }
            let ranges = [("a/", "a0"), ("count/", "count0"), ("user/1", "user/2"), ("user-", "user0"), ("user/", "z")];
            let pages: Vec<Page> =
                (0..2).map(|_| ranges[drawn.below(5)]).map(|(start, end)| whole(range(start, end))).collect();
            let entries = |page: &Page| {
                let entries = model.range(page.range.start.clone()..page.range.end.clone());
                entries
                    .map(|(key, Item { value, version })| Entry {
                        key: key.clone(),
                        value: value.clone(),
                        version: *version,
                    })
                    .collect()
            };
            let expected: Vec<Vec<Entry>> = pages.iter().map(entries).collect();
            let scanned = process.scan(&acme(), pages).await.unwrap();
            assert_eq!(scanned.into_iter().map(|page| page.entries).collect::<Vec<_>>(), expected, "round {round}");
        }
    }
}

/// Another process commits just after this one, before this process has checked. That commit must not be taken for its
/// own.
#[test]
fn what_another_process_commits_right_after_a_commit_of_this_one_is_seen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    drop(SqliteStorage::open(&path).unwrap());
    let [this, other] = [(); 2].map(|()| Connection::open(&path).unwrap());
    // Each version is another one: SQLite does not write a row that is replaced by the same row.
    let version = Cell::new(0);
    let put = |connection: &Connection, key: &str| {
        version.set(version.get() + 1);
        let sql = "INSERT OR REPLACE INTO alone (organization, key, value, version) VALUES (1, ?1, ?1, ?2)";
        connection.execute(sql, params![key.as_bytes(), version.get()]).unwrap();
    };
    put(&this, "first");
    let cache = RowCache::new(&path);
    let keys = ["first", "second", "third"].map(Key::from);
    let keep = || {
        let look = cache.look(1, &keys).unwrap();
        assert!(cache.keep(1, &look, &keys, &[None, None, None]));
    };
    // How many rows stay cached after a commit of this process, if the other process commits so often in between.
    let kept = |others: usize| {
        keep();
        this.execute_batch("BEGIN IMMEDIATE").unwrap();
        let writing = cache.begin();
        put(&this, "first");
        this.execute_batch("COMMIT").unwrap();
        (0..others).for_each(|_| put(&other, "second"));
        writing.committed(true, |cached| cached.drop_key(1, b"first"));
        keys.len() - cache.look(1, &keys).unwrap().missing(&keys).len()
    };
    assert_eq!(kept(0), 2, "all but what it has changed itself");
    assert_eq!(kept(1), 0);
    assert_eq!(kept(2), 0);
    // The log starts again, which does not count as a commit.
    keep();
    other.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    assert_eq!(kept(0), 2);
    // A transaction that writes nothing does not change the index, and a commit of the other process is not taken for
    // it.
    keep();
    for (others, left) in [(0, 3), (1, 0)] {
        this.execute_batch("BEGIN IMMEDIATE").unwrap();
        let writing = cache.begin();
        this.execute_batch("COMMIT").unwrap();
        (0..others).for_each(|_| put(&other, "second"));
        writing.committed(false, |_| {});
        assert_eq!(keys.len() - cache.look(1, &keys).unwrap().missing(&keys).len(), left);
    }
}

/// Two values for each process, which each of its commits changes together.
const PAIRS: [[&str; 2]; 2] = [["user/1", "count/seats"], ["user/2", "count/owners"]];

fn number(value: &Option<Vec<u8>>) -> u64 {
    value.as_ref().map_or(0, |value| String::from_utf8_lossy(value).parse().unwrap())
}

/// The values of two keys, read as two ranges.
async fn scan(storage: &SqliteStorage, pair: [&str; 2]) -> Vec<Option<Vec<u8>>> {
    let pages = pair.map(|key| whole(range(key, &format!("{key}\0"))));
    let scanned = storage.scan(&acme(), pages.to_vec()).await.unwrap();
    scanned.into_iter().map(|page| page.entries.into_iter().next().map(|entry| entry.value)).collect()
}

async fn watch(storage: &SqliteStorage, pair: [&str; 2], acknowledged: &AtomicU64, ended: &AtomicBool) -> u64 {
    let (mut reads, mut last) = (0, 0);
    while !ended.load(Ordering::Acquire) {
        let least = acknowledged.load(Ordering::Acquire);
        // Sometimes another key is read with them, so that only a part is cached.
        let other = format!("nothing/{reads}");
        let values = match reads % 4 {
            0 => get(storage, &[pair[0], &other, pair[1]]).await,
            1 => scan(storage, pair).await,
            _ => get(storage, &pair).await,
        };
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

/// Commits to its pair of keys, and records the acknowledged commits.
async fn write(storage: &SqliteStorage, pair: [&str; 2], acknowledged: &AtomicU64, rounds: u64) {
    for count in 1..=rounds {
        let value = count.to_string();
        storage.commit(&acme(), of(pair.iter().map(|key| put(key, value.as_bytes())).collect())).await.unwrap();
        acknowledged.store(count, Ordering::Release);
        if count % 150 == 0 {
            storage.scour().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_reads_a_state_older_than_what_was_acknowledged_or_of_two_moments() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data.db");
    let processes = [(); 2].map(|()| Arc::new(SqliteStorage::open(&path).unwrap()));
    let acknowledged = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
    let ended = Arc::new(AtomicBool::new(false));
    // Each process checks what both of them write.
    let readers = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(process, pair)| {
        let (storage, acknowledged, ended) =
            (Arc::clone(&processes[process]), Arc::clone(&acknowledged[pair]), Arc::clone(&ended));
        tokio::spawn(async move { watch(&storage, PAIRS[pair], &acknowledged, &ended).await })
    });
    // Both processes write at the same time. One of them writes more, like a server beside which commands run.
    let writers = [(0, 600), (1, 150)].map(|(process, rounds)| {
        let (storage, acknowledged) = (Arc::clone(&processes[process]), Arc::clone(&acknowledged[process]));
        tokio::spawn(async move { write(&storage, PAIRS[process], &acknowledged, rounds).await })
    });
    for writer in writers {
        writer.await.unwrap();
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
