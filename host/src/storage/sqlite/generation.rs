//! The generation number of the database file, by which a write-ahead log that belongs to another state of the file is
//! detected.
//!
//! If somebody puts an older copy of the database beside a log that was left behind, the result is a mixture: SQLite
//! finds pages in the log that are newer than those in the file, and uses them without an error. For this reason the
//! file's first page, where all settings of a database are, has a number. It is raised twice in the life of a log: when
//! the first change is written to a log whose pages are all in the file already (it becomes odd), and before the whole
//! log is moved into the file and starts again (it becomes even). The file itself only gets a number when the first
//! page is moved into it. So with an odd number in the log, the file has this number or the one before; with an even
//! one, it has this number or one of the two before. A copy of the file from the life of an earlier log has a smaller
//! number.
//!
//! The number is SQLite's `application_id`, which nothing else in this project uses. If something else moves the log
//! (another program, or a process that was killed), the numbers only rise less often: a mixture may then go undetected,
//! but a correct pair is never refused. A copy made by `VACUUM INTO` has its pages at other places, so no log fits it:
//! SQLite raises the schema version in it, and the schema version of a file is never higher than that of its log.

use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::OpenError;

/// How often numbers that do not fit are read again, since another process may be moving the log at this moment.
const TRIES: usize = 5;

/// Checks that the log belongs to the file.
///
/// # Errors
/// [`OpenError::OtherLog`] if it does not; those of SQLite.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error| OpenError::sqlite(path, error);
    let mut before = None;
    for _ in 0..TRIES {
        let in_file = of_file(path).map_err(failed)?;
        let with_log = Numbers::of(connection).map_err(failed)?;
        match in_file {
            Some(in_file) if !in_file.may_have(with_log) => {
                // If the same numbers were read twice, no process is moving the log.
                if before == Some((in_file, with_log)) {
                    return Err(OpenError::OtherLog(path.to_owned()));
                }
                before = Some((in_file, with_log));
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Must be called inside the transaction of a change: if all of the log is in the file, the life of a new log begins.
pub(super) fn begin(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    let numbers = Numbers::of(connection)?;
    // If the file can't be read, the change goes on without a new number: the number only protects data, and must not
    // stop writes.
    let begins = numbers.is_between_two() && of_file(path).ok().flatten() == Some(numbers);
    if begins { numbers.raise(connection) } else { Ok(()) }
}

/// Handles what an earlier process has left, before the first change of this one. If all of the log is in the file, its
/// life ends here. If its life has ended, the rest of it is moved. Commits, and moves the pages in the log.
pub(super) fn renew(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    let numbers = Numbers::of(connection)?;
    let is_moved = of_file(path)? == Some(numbers);
    if numbers.is_between_two() == is_moved {
        return Ok(());
    }
    if is_moved {
        end(connection)?;
    }
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Must be called when the whole log is about to be moved into the file: its life ends. Commits.
pub(super) fn end(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let raised = Numbers::of(connection)
        .and_then(|numbers| if numbers.is_between_two() { Ok(()) } else { numbers.raise(connection) });
    let committed = raised.and_then(|()| connection.execute_batch("COMMIT"));
    if committed.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    committed
}

/// The numbers in the first page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers {
    generation: i32,
    schema: i32,
}

impl Numbers {
    /// The numbers that readers of the database see.
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
        Ok(Self { generation: number("application_id")?, schema: number("schema_version")? })
    }

    /// Whether no log has begun whose pages are not in the file.
    fn is_between_two(self) -> bool {
        self.generation % 2 == 0
    }

    fn raise(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.pragma_update(None, "application_id", self.generation.wrapping_add(1))
    }

    /// Whether a file with these numbers may have a log that leads to the numbers `with_log`.
    fn may_have(self, with_log: Self) -> bool {
        let behind = with_log.generation.wrapping_sub(self.generation);
        (0..=if with_log.is_between_two() { 2 } else { 1 }).contains(&behind) && self.schema <= with_log.schema
    }
}

/// The numbers in the file alone, without its log; `None` if they are unknown, for instance if the machine stopped
/// while pages were being moved.
///
/// SQLite must read them. If the process opened and closed the file itself, that would release SQLite's locks on the
/// file.
fn of_file(path: &Path) -> rusqlite::Result<Option<Numbers>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Some(uri) = immutable(path) else { return Ok(None) };
    let read = Connection::open_with_flags(uri, flags).and_then(|connection| Numbers::of(&connection));
    match read {
        Ok(numbers) => Ok(Some(numbers)),
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::CannotOpen)
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The URI with which SQLite reads the file as immutable, and therefore without its log.
fn immutable(path: &Path) -> Option<String> {
    const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');
    let path = std::path::absolute(path).ok()?;
    Some(format!("file:{}?immutable=1", utf8_percent_encode(path.to_str()?, PATH)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::capability::storage::{Change, OrganizationId, Storage as _, Transaction};
    use crate::storage::sqlite::{Checkpoints, SqliteStorage, open};

    fn numbers(path: &Path) -> (Numbers, Numbers) {
        let connection = Connection::open(path).unwrap();
        // Otherwise the last connection that is closed would move the log.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        (of_file(path).unwrap().unwrap(), Numbers::of(&connection).unwrap())
    }

    async fn put(storage: &SqliteStorage, key: &str) {
        let changes = vec![Change::put(key.into(), vec![b'x'; 20_000])];
        let acme = OrganizationId::parse("acme").unwrap();
        storage.commit(&acme, Transaction { changes, ..Transaction::default() }).await.unwrap();
    }

    /// Copies database and log in the state in which `kill -9` leaves them.
    fn killed(path: &Path, to: &Path) {
        let log = |path: &Path| path.with_extension("db-wal");
        fs::copy(path, to).unwrap();
        fs::copy(log(path), log(to)).unwrap();
    }

    /// Copies the database page by page, including the log's pages, as `.backup` does.
    fn backup(path: &Path, to: &Path) {
        killed(path, to);
        Numbers::of(&Connection::open(to).unwrap()).unwrap();
        assert!(!to.with_extension("db-wal").exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_older_copy_beside_a_log_that_was_left_behind_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let names = ["data with 100 % and ?.db", "old.db", "newer.db", "vacuumed.db"];
        let [path, old, newer, vacuumed] = names.map(|name| directory.path().join(name));
        let storage = SqliteStorage::open(&path).unwrap();
        put(&storage, "first").await;
        backup(&path, &old);
        put(&storage, "second").await;
        drop(storage);
        let storage = SqliteStorage::open(&path).unwrap();
        put(&storage, "third").await;
        backup(&path, &newer);
        let connection = Connection::open(&path).unwrap();
        connection.execute("VACUUM INTO ?1", [vacuumed.to_str().unwrap()]).unwrap();
        // With its own log the database can be opened.
        let crashed = directory.path().join("crashed.db");
        killed(&path, &crashed);
        drop(SqliteStorage::open(&crashed).unwrap());
        let mixed = directory.path().join("mixed.db");
        for (copy, is_right) in [(&old, false), (&newer, true), (&vacuumed, false)] {
            killed(&path, &mixed);
            fs::remove_file(&mixed).unwrap();
            fs::copy(copy, &mixed).unwrap();
            let opened = SqliteStorage::open(&mixed);
            match is_right {
                // The log leads to the state that the database had.
                true => drop(opened.unwrap()),
                false => {
                    let refused = opened.unwrap_err();
                    assert!(matches!(refused, OpenError::OtherLog(_)), "{refused}");
                    // A refusal leaves both files unchanged, so the next attempt is refused as well.
                    assert_eq!(fs::read(&mixed).unwrap(), fs::read(copy).unwrap());
                    assert!(mixed.with_extension("db-wal").exists());
                    assert!(matches!(SqliteStorage::open(&mixed).unwrap_err(), OpenError::OtherLog(_)));
                    #[cfg(feature = "cli")]
                    assert!(matches!(
                        open::current_reader(&mixed, Checkpoints::Own).unwrap_err(),
                        OpenError::OtherLog(_)
                    ));
                    // Without the log the file is what the copy was.
                    for end in ["db-wal", "db-shm"] {
                        let _ = fs::remove_file(mixed.with_extension(end));
                    }
                    drop(SqliteStorage::open(&mixed).unwrap());
                }
            }
            for end in ["db", "db-wal", "db-shm"] {
                let _ = fs::remove_file(mixed.with_extension(end));
            }
        }
        // The same is true beside a log that was restarted by another process; the writer notices at its second commit.
        let before = directory.path().join("before.db");
        backup(&path, &before);
        storage.scour().await.unwrap();
        put(&storage, "fourth").await;
        put(&storage, "fifth").await;
        killed(&path, &mixed);
        fs::copy(&before, &mixed).unwrap();
        let refused = SqliteStorage::open(&mixed).unwrap_err();
        assert!(matches!(refused, OpenError::OtherLog(_)), "{refused}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whatever_is_done_to_a_database_it_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data.db");
        let mut last = 0;
        for round in 0..4 {
            let storage = SqliteStorage::open(&path).unwrap();
            let beside = SqliteStorage::open(&path).unwrap();
            for number in 0..6 {
                put(if number % 2 == 0 { &storage } else { &beside }, &format!("{round}/{number}")).await;
                if number == 3 {
                    storage.scour().await.unwrap();
                }
                let (in_file, with_log) = numbers(&path);
                assert!(in_file.may_have(with_log), "{in_file:?} in the file, {with_log:?} with its log");
                let crashed = directory.path().join(format!("crashed-{round}-{number}.db"));
                killed(&path, &crashed);
                drop(SqliteStorage::open(&crashed).unwrap());
            }
            drop((storage, beside));
            let (in_file, with_log) = numbers(&path);
            assert_eq!(in_file, with_log, "all is in the file");
            let number = with_log.generation;
            assert!(number > last, "each life of the log has a number of its own: {number} after {last}");
            last = number;
        }
    }

    #[test]
    fn a_log_fits_to_the_file_as_it_was_when_the_log_began_and_as_it_is_while_it_is_moved() {
        for (in_file, with_log, fit) in [
            (4, 5, true),
            (5, 5, true),
            (4, 6, true),
            (5, 6, true),
            (6, 6, true),
            (3, 5, false),
            (3, 6, false),
            (7, 6, false),
            (i32::MAX, i32::MIN, true),
        ] {
            let numbers = |generation| Numbers { generation, schema: 7 };
            assert_eq!(
                numbers(in_file).may_have(numbers(with_log)),
                fit,
                "{in_file} in the file, {with_log} with its log"
            );
        }
    }
}
