//! Opens the database: settings, tables and their migrations.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, params};
use rusqlite_migration::{M, Migrations};

use super::{Checkpoints, OpenError, generation, place, to_integer};
use crate::capability::storage::StorageError;
use crate::private_files;

/// The newest version of the tables, which is the number of migrations.
const KNOWN: i32 = 5;

/// How long to wait while another process writes; a CLI command takes milliseconds.
const BUSY: Duration = Duration::from_secs(10);
/// How long to wait until nobody else has the database open.
#[cfg(feature = "cli")]
const ALONE: Duration = Duration::from_secs(2);
/// How many attempts are made to empty the log.
const SCOUR_TRIES: u32 = 5;
/// How long each attempt waits for others.
const SCOUR_WAIT: Duration = Duration::from_secs(1);
/// The largest database that is rewritten as a whole after data was deleted from it, in bytes.
const SMALL: i64 = 64 << 20;

/// `alone`, which was called `item` until the fourth step and `entry` until the fifth, has no rowid and pages of 8 KiB.
/// The measurements used keys of 50 bytes; a fifth of the values had 1 KB and the others 36 bytes. They ran on 2 shared
/// cores, so only large differences mean something. Each figure is the lowest median of four cache sizes without a
/// memory map, in µs; commits are of six random keys and not synced:
///
/// | rows      | layout          | get | get of 3 | scan of 20 | commit | MB  |
/// |-----------|-----------------|-----|----------|------------|--------|-----|
/// | 10,000    | no rowid, 8 KiB | 2.2 | 4.9      | 15         | 55     | 3   |
/// | 10,000    | rowid, 8 KiB    | 2.6 | 6.5      | 24         | 44     | 3   |
/// | 10,000    | no rowid, 4 KiB | 4.7 | 8.9      | 19         | 70     | 8   |
/// | 1,000,000 | no rowid, 8 KiB | 5.5 | 14       | 17         | 79     | 357 |
/// | 1,000,000 | rowid, 8 KiB    | 7.8 | 24       | 84         | 49     | 344 |
/// | 1,000,000 | no rowid, 4 KiB | 6.8 | 24       | 27         | 90     | 839 |
///
/// Faster reads cost slower commits: with a million rows and checkpoints included, the mean commit was 233 µs, and 92
/// with a rowid. A request reads more often than it writes, and its commit waits far longer for the disk. All tables
/// have the organization's number in place of its name, so that no key repeats the name.
fn migrations() -> Migrations<'static> {
    Migrations::new(vec![
        M::up(
            "CREATE TABLE organization (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE item (
        organization INTEGER NOT NULL,
        key BLOB NOT NULL,
        value BLOB NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (organization, key)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE due (
        organization INTEGER PRIMARY KEY,
        at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX due_at ON due (at, organization);
    CREATE TABLE sequence (last INTEGER NOT NULL) STRICT;
    INSERT INTO sequence VALUES (0);",
        ),
        M::up(
            // A name may be used again, but its number may not.
            "CREATE TABLE generations (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        generation INTEGER NOT NULL,
        deleted INTEGER NOT NULL DEFAULT FALSE,
        UNIQUE (name, generation)
    ) STRICT;
    INSERT INTO generations (id, name, generation) SELECT id, name, 0 FROM organization;
    DROP TABLE organization;
    ALTER TABLE generations RENAME TO organization;",
        ),
        M::up(
            // When an organization's jobs are due, and which host has a claim on them: see `capability::schedule`.
            // There are few claims at a time, so those that have ended have a separate index.
            "CREATE TABLE schedule (
        organization INTEGER PRIMARY KEY,
        wake_at INTEGER,
        claim INTEGER,
        claimed_until INTEGER
    ) STRICT;
    INSERT INTO schedule (organization, wake_at) SELECT organization, at FROM due;
    DROP TABLE due;
    CREATE INDEX schedule_waiting ON schedule (wake_at, organization) WHERE claim IS NULL AND wake_at IS NOT NULL;
    CREATE INDEX schedule_claimed ON schedule (claimed_until, organization) WHERE claim IS NOT NULL;",
        ),
        M::up_with_hook(
            // See module `place`. The table gets another name, so that a process of an earlier release, which does not
            // know the second table, fails instead of missing the rows in it.
            "ALTER TABLE item RENAME TO entry;
    CREATE TABLE grouped (
        organization INTEGER NOT NULL,
        number INTEGER NOT NULL,
        key BLOB NOT NULL,
        kind INTEGER NOT NULL,
        value BLOB NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (organization, number, key, kind)
    ) STRICT, WITHOUT ROWID;",
            |transaction: &Transaction<'_>| Ok(group(transaction)?),
        ),
        M::up(
            // Large transactions that are made in steps: see module `large`. A batch with a version took effect; a
            // change without a value is a deleted key. Group and kind are 0 for a key that is in no group. Numbers of
            // batches are never reused. A table gets another name, for the same reason as in the fourth step.
            "ALTER TABLE entry RENAME TO alone;
    CREATE TABLE batch (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        organization INTEGER NOT NULL,
        version INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX batch_decided ON batch (organization) WHERE version IS NOT NULL;
    CREATE TABLE staged (
        batch INTEGER NOT NULL,
        number INTEGER NOT NULL,
        key BLOB NOT NULL,
        kind INTEGER NOT NULL,
        value BLOB,
        PRIMARY KEY (batch, number, key, kind)
    ) STRICT, WITHOUT ROWID;",
        ),
    ])
}

/// Moves the rows that are kept in groups from now on, organization by organization. It runs once and takes some
/// seconds for a million members.
fn group(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut organizations = transaction.prepare("SELECT id FROM organization")?;
    let mut copy = transaction.prepare(
        "INSERT INTO grouped (organization, number, key, kind, value, version)
        SELECT organization, ?4, substr(key, ?6), ?5, value, version FROM entry
        WHERE organization = ?1 AND key >= ?2 AND key < ?3",
    )?;
    let mut delete = transaction.prepare("DELETE FROM entry WHERE organization = ?1 AND key >= ?2 AND key < ?3")?;
    let mut organizations = organizations.query([])?;
    while let Some(row) = organizations.next()? {
        let organization: i64 = row.get(0)?;
        for (start, end, group) in place::all_groups() {
            // SQLite counts from 1.
            let first = to_integer(group.beginning.len() as u64 + 1);
            copy.execute(params![organization, start, end, group.number, group.kind, first])?;
            delete.execute(params![organization, start, end])?;
        }
    }
    Ok(())
}

/// Opens the connection that writes; creates the database and its tables where they are missing.
pub(super) fn writer(path: &Path, checkpoints: Checkpoints) -> Result<Connection, OpenError> {
    create_file(path).map_err(|error| OpenError::io(path, error))?;
    // Only one process at a time may do this: the switch to the write-ahead log and the migrations are not safe against
    // another process that does the same. A directory can be locked on every Unix, without leaving a lock file behind.
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let lock = File::open(directory).map_err(|error| OpenError::io(path, error))?;
    lock.lock().map_err(|error| OpenError::io(path, error))?;
    let mut connection = connect(path, checkpoints)?;
    check_log(&connection, path, checkpoints)?;
    configure_writer(&connection).map_err(|error| OpenError::sqlite(path, error))?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(|error| OpenError::sqlite(path, error))?;
    if mode != "wal" {
        return Err(OpenError::NoWriteAheadLog(path.to_owned()));
    }
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn reader(path: &Path, checkpoints: Checkpoints) -> Result<Connection, OpenError> {
    let connection = connect(path, checkpoints)?;
    connection
        .execute_batch(
            // A small cache and no memory map, because SQLite drops both after each commit of another connection. The
            // first get after a commit, with a million rows: 16 µs with 256 KiB, 21 µs with 2 MiB, 73 µs with a memory
            // map; the second: 10, 14 and 29 µs. With no commit between, neither showed a steady advantage.
            "PRAGMA query_only = ON; PRAGMA cache_size = -256; PRAGMA mmap_size = 0;",
        )
        .map_err(|error| OpenError::sqlite(path, error))?;
    Ok(connection)
}

/// Removes deleted and replaced data from the files: it rewrites a small database as a whole, moves all of the log into
/// the database, and truncates the log.
///
/// Deleted data is overwritten (`secure_delete`), but SQLite also leaves copies where it moves rows between pages: of
/// 8,256 deleted rows 95 were still there, and none after `VACUUM`, which took 1.7 s for 53 MB. Commits wait for that
/// long, so a large database is not rewritten here. If another program moves the log, that is left to it.
pub(super) fn scour(path: &Path, checkpoints: Checkpoints) -> Result<(), StorageError> {
    let connection = reader(path, checkpoints).map_err(|error| StorageError::Unavailable(error.to_string()))?;
    connection.busy_timeout(SCOUR_WAIT)?;
    connection.pragma_update(None, "query_only", false)?;
    let number = |pragma: &str| connection.pragma_query_value::<i64, _>(None, pragma, |row| row.get(0));
    let is_small = number("page_count")?.saturating_mul(number("page_size")?) <= SMALL;
    let rewritten = if is_small { connection.execute_batch("VACUUM") } else { Ok(()) };
    if checkpoints == Checkpoints::External {
        return Ok(rewritten?);
    }
    // The log is emptied even if the database could not be rewritten, because the disk is full or somebody reads for a
    // long time.
    for _ in 0..SCOUR_TRIES {
        if connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))? == 0 {
            return Ok(rewritten?);
        }
    }
    Err(StorageError::Unavailable(
        "another connection has been reading an earlier state of the database for long".into(),
    ))
}

/// Like [`reader`], for tables that this release has made or migrated.
#[cfg(feature = "cli")]
pub(super) fn current_reader(path: &Path, checkpoints: Checkpoints) -> Result<Connection, OpenError> {
    let connection = reader(path, checkpoints)?;
    check_log(&connection, path, checkpoints)?;
    match version(&connection, path)? {
        KNOWN => Ok(connection),
        found => Err(OpenError::Older { path: path.to_owned(), found, known: KNOWN }),
    }
}

/// Calls `act` while no other process has the database open or can open it; `None` if another process has it open. In a
/// database with a write-ahead log each connection keeps a shared lock on the file for as long as it is open. For this
/// reason a process with the exclusive lock is alone, and others wait until they can open the database. Nothing is
/// written, and the log stays where it is. This waits for a command that is about to end. Blocks.
#[cfg(feature = "cli")]
pub(crate) fn while_alone<T>(
    path: &Path,
    checkpoints: Checkpoints,
    act: impl FnOnce() -> T,
) -> Result<Option<T>, OpenError> {
    let connection = connect(path, checkpoints)?;
    let locked = connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .and_then(|_| connection.busy_timeout(ALONE))
        .and_then(|()| connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE"))
        // The lock is taken with the first read.
        .and_then(|()| connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)));
    match locked {
        // The connection keeps its lock until it is closed, at the end of this function.
        Ok(_) => Ok(Some(act())),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(None),
        Err(error) => Err(OpenError::sqlite(path, error)),
    }
}

/// Checks that the log belongs to the file. A log that does not belong stays unmoved: otherwise the last connection
/// that closes the database would move it into the file, and make the mixture that is refused here.
fn check_log(connection: &Connection, path: &Path, checkpoints: Checkpoints) -> Result<(), OpenError> {
    let leave_log = |leaves: bool| {
        let set = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leaves);
        set.map(drop).map_err(|error| OpenError::sqlite(path, error))
    };
    leave_log(true)?;
    generation::check(connection, path)?;
    leave_log(checkpoints == Checkpoints::External)
}

/// Creates an empty file that only its owner may read, since it will hold hashes of tokens. SQLite gives the log beside
/// it the same permissions.
fn create_file(path: &Path) -> io::Result<()> {
    private_files::options().create(true).truncate(false).open(path).map(drop)
}

fn connect(path: &Path, checkpoints: Checkpoints) -> Result<Connection, OpenError> {
    // SQLITE_OPEN_READ_ONLY would be wrong: after a crash, a reader too may have to recover the log.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| OpenError::sqlite(path, error))?;
    connection.busy_timeout(BUSY).map_err(|error| OpenError::sqlite(path, error))?;
    connection.set_prepared_statement_cache_capacity(64);
    if checkpoints == Checkpoints::External {
        let left_to_others = connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
            .and_then(|_| connection.execute_batch("PRAGMA wal_autocheckpoint = 0"));
        left_to_others.map_err(|error| OpenError::sqlite(path, error))?;
    }
    // Without this, SQLite uses the value of a bound LIMIT for its plan, and prepares a statement with a LIMIT again
    // each time it runs. That was a fifth of the cost of a list.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(|error| OpenError::sqlite(path, error))?;
    Ok(connection)
}

fn configure_writer(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        // FULL: a commit is on the disk when it returns. The writer's cache survives its own commits, but after each
        // that has split a page SQLite passes over all of it: with 32 MiB a commit took 257 µs, with 2 MiB 239 µs, with
        // 256 KiB more again. The log is cut back to 80 MiB after a burst. Deleted data is overwritten: when as much
        // was deleted as written, the log grew by 2.7 %, and no difference in time could be measured.
        "PRAGMA page_size = 8192;
        PRAGMA synchronous = FULL;
        PRAGMA cache_size = -2048;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        PRAGMA journal_size_limit = 83886080;
        PRAGMA secure_delete = ON;",
    )
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenError> {
    version(connection, path)?;
    migrations().to_latest(connection).map_err(|source| OpenError::Migration { path: path.to_owned(), source })
}

/// Returns the version of the tables.
///
/// # Errors
/// If a newer release has made the tables.
fn version(connection: &Connection, path: &Path) -> Result<i32, OpenError> {
    let pending = migrations().pending_migrations(connection);
    let pending = pending.map_err(|source| OpenError::Migration { path: path.to_owned(), source })?;
    match KNOWN - pending {
        found if found > KNOWN => Err(OpenError::Newer { path: path.to_owned(), found, known: KNOWN }),
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::SqliteStorage;
    use super::*;
    use crate::capability::storage::{Entry, Item, KeyRange, OrganizationId, Page, Storage as _};

    #[test]
    fn open_without_a_directory_says_so() {
        let directory = tempfile::tempdir().unwrap();
        let error = SqliteStorage::open(&directory.path().join("none/data.db")).unwrap_err();
        assert!(matches!(error, OpenError::NoDirectory(_)), "{error}");
    }

    #[test]
    fn open_of_another_file_says_so_and_leaves_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let text = "not a database, and longer than the header of one would have to be: ".repeat(4);
        std::fs::write(&path, &text).unwrap();
        let error = SqliteStorage::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::NotADatabase(_)), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn open_of_a_newer_database_names_both_versions() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        drop(SqliteStorage::open(&path).unwrap());
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = SqliteStorage::open(&path).unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 99, known: 5, .. }), "{error}");
    }

    #[test]
    fn open_keeps_the_due_times_of_a_database_of_the_first_release() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let mut old = Connection::open(&path).unwrap();
        migrations().to_version(&mut old, 1).unwrap();
        old.execute_batch("INSERT INTO organization VALUES (1, 'acme'); INSERT INTO due VALUES (1, 77);").unwrap();
        drop(old);
        let storage = SqliteStorage::open(&path).unwrap();
        let acme = OrganizationId::parse("acme").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert_eq!(storage.next_due(0).await.unwrap(), Some(77));
            assert_eq!(storage.due(77, 10).await.unwrap(), std::slice::from_ref(&acme));
            assert!(storage.claim(&acme, 77).await.unwrap().is_some());
        });
    }

    /// The rows in the table of a database of version 3, by organization: keys in order, with values and versions.
    fn rows_of_version_3(connection: &Connection) -> BTreeMap<(String, i64), Vec<Entry>> {
        let sql = "SELECT name, generation, key, value, version FROM item JOIN organization ON id = organization ORDER BY key";
        let mut statement = connection.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut found: BTreeMap<_, Vec<Entry>> = BTreeMap::new();
        while let Some(row) = rows.next().unwrap() {
            let version = row.get::<_, i64>(4).unwrap().unsigned_abs();
            let entry = Entry { key: row.get(2).unwrap(), value: row.get(3).unwrap(), version };
            found.entry((row.get(0).unwrap(), row.get(1).unwrap())).or_default().push(entry);
        }
        found
    }

    #[test]
    fn open_keeps_every_key_of_a_database_in_which_all_were_in_their_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let old = Connection::open(&path).unwrap();
        // A server of that version has written this: an organization with four members, a team of two, events and a
        // log.
        old.execute_batch(include_str!("version-3.sql")).unwrap();
        old.pragma_update(None, "user_version", 3).unwrap();
        let before = rows_of_version_3(&old);
        drop(old);
        assert!(before.values().map(Vec::len).sum::<usize>() > 60);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // The second time there is nothing left to move.
        for _ in 0..2 {
            let storage = SqliteStorage::open(&path).unwrap();
            for ((name, generation), entries) in &before {
                let organization =
                    OrganizationId::from_stored(name).unwrap().with_generation(generation.unsigned_abs());
                let range = KeyRange { start: Vec::new(), end: vec![0xff; 512] };
                let page = Page::first(range, 1_000);
                let scanned = runtime.block_on(storage.scan(&organization, vec![page])).unwrap().remove(0);
                assert_eq!((&scanned.entries, scanned.more), (entries, false));
                let keys = entries.iter().map(|entry| entry.key.clone()).collect();
                let got = runtime.block_on(storage.get(&organization, keys)).unwrap();
                let expected = entries.iter().map(|entry| Item { value: entry.value.clone(), version: entry.version });
                assert_eq!(got, expected.map(Some).collect::<Vec<_>>());
            }
            drop(storage);
        }
        let new = Connection::open(&path).unwrap();
        let mut left = new.prepare("SELECT key FROM alone").unwrap();
        let mut left = left.query([]).unwrap();
        while let Some(row) = left.next().unwrap() {
            let key: Vec<u8> = row.get(0).unwrap();
            assert_eq!(place::of(&key).group, None, "{} has not moved", key.escape_ascii());
        }
        let moved: i64 = new.query_row("SELECT count(*) FROM grouped", [], |row| row.get(0)).unwrap();
        assert_eq!(moved, 30);
    }

    #[cfg(feature = "cli")]
    #[test]
    fn who_has_the_database_open_beside_this_one_is_noticed_and_the_log_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let storage = SqliteStorage::open(&path).unwrap();
        let is_alone = |path: &Path| while_alone(path, Checkpoints::Own, || ()).unwrap().is_some();
        // Within one process SQLite manages its locks itself, so the result is the same as between two processes.
        assert!(!is_alone(&path));
        drop(storage);
        assert!(is_alone(&path));
        // The state after a kill: there is a log, and none of it is in the file yet.
        let writer = writer(&path, Checkpoints::External).unwrap();
        writer.execute("UPDATE sequence SET last = 77", []).unwrap();
        drop(writer);
        let log = path.with_extension("db-wal");
        let before = std::fs::metadata(&log).unwrap().len();
        assert!(before > 0 && is_alone(&path));
        assert_eq!(std::fs::metadata(&log).unwrap().len(), before);
        let reader = reader(&path, Checkpoints::Own).unwrap();
        assert_eq!(reader.query_row("SELECT last FROM sequence", [], |row| row.get::<_, i64>(0)).unwrap(), 77);
    }

    #[cfg(feature = "cli")]
    #[test]
    fn who_opens_the_database_while_another_is_alone_with_it_waits_for_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        drop(SqliteStorage::open(&path).unwrap());
        let opening = while_alone(&path, Checkpoints::Own, || {
            let path = path.clone();
            let (opened, is_open) = std::sync::mpsc::channel();
            let opening = std::thread::spawn(move || {
                let storage = SqliteStorage::open(&path);
                let _ = opened.send(());
                storage
            });
            let waited = is_open.recv_timeout(Duration::from_millis(300));
            assert!(waited.is_err(), "it was opened beside who is alone with it");
            opening
        });
        drop(opening.unwrap().unwrap().join().unwrap().unwrap());
    }

    #[test]
    fn open_at_once_by_many_makes_the_tables_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| SqliteStorage::open(&path))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for storage in opened {
            assert!(storage.is_ok(), "{storage:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn open_makes_a_file_that_only_its_owner_can_read() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let storage = SqliteStorage::open(&path).unwrap();
        for entry in std::fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        }
        drop(storage);
    }

    #[test]
    fn sqlite_is_built_with_the_flags_of_the_cargo_configuration() {
        let connection = Connection::open_in_memory().unwrap();
        let mut statement = connection.prepare("PRAGMA compile_options").unwrap();
        let options: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for option in ["DEFAULT_MEMSTATUS=0", "OMIT_SHARED_CACHE", "DQS=0"] {
            assert!(options.iter().any(|other| other == option), "{option} is not among {options:?}");
        }
        assert!(!options.iter().any(|option| option == "ENABLE_API_ARMOR"), "{options:?}");
    }

    #[test]
    fn a_writer_keeps_commits_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let connection = writer(&directory.path().join("data.db"), Checkpoints::Own).unwrap();
        let setting = |name| connection.pragma_query_value::<i64, _>(None, name, |row| row.get(0)).unwrap();
        assert_eq!(setting("synchronous"), 2, "FULL");
        assert_eq!(setting("page_size"), 8192);
        assert_eq!(setting("secure_delete"), 1, "ON");
    }
}
