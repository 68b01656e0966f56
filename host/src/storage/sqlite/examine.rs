//! Examines a database file for the operator, without changing it, even while a server uses it.

use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::OpenError;

/// The most faults that are reported.
const FAULTS: u32 = 5;

/// The result of examining a database file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Examined {
    /// Bytes of the file.
    pub(crate) size: u64,
    /// How many of these bytes are free for new data.
    pub(crate) free: u64,
    /// Bytes of the write-ahead log beside it.
    pub(crate) log: u64,
    /// The faults that SQLite finds; empty if the file is intact.
    pub(crate) faults: Vec<String>,
}

/// Reads the whole file and checks its structure (SQLite's `quick_check`): about a second for each gigabyte.
///
/// # Errors
/// If the file can't be opened or read.
pub(crate) fn examine(path: &Path) -> Result<Examined, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::sqlite(path, error);
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    let number = |pragma: &str| {
        connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).map_err(failed)
    };
    let page = number("PRAGMA page_size")?;
    let (size, free) = (number("PRAGMA page_count")? * page, number("PRAGMA freelist_count")? * page);
    let mut check = connection.prepare(&format!("PRAGMA quick_check({FAULTS})")).map_err(failed)?;
    let found = check.query_map([], |row| row.get::<_, String>(0)).map_err(failed)?;
    let faults: Vec<String> = found.collect::<Result<_, _>>().map_err(failed)?;
    let faults = faults.into_iter().filter(|fault| fault != "ok").collect();
    let log = fs::metadata(path.with_extension("db-wal")).map_or(0, |metadata| metadata.len());
    Ok(Examined { size, free, log, faults })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_database_has_no_fault_and_one_with_a_spoilt_page_has() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("whole.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE item (name TEXT PRIMARY KEY, value BLOB)").unwrap();
        for number in 0..200 {
            let row = (format!("name {number}"), vec![7_u8; 500]);
            connection.execute("INSERT INTO item VALUES (?1, ?2)", row).unwrap();
        }
        drop(connection);
        let whole = examine(&path).unwrap();
        assert!(whole.faults.is_empty() && whole.size > 100_000, "{whole:?}");
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4_096].fill(0xa5);
        fs::write(&path, bytes).unwrap();
        assert!(examine(&path).map_or(true, |spoilt| !spoilt.faults.is_empty()));
    }

    #[test]
    fn a_file_that_is_not_there_is_not_made() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("missing.db");
        assert!(examine(&path).is_err());
        assert!(!path.exists());
    }
}
