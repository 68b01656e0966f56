//! The generation of the database file, by which a write-ahead log that belongs to another state of the file is told.
//!
//! Who puts an older copy of the database beside a log that was left behind gets a mixture: SQLite finds pages in the log that are
//! newer than those in the file, takes them, and says nothing. So the file bears a number, in its first page like all settings
//! of a database, and the number is raised twice in the life of a log: when the first change goes into a log that has nothing
//! which is not in the file (then the number becomes odd), and before all of the log is moved into the file and the log begins anew
//! (then it becomes even). The file itself gets a number only when the first page is moved into it. So with an odd number in
//! the log the file has this number or the one before, and with an even one, one of the two before or this one. A copy of
//! the file that was made in the life of an earlier log has a smaller number.
//!
//! The number is SQLite's `application_id`, which nothing else of ours uses. Whatever moves the log otherwise (another program, a
//! process that was killed) only makes the numbers rise more seldom: then a mixture may not be told, and what is right is never
//! refused. A copy that `VACUUM INTO` has made has its pages at other places, so that no log fits to it: SQLite raises the version
//! of the schema in it, which in a file is never higher than in its log.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::open::OpenError;

/// How often numbers are read again that do not fit, since another process may move the log at this moment.
const TRIES: usize = 5;

/// Looks whether the log belongs to the file.
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
                // The same numbers twice: nobody is moving anything.
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

/// A change goes into the log, inside its transaction: if the log has nothing that is not in the file, its life begins.
pub(super) fn begin(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    let numbers = Numbers::of(connection)?;
    // Who can't read the file goes on as before: the number guards what is written, and must not keep anybody from writing.
    let begins = numbers.is_between_two() && of_file(path).ok().flatten() == Some(numbers);
    if begins { numbers.raise(connection) } else { Ok(()) }
}

/// Takes up what an earlier process has left, before the first change of this one: if all of the log is in the file, its life ends
/// here, and if its life has ended, what is left of it is moved. Commits, and moves what is in the log.
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

/// All of the log is about to be moved into the file: its life ends. Commits.
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

/// What the first page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Numbers {
    generation: i32,
    schema: i32,
}

impl Numbers {
    /// As readers of the database see them.
    fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
        Ok(Self { generation: number("application_id")?, schema: number("schema_version")? })
    }

    /// No log has begun that is not in the file.
    fn is_between_two(self) -> bool {
        self.generation % 2 == 0
    }

    fn raise(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.pragma_update(None, "application_id", self.generation.wrapping_add(1))
    }

    /// Whether a log that leads to the others may lie beside a file with these.
    fn may_have(self, with_log: Self) -> bool {
        let behind = with_log.generation.wrapping_sub(self.generation);
        (0..=if with_log.is_between_two() { 2 } else { 1 }).contains(&behind) && self.schema <= with_log.schema
    }
}

/// The numbers in the file alone; `None` if nobody can tell, as when its pages were being moved when the machine ended.
///
/// It is read by SQLite, and not as a file: the end of a process's own reading would end SQLite's locks on the file.
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

/// The address under which SQLite reads the file as if nobody wrote to it, and so without its log.
fn immutable(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    let mut uri = "file:".to_owned();
    for byte in path.to_str()?.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(byte.into()),
            _ => write!(uri, "%{byte:02X}").ok()?,
        }
    }
    Some(uri + "?immutable=1")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::capability::storage::{Change, OrganizationId, Storage as _, Transaction};
    use crate::storage::sqlite::{Checkpoints, SqliteStorage, open};

    fn numbers(path: &Path) -> (Numbers, Numbers) {
        let connection = Connection::open(path).unwrap();
        // Whoever closes last moves the log.
        connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        (of_file(path).unwrap().unwrap(), Numbers::of(&connection).unwrap())
    }

    async fn put(storage: &SqliteStorage, key: &str) {
        let changes = vec![Change::put(key.into(), vec![b'x'; 20_000])];
        let acme = OrganizationId::parse("acme").unwrap();
        storage.commit(&acme, Transaction { changes, ..Transaction::default() }).await.unwrap();
    }

    /// A copy of database and log, as `kill -9` leaves them.
    fn killed(path: &Path, to: &Path) {
        let log = |path: &Path| path.with_extension("db-wal");
        fs::copy(path, to).unwrap();
        fs::copy(log(path), log(to)).unwrap();
    }

    /// A copy of the database page by page, with what is in its log, as `.backup` makes it.
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
        // With its own log the database is opened.
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
                // What the log adds to it leads to what there was.
                true => drop(opened.unwrap()),
                false => {
                    let refused = opened.unwrap_err();
                    assert!(matches!(refused, OpenError::OtherLog(_)), "{refused}");
                    // Whoever is refused leaves both as they were, and so the next one is refused as well.
                    assert_eq!(fs::read(&mixed).unwrap(), fs::read(copy).unwrap());
                    assert!(mixed.with_extension("db-wal").exists());
                    assert!(matches!(SqliteStorage::open(&mixed).unwrap_err(), OpenError::OtherLog(_)));
                    #[cfg(feature = "cli")]
                    assert!(matches!(
                        open::current_reader(&mixed, Checkpoints::Own).unwrap_err(),
                        OpenError::OtherLog(_)
                    ));
                    // Without the log it is what the copy was.
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
        // So is one beside a log that has begun anew behind the writer's back; its second commit knows.
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
