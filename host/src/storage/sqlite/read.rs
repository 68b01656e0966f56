//! Reading: a pool of connections, and the queries.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::runtime::Handle;

use super::numbers::Numbers;
use super::{OpenError, from_integer, open, to_integer};
use crate::capability::storage::{Entry, Item, Key, KeyRange, OrganizationId, Page, Scanned, StorageError};
use crate::fair::Gate;
use crate::storage::bounds::{self, PageBudget};

/// Connections kept open while nobody reads: more than there are threads that read at once.
const IDLE: usize = 16;

/// Rows up to which a read stays on the calling task. From the page cache a get of one key takes 2 to 8 µs and a page of
/// 100 entries 40 to 75 µs: not worth another thread. The longest that stays, one full page, took 0.7 ms at the median
/// with 10,000 rows and 2 ms with a million (a tenth of them over 10 ms, on a busy machine).
const INLINE: u64 = 5_000;

/// Longer reads at a time; each has a thread and a connection.
const LONG_READS: usize = 4;

/// The connections that read.
pub(super) struct Readers {
    path: PathBuf,
    numbers: Arc<Numbers>,
    /// The last one returned is the next one taken: its cache is warm.
    idle: Mutex<Vec<Connection>>,
    long: Gate<OrganizationId>,
}

impl Readers {
    /// Opens the first connection, to see whether it works.
    pub(super) fn new(path: &Path, numbers: Arc<Numbers>) -> Result<Self, OpenError> {
        let idle = Mutex::new(vec![open::reader(path)?]);
        Ok(Self { path: path.to_owned(), numbers, idle, long: Gate::new(LONG_READS) })
    }

    /// Runs a read that passes over about `cost` rows: here if that is quick, on a thread for blocking
    /// work otherwise.
    pub(super) async fn read<T, F>(
        readers: &Arc<Self>,
        organization: &OrganizationId,
        cost: u64,
        read: F,
    ) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, StorageError> + Send + 'static,
    {
        let runtime = Handle::try_current().ok().filter(|_| cost > INLINE);
        let Some(runtime) = runtime else {
            return readers.read_here(read);
        };
        // Organizations take turns: who reads much waits behind themselves.
        let turn = readers.long.enter(organization).await;
        let readers = Arc::clone(readers);
        runtime
            .spawn_blocking(move || {
                // Dropped here and not with the future, which may be gone before the read ends.
                let _turn = turn;
                readers.read_here(read)
            })
            .await
            .map_err(|error| StorageError::Unavailable(error.to_string()))?
    }

    fn read_here<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, StorageError>) -> Result<T, StorageError> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = idle().pop();
        let connection = match taken {
            Some(connection) => connection,
            None => open::reader(&self.path).map_err(|error| StorageError::Unavailable(error.to_string()))?,
        };
        let result = read(&Reader { connection: &connection, numbers: &self.numbers });
        // One that is still in a transaction would go on seeing the past.
        if connection.is_autocommit() {
            let mut idle = idle();
            if idle.len() < IDLE {
                idle.push(connection);
            }
        }
        result
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A connection for the time of one read.
pub(super) struct Reader<'r> {
    connection: &'r Connection,
    numbers: &'r Numbers,
}

impl Reader<'_> {
    pub(super) fn get(&self, organization: &OrganizationId, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(vec![None; keys.len()]);
        };
        self.at_one_moment(keys.len(), || {
            let sql = "SELECT value, version FROM item WHERE organization = ?1 AND key = ?2";
            let mut statement = self.connection.prepare_cached(sql)?;
            let mut bytes = 0;
            let mut items = Vec::with_capacity(keys.len());
            for key in keys {
                let mut rows = statement.query(params![number, key])?;
                let Some(row) = rows.next()? else {
                    items.push(None);
                    continue;
                };
                let value = blob(row, 0)?;
                bytes += value.len();
                if bytes > bounds::MAX_GET_BYTES {
                    return Err(StorageError::TooLarge);
                }
                items.push(Some(Item { value: value.to_vec(), version: from_integer(row.get(1)?) }));
            }
            Ok(items)
        })
    }

    pub(super) fn scan(&self, organization: &OrganizationId, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(vec![Scanned::default(); pages.len()]);
        };
        self.at_one_moment(pages.len(), || {
            let mut taken = 0;
            pages.iter().map(|page| self.page(number, page, &mut taken)).collect()
        })
    }

    fn page(&self, number: i64, page: &Page, taken: &mut usize) -> Result<Scanned, StorageError> {
        let sql = if page.reverse {
            "SELECT key, value, version FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3
            ORDER BY key DESC LIMIT ?4 OFFSET ?5"
        } else {
            "SELECT key, value, version FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3
            ORDER BY key LIMIT ?4 OFFSET ?5"
        };
        let mut scanned = Scanned::default();
        if page.range.is_empty() {
            return Ok(scanned);
        }
        let mut budget = PageBudget::new(page.limit, *taken);
        // One more than asked for, to see whether there is more.
        let limit = i64::from(page.limit) + 1;
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![number, page.range.start, page.range.end, limit, page.skip])?;
        while let Some(row) = rows.next()? {
            let (key, value) = (blob(row, 0)?, blob(row, 1)?);
            let bytes = key.len() + value.len();
            if !budget.take(bytes) {
                scanned.more = true;
                break;
            }
            *taken += bytes;
            let version = from_integer(row.get(2)?);
            scanned.entries.push(Entry { key: key.to_vec(), value: value.to_vec(), version });
        }
        Ok(scanned)
    }

    pub(super) fn count(&self, organization: &OrganizationId, range: &KeyRange) -> Result<u64, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(0);
        };
        let sql = "SELECT count(*) FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let count = statement.query_row(params![number, range.start, range.end], |row| row.get(0))?;
        Ok(from_integer(count))
    }

    pub(super) fn due(&self, now: u64, limit: usize) -> Result<Vec<(OrganizationId, u64)>, StorageError> {
        let sql = "SELECT name, at FROM due JOIN organization ON organization.id = due.organization
            WHERE at <= ?1 ORDER BY at, due.organization LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![to_integer(now), to_integer(limit as u64)])?;
        let mut due = Vec::new();
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            let organization =
                OrganizationId::from_stored(&name).map_err(|error| StorageError::Other(error.to_string()))?;
            due.push((organization, from_integer(row.get(1)?)));
        }
        Ok(due)
    }

    pub(super) fn next_due(&self) -> Result<Option<u64>, StorageError> {
        let mut statement = self.connection.prepare_cached("SELECT at FROM due ORDER BY at LIMIT 1")?;
        let at: Option<i64> = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(at.map(from_integer))
    }

    /// Several statements in one transaction: they see the same commits, and SQLite takes its locks
    /// and looks for news once, which is half of what a point read costs.
    fn at_one_moment<T>(
        &self,
        statements: usize,
        read: impl FnOnce() -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        if statements < 2 {
            return read();
        }
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        let result = read();
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        result
    }
}

fn blob<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StorageError> {
    row.get_ref(column)?.as_blob().map_err(|error| StorageError::Other(error.to_string()))
}
