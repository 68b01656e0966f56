//! Reading: a pool of connections, and the queries.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::runtime::Handle;

use super::large::{self, Batch, IS_ANY_DECIDED};
use super::numbers::{self, Numbers};
use super::{OpenError, from_integer, open, to_integer};
use crate::capability::clock::TOLERANCE;
use crate::capability::schedule::{CLAIM, Claim, LONGEST_PAUSE, Schedule};
use crate::capability::storage::{Entry, Item, Key, KeyRange, OrganizationId, Page, Scanned, Size, StorageError};
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

const GET: &str = "SELECT value, version FROM item WHERE organization = ?1 AND key = ?2";

/// As [`GET`], and whether a large transaction is being moved; always one row.
static FIRST: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT item.value, item.version, {IS_ANY_DECIDED} FROM (SELECT 1)
        LEFT JOIN item ON item.organization = ?1 AND item.key = ?2"
    )
});

/// The items of an organization while its large transaction, a batch of this number and version, is being moved.
pub(super) static MERGED: LazyLock<String> = LazyLock::new(|| merged("?4", "?5"));
static MERGED_ASCENDING: LazyLock<String> =
    LazyLock::new(|| format!("{} ORDER BY key LIMIT ?4 OFFSET ?5", merged("?6", "?7")));
static MERGED_DESCENDING: LazyLock<String> =
    LazyLock::new(|| format!("{} ORDER BY key DESC LIMIT ?4 OFFSET ?5", merged("?6", "?7")));

fn merged(batch: &str, version: &str) -> String {
    format!(
        "SELECT key, value, version FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3
            AND NOT EXISTS (SELECT 1 FROM staged WHERE staged.batch = {batch} AND staged.key = item.key)
        UNION ALL
        SELECT key, value, {version} FROM staged
            WHERE batch = {batch} AND key >= ?2 AND key < ?3 AND value IS NOT NULL"
    )
}

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
            let mut bytes = 0;
            let mut take = |row: &Row<'_>| -> Result<Item, StorageError> {
                let value = blob(row, 0)?;
                bytes += value.len();
                if bytes > bounds::MAX_GET_BYTES {
                    return Err(StorageError::TooLarge);
                }
                Ok(Item { value: value.to_vec(), version: from_integer(row.get(1)?) })
            };
            let Some((first, others)) = keys.split_first() else { return Ok(Vec::new()) };
            let mut items = Vec::with_capacity(keys.len());
            // The first one tells whether a large transaction is being moved, for which there is hardly ever more to do.
            let mut statement = self.connection.prepare_cached(&FIRST)?;
            let mut rows = statement.query(params![number, first])?;
            let row = rows.next()?.ok_or(StorageError::Other("SQLite has no answer".into()))?;
            if row.get(2)? {
                drop(rows);
                return self.get_beside_moving(number, keys);
            }
            items.push(if row.get_ref(0)? == ValueRef::Null { None } else { Some(take(row)?) });
            if !others.is_empty() {
                let mut statement = self.connection.prepare_cached(GET)?;
                for key in others {
                    let mut rows = statement.query(params![number, key])?;
                    items.push(rows.next()?.map(&mut take).transpose()?);
                }
            }
            Ok(items)
        })
    }

    /// As [`Reader::get`], while a large transaction is being moved, perhaps of this organization; in one transaction even
    /// for one key, since it takes two looks.
    fn get_beside_moving(&self, number: i64, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        let begins = self.connection.is_autocommit();
        self.at_one_moment(if begins { 2 } else { 0 }, || {
            let moving = large::decided(self.connection, number)?;
            let mut bytes = 0;
            let mut get = self.connection.prepare_cached(GET)?;
            let mut staged =
                self.connection.prepare_cached("SELECT value FROM staged WHERE batch = ?1 AND key = ?2")?;
            let mut items = Vec::with_capacity(keys.len());
            for key in keys {
                let instead: Option<(Option<Vec<u8>>, u64)> = match moving {
                    Some((batch, version)) => {
                        let value = staged.query_row(params![batch.id, key], |row| row.get(0)).optional()?;
                        value.map(|value| (value, version))
                    }
                    None => None,
                };
                let item = match instead {
                    Some((value, version)) => value.map(|value| Item { value, version }),
                    None => {
                        let read = |row: &Row<'_>| Ok(Item { value: row.get(0)?, version: from_integer(row.get(1)?) });
                        get.query_row(params![number, key], read).optional()?
                    }
                };
                bytes += item.as_ref().map_or(0, |item| item.value.len());
                if bytes > bounds::MAX_GET_BYTES {
                    return Err(StorageError::TooLarge);
                }
                items.push(item);
            }
            Ok(items)
        })
    }

    pub(super) fn scan(&self, organization: &OrganizationId, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(vec![Scanned::default(); pages.len()]);
        };
        self.at_one_moment(pages.len() + 1, || {
            let (moving, mut taken) = (self.moving(number)?, 0);
            pages.iter().map(|page| self.page(number, moving, page, &mut taken)).collect()
        })
    }

    /// The large transaction of the organization that is being moved, with its version.
    fn moving(&self, number: i64) -> Result<Option<(Batch, u64)>, StorageError> {
        Ok(large::decided(self.connection, number)?)
    }

    fn page(
        &self,
        number: i64,
        moving: Option<(Batch, u64)>,
        page: &Page,
        taken: &mut usize,
    ) -> Result<Scanned, StorageError> {
        let sql = match (moving.is_some(), page.reverse) {
            (false, true) => {
                "SELECT key, value, version FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3
                ORDER BY key DESC LIMIT ?4 OFFSET ?5"
            }
            (false, false) => {
                "SELECT key, value, version FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3
                ORDER BY key LIMIT ?4 OFFSET ?5"
            }
            (true, true) => MERGED_DESCENDING.as_str(),
            (true, false) => MERGED_ASCENDING.as_str(),
        };
        let mut scanned = Scanned::default();
        if page.range.is_empty() {
            return Ok(scanned);
        }
        let mut budget = PageBudget::new(page.limit, *taken);
        // One more than asked for, to see whether there is more.
        let limit = i64::from(page.limit) + 1;
        let mut statement = self.connection.prepare_cached(sql)?;
        let KeyRange { start, end } = &page.range;
        let mut rows = match moving {
            None => statement.query(params![number, start, end, limit, page.skip])?,
            Some((batch, version)) => {
                statement.query(params![number, start, end, limit, page.skip, batch.id, to_integer(version)])?
            }
        };
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
        self.at_one_moment(2, || {
            let count = match self.moving(number)? {
                None => {
                    let sql = "SELECT count(*) FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3";
                    let mut statement = self.connection.prepare_cached(sql)?;
                    statement.query_row(params![number, range.start, range.end], |row| row.get(0))?
                }
                Some((batch, version)) => {
                    let sql = format!("SELECT count(*) FROM ({})", *MERGED);
                    let values = params![number, range.start, range.end, batch.id, to_integer(version)];
                    self.connection.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?
                }
            };
            Ok(from_integer(count))
        })
    }

    /// SQLite knows the length of a value without reading it. What a large transaction changes counts when it is moved.
    pub(super) fn size(&self, organization: &OrganizationId) -> Result<Size, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(Size::default());
        };
        let sql = "SELECT coalesce(sum(length(key) + length(value)), 0), count(*) FROM item WHERE organization = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let size = |row: &Row<'_>| Ok(Size { bytes: from_integer(row.get(0)?), keys: from_integer(row.get(1)?) });
        Ok(statement.query_row([number], size)?)
    }

    /// The organizations that a host may claim at `now`: see [`Schedule::is_due`].
    pub(super) fn due(&self, now: u64, limit: usize) -> Result<Vec<OrganizationId>, StorageError> {
        let limit = to_integer(limit as u64);
        let times = |longest: u64| [now, now.saturating_add(longest).saturating_add(TOLERANCE)].map(to_integer);
        let queries = [
            (
                "SELECT name, generation, wake_at FROM schedule JOIN organization ON organization.id = schedule.organization
                WHERE claim IS NULL AND wake_at <= ?1 ORDER BY wake_at, schedule.organization LIMIT ?2",
                "SELECT name, generation, wake_at FROM schedule JOIN organization ON organization.id = schedule.organization
                WHERE claim IS NULL AND wake_at > ?1 ORDER BY wake_at, schedule.organization LIMIT ?2",
                times(LONGEST_PAUSE),
            ),
            (
                "SELECT name, generation, claimed_until FROM schedule JOIN organization ON organization.id = schedule.organization
                WHERE claim IS NOT NULL AND claimed_until <= ?1 ORDER BY claimed_until, schedule.organization LIMIT ?2",
                "SELECT name, generation, claimed_until FROM schedule JOIN organization ON organization.id = schedule.organization
                WHERE claim IS NOT NULL AND claimed_until > ?1 ORDER BY claimed_until, schedule.organization LIMIT ?2",
                times(CLAIM),
            ),
        ];
        self.at_one_moment(4, || {
            let mut due = Vec::new();
            for (past, impossible, [now, longest]) in queries {
                for (sql, bound) in [(past, now), (impossible, longest)] {
                    let mut statement = self.connection.prepare_cached(sql)?;
                    let mut rows = statement.query([bound, limit])?;
                    while let Some(row) = rows.next()? {
                        let name: String = row.get(0)?;
                        let organization = OrganizationId::from_stored(&name)
                            .map_err(|error| StorageError::Other(error.to_string()))?;
                        let organization = organization.with_generation(from_integer(row.get(1)?));
                        // What can't be right has come now.
                        due.push((row.get::<_, i64>(2)?.min(now), organization));
                    }
                }
            }
            due.sort();
            due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(due.into_iter().map(|(_, organization)| organization).collect())
        })
    }

    pub(super) fn is_deleted(&self, organization: &OrganizationId) -> Result<bool, StorageError> {
        match self.numbers.find(self.connection, organization)? {
            Some(number) => Ok(numbers::is_deleted(self.connection, number)?),
            None => Ok(false),
        }
    }

    /// When a host may claim the next organization: see [`Schedule::next`].
    pub(super) fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        let queries = [
            (
                "SELECT wake_at FROM schedule WHERE claim IS NULL AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1",
                false,
            ),
            (
                "SELECT wake_at FROM schedule WHERE claim IS NULL AND wake_at IS NOT NULL ORDER BY wake_at DESC LIMIT 1",
                false,
            ),
            ("SELECT claimed_until FROM schedule WHERE claim IS NOT NULL ORDER BY claimed_until LIMIT 1", true),
            ("SELECT claimed_until FROM schedule WHERE claim IS NOT NULL ORDER BY claimed_until DESC LIMIT 1", true),
        ];
        self.at_one_moment(queries.len(), || {
            let mut next = None::<u64>;
            for (sql, is_claimed) in queries {
                let time: Option<i64> =
                    self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
                let Some(time) = time.map(from_integer) else { continue };
                // The schedule of which this is the time that counts.
                let schedule = match is_claimed {
                    true => Schedule { wake_at: None, claim: Some(Claim { number: 0, until: time }) },
                    false => Schedule { wake_at: Some(time), claim: None },
                };
                next = [next, schedule.next(now)].into_iter().flatten().min();
            }
            Ok(next)
        })
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
