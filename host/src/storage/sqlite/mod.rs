//! Storage in one SQLite file, the default of the standalone server.
//!
//! Several processes may have the file open at the same time (the server and CLI commands). So nothing is cached that
//! another process could change unnoticed: the sequence of versions is read inside each write transaction, an
//! organization's number never changes, and cached rows are only valid until somebody commits (module `row_cache`).

mod change;
#[cfg(feature = "cli")]
mod copy;
#[cfg(feature = "cli")]
mod examine;
mod generation;
mod large;
#[cfg(test)]
mod large_tests;
mod mark;
mod numbers;
mod open;
mod open_error;
mod place;
mod queue;
mod ranges;
mod read;
mod row_cache;
#[cfg(test)]
mod row_cache_tests;
mod rows;
mod shelves;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::ErrorCode;

#[cfg(feature = "cli")]
pub(crate) use copy::{SqliteSource, SqliteTarget};
#[cfg(feature = "cli")]
pub(crate) use examine::examine;
#[cfg(feature = "cli")]
pub(crate) use open::while_alone;
pub use open_error::OpenError;

use self::read::Readers;
use self::row_cache::RowCache;
use self::writer::{Work, Writer};
use super::bounds;
use super::database::{from_integer, to_integer};
use crate::capability::schedule::{CLAIM, Claim};
use crate::capability::storage::{Item, Key, OrganizationId, Page, Scanned, Size, Storage, StorageError, Transaction};

/// How many rows are removed at a time when an organization is deleted, so that other commits do not wait long.
const DELETED_AT_ONCE: usize = 4_000;

/// The program that moves the pages of the write-ahead log into the database, so that the log can start again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checkpoints {
    /// This process, when the log has 64 MiB, and when nobody uses the database any more.
    #[default]
    Own,
    /// Another program, such as one that replicates the log. Without such a program the log grows without limit.
    External,
}

/// A storage that keeps all organizations in one SQLite database.
///
/// Dropping it writes appended entries and waits for that.
#[derive(Debug)]
pub struct SqliteStorage {
    path: PathBuf,
    checkpoints: Checkpoints,
    readers: Arc<Readers>,
    writer: Writer,
}

impl SqliteStorage {
    /// Opens the database, creates it if there is none, and migrates its tables. Blocks.
    ///
    /// A process keeps one file descriptor for each database that it has opened in this way, even after the storage is
    /// dropped: closing it would release the locks of other connections on the same file.
    ///
    /// # Errors
    /// Says what is wrong with the file and what to do about it.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, Checkpoints::Own)
    }

    /// Like [`SqliteStorage::open`], but the caller chooses who moves the write-ahead log into the database.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn open_with(path: &Path, checkpoints: Checkpoints) -> Result<Self, OpenError> {
        let connection = open::writer(path, checkpoints)?;
        let (numbers, cache) = (Arc::default(), Arc::new(RowCache::new(path)));
        let readers = Arc::new(Readers::new(path, checkpoints, Arc::clone(&numbers), Arc::clone(&cache))?);
        let writer = Writer::start(path, checkpoints, connection, numbers, cache)?;
        Ok(Self { path: path.to_owned(), checkpoints, readers, writer })
    }
}

#[async_trait]
impl Storage for SqliteStorage {
    async fn get(&self, organization: &OrganizationId, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        bounds::check_get(&keys)?;
        let items = Readers::answer(&self.readers, organization, keys).await?;
        let bytes: usize = items.iter().flatten().map(|item| item.value.len()).sum();
        if bytes > bounds::MAX_GET_BYTES { Err(StorageError::TooLarge) } else { Ok(items) }
    }

    async fn scan(&self, organization: &OrganizationId, pages: Vec<Page>) -> Result<Vec<Scanned>, StorageError> {
        bounds::check_scan(&pages)?;
        // A single page is cached or read as a whole.
        let several = (pages.len() > 1).then(|| pages.clone());
        let scanned = Readers::answer(&self.readers, organization, pages).await?;
        let entries = scanned.iter().flat_map(|page| &page.entries);
        let bytes = || entries.map(|entry| entry.key.len() + entry.value.len()).sum::<usize>();
        match several.filter(|_| bytes() > bounds::MAX_SCAN_BYTES) {
            // The pages that were not cached were read as if they were all, and leave no room for those that were.
            Some(pages) => Readers::answer_stored(&self.readers, organization, pages).await,
            None => Ok(scanned),
        }
    }

    async fn commit(&self, organization: &OrganizationId, mut transaction: Transaction) -> Result<u64, StorageError> {
        bounds::check_transaction(&transaction)?;
        // This is done here and not on the writer's thread, for which others wait.
        change::bring_together(&mut transaction.changes);
        self.writer.run(organization, Work::Commit(transaction)).await
    }

    async fn append(&self, organization: &OrganizationId, entries: Vec<(Key, Vec<u8>)>) -> Result<(), StorageError> {
        let bytes = bounds::check_append(&entries)?;
        self.writer.append(organization, entries, bytes)
    }

    async fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        let (host, cost) = (OrganizationId::host(), (limit as u64).saturating_mul(4));
        Readers::read(&self.readers, &host, cost, move |reader| reader.due(now, limit)).await
    }

    async fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        Readers::read(&self.readers, &OrganizationId::host(), 4, move |reader| reader.next_due(now)).await
    }

    async fn claim(&self, organization: &OrganizationId, now: u64) -> Result<Option<Claim>, StorageError> {
        let number = self.writer.run(organization, Work::Claim { now }).await?;
        Ok((number > 0).then(|| Claim { number, until: now.saturating_add(CLAIM) }))
    }

    async fn renew(&self, organization: &OrganizationId, number: u64, now: u64) -> Result<Option<Claim>, StorageError> {
        let renewed = self.writer.run(organization, Work::Renew { number, now }).await?;
        Ok((renewed > 0).then(|| Claim { number, until: now.saturating_add(CLAIM) }))
    }

    async fn release(
        &self,
        organization: &OrganizationId,
        number: u64,
        next: Option<u64>,
    ) -> Result<bool, StorageError> {
        Ok(self.writer.run(organization, Work::Release { number, next }).await? > 0)
    }

    async fn delete_organization(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        while self.writer.run(organization, Work::Delete { rows: DELETED_AT_ONCE }).await? > 0 {}
        Ok(())
    }

    async fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError> {
        let of = organization.clone();
        Readers::read(&self.readers, organization, 1, move |reader| reader.is_deleted(&of)).await
    }

    async fn size(&self, organization: &OrganizationId) -> Result<Size, StorageError> {
        let of = organization.clone();
        Readers::read(&self.readers, organization, u64::MAX, move |reader| reader.size(&of)).await
    }

    async fn scour(&self) -> Result<(), StorageError> {
        self.flush().await?;
        let (path, checkpoints) = (self.path.clone(), self.checkpoints);
        let scoured = tokio::task::spawn_blocking(move || open::scour(&path, checkpoints)).await;
        scoured.map_err(|error| StorageError::Other(error.to_string()))?
    }

    async fn flush(&self) -> Result<(), StorageError> {
        self.writer.flush().await
    }
}

impl From<rusqlite::Error> for StorageError {
    fn from(error: rusqlite::Error) -> Self {
        use ErrorCode::{
            CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, FileLockingProtocolFailed, OutOfMemory,
            PermissionDenied, ReadOnly, SystemIoFailure,
        };
        match error.sqlite_error_code() {
            Some(
                CannotOpen
                | DatabaseBusy
                | DatabaseLocked
                | FileLockingProtocolFailed
                | OutOfMemory
                | PermissionDenied
                | ReadOnly
                | SystemIoFailure,
            ) => Self::Unavailable(error.to_string()),
            Some(DiskFull) => Self::Full(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, ffi};

    use super::queue::GROUP;
    use super::*;
    use crate::capability::storage::Change;
    use crate::capability::storage::KeyRange;
    use crate::storage::MemoryStorage;

    fn put(key: &str) -> Transaction {
        let changes = vec![Change::put(key.into(), b"x".to_vec())];
        Transaction { conditions: Vec::new(), changes, wake_at: None }
    }

    /// A storage whose database only refuses the key `refused` when it is written, and another connection to it.
    fn refusing(directory: &Path) -> (SqliteStorage, Connection) {
        let path = directory.join("data.db");
        let storage = SqliteStorage::open(&path).unwrap();
        let beside = Connection::open(&path).unwrap();
        let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON alone WHEN new.key = CAST('refused' AS BLOB)
            BEGIN SELECT RAISE(ABORT, 'refused'); END";
        beside.execute_batch(trigger).unwrap();
        (storage, beside)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_write_that_fails_halfway_leaves_the_others_of_its_group_alone_and_nothing_of_itself() {
        let directory = tempfile::tempdir().unwrap();
        let (storage, beside) = refusing(directory.path());
        let storage = Arc::new(storage);
        let acme = OrganizationId::parse("acme").unwrap();
        storage.commit(&acme, put("first")).await.unwrap();
        // The calls that come while another process writes become one group.
        beside.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut halfway = put("halfway");
        halfway.changes.extend(put("refused").changes);
        let all = [put("one"), halfway, put("two")].map(|transaction| {
            let (storage, acme) = (Arc::clone(&storage), acme.clone());
            tokio::spawn(async move { storage.commit(&acme, transaction).await })
        });
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        beside.execute_batch("COMMIT").unwrap();
        let mut versions = Vec::new();
        for (place, commit) in all.into_iter().enumerate() {
            match commit.await.unwrap() {
                Ok(version) => versions.push(version),
                Err(error) => assert!(place == 1 && matches!(error, StorageError::Other(_)), "{place}: {error}"),
            }
        }
        assert_eq!(versions.len(), 2);
        assert_ne!(versions[0], versions[1]);
        let keys = ["one", "halfway", "two"].map(Into::into).to_vec();
        let found = storage.get(&acme, keys).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|item| item.map(|item| item.version)).collect();
        assert_eq!(found, [Some(versions[0]), None, Some(versions[1])]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn f21_a_write_behind_more_entries_than_a_group_that_can_not_be_stored_is_refused_and_they_are_kept() {
        const ENTRIES: usize = 2 * GROUP + 1;
        let limit = std::time::Duration::from_secs(30);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let storage = SqliteStorage::open(&path).unwrap();
        let acme = OrganizationId::parse("acme").unwrap();
        storage.commit(&acme, put("first")).await.unwrap();
        // Without this table no group can be written, as on a full disk.
        let beside = Connection::open(&path).unwrap();
        beside.busy_timeout(limit).unwrap();
        beside.execute_batch("ALTER TABLE sequence RENAME TO elsewhere").unwrap();
        let key = |number: usize| format!("log/{number}").into_bytes();
        for number in 0..ENTRIES {
            storage.append(&acme, vec![(key(number), b"x".to_vec())]).await.unwrap();
        }
        for _ in 0..2 {
            let answer = tokio::time::timeout(limit, storage.commit(&acme, put("second"))).await;
            answer.expect("an answer").unwrap_err();
        }
        beside.execute_batch("ALTER TABLE elsewhere RENAME TO sequence").unwrap();
        // A group that began before may still fail.
        let written = async { while storage.commit(&acme, put("third")).await.is_err() {} };
        tokio::time::timeout(limit, written).await.expect("the database can be written again");
        for number in [0, GROUP, ENTRIES - 1] {
            assert!(storage.get(&acme, vec![key(number)]).await.unwrap()[0].is_some(), "entry {number} is lost");
        }
        assert!(storage.get(&acme, vec![b"second".to_vec()]).await.unwrap()[0].is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn f21_writes_behind_a_large_one_that_can_not_be_moved_wait_for_it_and_those_of_others_do_not() {
        let limit = std::time::Duration::from_secs(30);
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let storage = SqliteStorage::open(&path).unwrap();
        let [acme, other] = ["acme", "other"].map(|name| OrganizationId::parse(name).unwrap());
        storage.commit(&acme, put("first")).await.unwrap();
        // Staged changes can't be taken out of their table, as on a full disk.
        let beside = Connection::open(&path).unwrap();
        beside.busy_timeout(limit).unwrap();
        let trigger = "CREATE TRIGGER full BEFORE DELETE ON staged BEGIN SELECT RAISE(ABORT, 'full'); END";
        beside.execute_batch(trigger).unwrap();
        let changes = (0..=queue::ROWS).map(|number| Change::put(format!("many/{number}").into_bytes(), b"x".to_vec()));
        let large = Transaction { conditions: Vec::new(), changes: changes.collect(), wake_at: None };
        storage.commit(&acme, large).await.unwrap();
        let mut behind = std::pin::pin!(storage.commit(&acme, put("behind")));
        let soon = std::time::Duration::from_millis(200);
        tokio::time::timeout(soon, &mut behind).await.expect_err("it waits for the large one");
        let beside_it = tokio::time::timeout(limit, storage.commit(&other, put("beside"))).await;
        beside_it.expect("an answer").unwrap();
        beside.execute_batch("DROP TRIGGER full").unwrap();
        tokio::time::timeout(limit, behind).await.expect("an answer").unwrap();
        let found = storage.get(&acme, vec![b"many/0".to_vec(), b"behind".to_vec()]).await.unwrap();
        assert!(found.iter().all(Option::is_some), "{found:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_that_was_torn_leads_to_the_commits_before_the_tear_and_to_nothing_else() {
        const COMMITS: u8 = 12;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let acme = OrganizationId::parse("acme").unwrap();
        drop(SqliteStorage::open(&path).unwrap());
        let storage = SqliteStorage::open(&path).unwrap();
        for number in 0..COMMITS {
            // The rows are on several pages, so that half a commit could be found.
            let write =
                ["a", "user-name", "z"].map(|name| Change::put(format!("{name}/{number}").into(), vec![1; 9_000]));
            let transaction = Transaction { changes: write.to_vec(), ..Transaction::default() };
            storage.commit(&acme, transaction).await.unwrap();
        }
        let log = std::fs::read(path.with_extension("db-wal")).unwrap();
        let torn = directory.path().join("torn.db");
        let mut before = 0;
        for part in 1..=16 {
            std::fs::copy(&path, &torn).unwrap();
            let mut left = log[..log.len() * part / 16].to_vec();
            // As in a crash, the last write to the file is missing or has other bytes.
            if let Some(last) = left.last_mut().filter(|_| part < 16) {
                *last ^= 0x5a;
            }
            std::fs::write(torn.with_extension("db-wal"), left).unwrap();
            let opened = SqliteStorage::open(&torn).unwrap();
            let mut found = 0;
            for number in 0..COMMITS {
                let keys = ["a", "user-name", "z"].map(|name| format!("{name}/{number}").into());
                let there = opened.get(&acme, keys.to_vec()).await.unwrap().iter().flatten().count();
                assert!([0, 3].contains(&there), "{there} of 3 items of commit {number} are there");
                assert!(there == 0 || found == number, "commit {number} is there, and not all before it");
                found += u8::from(there == 3);
            }
            assert!(found >= before, "a longer log leads to less");
            before = found;
            drop(opened);
            for end in ["db", "db-wal", "db-shm"] {
                let _ = std::fs::remove_file(torn.with_extension(end));
            }
        }
        assert_eq!(before, COMMITS);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_that_another_program_moves_is_left_to_it_and_has_all_that_was_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let acme = OrganizationId::parse("acme").unwrap();
        // All tables are in the file itself.
        drop(SqliteStorage::open(&path).unwrap());
        let sizes = || ["db", "db-wal"].map(|end| std::fs::metadata(path.with_extension(end)).unwrap().len());
        let before = std::fs::metadata(&path).unwrap().len();
        let storage = SqliteStorage::open_with(&path, Checkpoints::External).unwrap();
        // More pages than SQLite would leave in the log by itself.
        for number in 0..12 {
            let changes = vec![Change::put(vec![number], vec![b'x'; bounds::MAX_VALUE])];
            storage.commit(&acme, Transaction { changes, ..Transaction::default() }).await.unwrap();
        }
        let transaction = Transaction { changes: vec![Change::Delete(vec![0])], ..Transaction::default() };
        storage.commit(&acme, transaction).await.unwrap();
        storage.scour().await.unwrap();
        assert_eq!(sizes()[0], before);
        drop(storage);
        let [database, log] = sizes();
        assert_eq!(database, before, "nothing is moved, not even by who closes last");
        assert!(log > 12 << 20, "{log} bytes are in the log");
        let storage = SqliteStorage::open(&path).unwrap();
        let keys = (0..12).map(|number| vec![number]).collect();
        assert_eq!(storage.get(&acme, keys).await.unwrap().iter().flatten().count(), 11);
    }

    /// Pseudo-random numbers, the same ones each time.
    pub(super) struct Drawn(pub(super) u64);

    impl Drawn {
        pub(super) fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % end
        }

        pub(super) fn key(&mut self) -> Key {
            const BEGINNINGS: [&str; 14] = [
                "a/",
                "count/",
                "count/team/",
                "count/team",
                "team-listed/",
                "team-touch/",
                "user/",
                "user-card/",
                "user-display/",
                "user-listed/",
                "user-mail/",
                "user-name/",
                "user-touch/",
                "z/",
            ];
            let end = self.below(40);
            let end = [String::new(), "\0".into(), "\u{ff}".into()].into_iter().nth(end).unwrap_or(format!("{end:x}"));
            format!("{}{end}", BEGINNINGS[self.below(BEGINNINGS.len())]).into_bytes()
        }

        pub(super) fn range(&mut self) -> KeyRange {
            KeyRange { start: self.key(), end: self.key() }
        }

        pub(super) fn write(&mut self) -> Change {
            match self.below(12) {
                0 => Change::Delete(self.key()),
                1 if self.below(20) == 0 => Change::DeleteRange(self.range()),
                _ => Change::put(self.key(), vec![0; self.below(4)]),
            }
        }
    }

    /// Makes random reads from both storages this many times, and compares the answers without their versions.
    pub(super) async fn compare_reads(
        sqlite: &SqliteStorage,
        memory: &MemoryStorage,
        acme: &OrganizationId,
        drawn: &mut Drawn,
        times: usize,
    ) {
        for _ in 0..times {
            let keys: Vec<Key> = (0..1 + drawn.below(6)).map(|_| drawn.key()).collect();
            let values = |items: Vec<Option<Item>>| items.into_iter().map(|item| item.map(|item| item.value)).collect();
            let got: Vec<_> = values(sqlite.get(acme, keys.clone()).await.unwrap());
            assert_eq!(got, values(memory.get(acme, keys).await.unwrap()));
            let pages: Vec<Page> = (0..3)
                .map(|_| {
                    let (skip, limit) = (drawn.below(3) * drawn.below(12), drawn.below(12));
                    let (skip, limit) = (skip.try_into().unwrap(), limit.try_into().unwrap());
                    Page { range: drawn.range(), reverse: drawn.below(2) == 0, skip, limit }
                })
                .collect();
            let found = |scanned: Vec<Scanned>| {
                let of = |page: Scanned| {
                    let entries: Vec<_> = page.entries.into_iter().map(|entry| (entry.key, entry.value)).collect();
                    (entries, page.more)
                };
                scanned.into_iter().map(of).collect::<Vec<_>>()
            };
            let of_sqlite = sqlite.scan(acme, pages.clone()).await.unwrap();
            let of_memory = memory.scan(acme, pages.clone()).await.unwrap();
            assert_eq!(found(of_sqlite), found(of_memory), "{pages:?}");
        }
        assert_eq!(sqlite.size(acme).await.unwrap(), memory.size(acme).await.unwrap());
    }

    #[tokio::test]
    async fn where_a_key_is_kept_shows_in_no_answer() {
        let directory = tempfile::tempdir().unwrap();
        let sqlite = SqliteStorage::open(&directory.path().join("data.db")).unwrap();
        let memory = MemoryStorage::new();
        let (acme, mut drawn) = (OrganizationId::parse("acme").unwrap(), Drawn(1));
        for _ in 0..150 {
            let changes = (0..1 + drawn.below(8)).map(|_| drawn.write()).collect();
            let transaction = Transaction { changes, ..Transaction::default() };
            sqlite.commit(&acme, transaction.clone()).await.unwrap();
            memory.commit(&acme, transaction).await.unwrap();
            compare_reads(&sqlite, &memory, &acme, &mut drawn, 1).await;
        }
        sqlite.delete_organization(&acme).await.unwrap();
        assert_eq!(sqlite.size(&acme).await.unwrap(), Size::default());
    }

    #[tokio::test]
    async fn versions_grow_whichever_of_several_processes_gives_them() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let acme = OrganizationId::parse("acme").unwrap();
        let mut open: Vec<_> = (0..2).map(|_| SqliteStorage::open(&path).unwrap()).collect();
        let mut last = 0;
        for turn in 0..40 {
            if turn % 10 == 9 {
                // A restarted storage does not remember the versions that it gave.
                open.remove(0);
                open.push(SqliteStorage::open(&path).unwrap());
            }
            for _ in 0..=turn % 3 {
                let version = open[turn % 2].commit(&acme, put("key")).await.unwrap();
                assert!(version > last, "{version} after {last}");
                last = version;
            }
        }
    }

    #[test]
    fn f21_a_full_disk_is_told_from_a_busy_database() {
        let of = |code| StorageError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!(matches!(of(ffi::SQLITE_FULL), StorageError::Full(_)));
        assert!(matches!(of(ffi::SQLITE_BUSY), StorageError::Unavailable(_)));
    }
}
