//! Reads: a pool of connections, and the queries.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::runtime::Handle;

use super::large::{self, IS_ANY_DECIDED};
use super::numbers::{self, Numbers};
use super::place::{self, Place, Statements};
use super::row_cache::RowCache;
use super::rows::{Rows, Which, blob};
use super::shelves::Query;
use super::{Checkpoints, OpenError, from_integer, open, to_integer};
use crate::capability::clock::TOLERANCE;
use crate::capability::schedule::{CLAIM, LONGEST_PAUSE, plausible};
use crate::capability::storage::{Entry, Item, Key, OrganizationId, Page, Scanned, Size, StorageError};
use crate::fair::Gate;
use crate::storage::bounds::{self, PageBudget};
use crate::storage::database::stored_organization;

/// The connections that stay open while nobody reads: more than there are threads that read at the same time.
const IDLE: usize = 16;

/// A read of up to this many rows runs on the calling task. From the page cache, a get of one key takes 2 to 8 µs and a
/// page of 100 entries 40 to 75 µs, which is too short for another thread. The longest read that stays on the task, one
/// full page, took 0.7 ms at the median with 10,000 rows and 2 ms with a million (a tenth of them over 10 ms, on a busy
/// machine).
const INLINE: u64 = 5_000;

/// The number of longer reads at a time; each has a thread and a connection.
const LONG_READS: usize = 4;

/// Each statement for the table of keys in order, and for the table of groups.
const GET: Statements = Statements {
    alone: "SELECT value, version FROM alone WHERE organization = ?1 AND key = ?2",
    grouped: "SELECT value, version FROM grouped WHERE organization = ?1 AND key = ?2 AND number = ?3 AND kind = ?4",
};
/// Like [`GET`]; it also says whether a large transaction of any organization is being moved. The result is always one
/// row.
static FIRST_ALONE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT alone.value, alone.version, {IS_ANY_DECIDED} FROM (SELECT 1)
        LEFT JOIN alone ON alone.organization = ?1 AND alone.key = ?2"
    )
});
static FIRST_GROUPED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT grouped.value, grouped.version, {IS_ANY_DECIDED} FROM (SELECT 1)
        LEFT JOIN grouped ON grouped.organization = ?1 AND grouped.key = ?2 AND grouped.number = ?3 AND grouped.kind = ?4"
    )
});

/// The pool of reading connections.
pub(super) struct Readers {
    path: PathBuf,
    checkpoints: Checkpoints,
    numbers: Arc<Numbers>,
    cache: Arc<RowCache>,
    /// The unused connections. The one that was returned last is used first, because its cache is warm.
    idle: Mutex<Vec<Connection>>,
    long: Gate<OrganizationId>,
}

impl Readers {
    /// Opens the first connection, to check that it works.
    pub(super) fn new(
        path: &Path,
        checkpoints: Checkpoints,
        numbers: Arc<Numbers>,
        cache: Arc<RowCache>,
    ) -> Result<Self, OpenError> {
        let idle = Mutex::new(vec![open::reader(path, checkpoints)?]);
        Ok(Self { path: path.to_owned(), checkpoints, numbers, cache, idle, long: Gate::new(LONG_READS) })
    }

    /// The answers to the queries in one snapshot: what is cached from memory, the rest from the database.
    pub(super) async fn answer<Q: Stored>(
        readers: &Arc<Self>,
        organization: &OrganizationId,
        queries: Vec<Q>,
    ) -> Result<Vec<Q::Answer>, StorageError> {
        let number = readers.numbers.cached(organization);
        let look = number.and_then(|number| Some((number, readers.cache.look(number, &queries)?)));
        let Some((number, look)) = look else { return Self::answer_stored(readers, organization, queries).await };
        let missing = look.missing(&queries);
        let is_kept_in_part = missing.len() < queries.len();
        let read = match missing.is_empty() {
            true => Vec::new(),
            false => Self::answer_stored(readers, organization, missing.clone()).await?,
        };
        if !missing.is_empty() && !readers.cache.keep(number, &look, &missing, &read) && is_kept_in_part {
            // Somebody has committed in between, so the two parts do not belong to the same snapshot.
            return Self::answer_stored(readers, organization, queries).await;
        }
        Ok(look.filled(read))
    }

    /// Which of the queries have no cached answer.
    #[cfg(test)]
    pub(super) fn missing<Q: Stored>(&self, organization: &OrganizationId, queries: &[Q]) -> Vec<Q> {
        let look = self.numbers.cached(organization).and_then(|number| self.cache.look(number, queries));
        look.map_or_else(|| queries.to_vec(), |look| look.missing(queries))
    }

    /// The answers of the database, in one snapshot.
    pub(super) async fn answer_stored<Q: Stored>(
        readers: &Arc<Self>,
        organization: &OrganizationId,
        queries: Vec<Q>,
    ) -> Result<Vec<Q::Answer>, StorageError> {
        let (of, cost) = (organization.clone(), queries.iter().map(Q::cost).sum());
        Self::read(readers, organization, cost, move |reader| Q::read(reader, &of, &queries)).await
    }

    /// Runs a read of about `cost` rows: on this task if it is quick, otherwise on a thread for blocking work.
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
        // Organizations take turns, so one that reads much only delays its own reads.
        let turn = readers.long.enter(organization).await;
        let readers = Arc::clone(readers);
        runtime
            .spawn_blocking(move || {
                // The turn must be dropped here and not with the future, which may be dropped before the read ends.
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
            None => open::reader(&self.path, self.checkpoints)
                .map_err(|error| StorageError::Unavailable(error.to_string()))?,
        };
        let result = read(&Reader { connection: &connection, numbers: &self.numbers });
        // A connection that is still in a transaction would keep reading its old snapshot.
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

/// A query that the database can answer.
pub(super) trait Stored: Query<Answer: Send> + Send + 'static {
    /// The approximate cost of the answer, in rows of a scan.
    fn cost(&self) -> u64;

    /// The answers to the queries, in one snapshot.
    fn read(
        reader: &Reader<'_>,
        organization: &OrganizationId,
        queries: &[Self],
    ) -> Result<Vec<Self::Answer>, StorageError>;
}

impl Stored for Key {
    fn cost(&self) -> u64 {
        // A separate key costs about ten times as much as one more row of a scan.
        10
    }

    fn read(
        reader: &Reader<'_>,
        organization: &OrganizationId,
        keys: &[Self],
    ) -> Result<Vec<Option<Item>>, StorageError> {
        reader.get(organization, keys)
    }
}

impl Stored for Page {
    fn cost(&self) -> u64 {
        4 + u64::from(self.limit).min(bounds::MAX_PAGE_ENTRIES as u64) + u64::from(self.skip)
    }

    fn read(reader: &Reader<'_>, organization: &OrganizationId, pages: &[Self]) -> Result<Vec<Scanned>, StorageError> {
        reader.scan(organization, pages)
    }
}

/// A connection for one read.
pub(super) struct Reader<'r> {
    connection: &'r Connection,
    numbers: &'r Numbers,
}

impl Reader<'_> {
    pub(super) fn get(&self, organization: &OrganizationId, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(vec![None; keys.len()]);
        };
        let Some((first, others)) = keys.split_first() else { return Ok(Vec::new()) };
        self.at_one_moment(keys.len(), || {
            let mut taken = Taken::default();
            let mut items = Vec::with_capacity(keys.len());
            // The first statement also tells whether a large transaction is being moved. Nearly always there is none,
            // and nothing else to do.
            let Place { group, key } = place::of(first);
            let mut statement =
                self.connection.prepare_cached(if group.is_some() { &FIRST_GROUPED } else { &FIRST_ALONE })?;
            let mut rows = match group {
                None => statement.query(params![number, key])?,
                Some(group) => statement.query(params![number, key, group.number, group.kind])?,
            };
            let row = rows.next()?.ok_or_else(|| StorageError::Other("SQLite has no answer".into()))?;
            if row.get(2)? {
                drop(rows);
                return self.get_beside_moving(number, keys);
            }
            items.push(if row.get_ref(0)? == ValueRef::Null { None } else { Some(taken.item(row)?) });
            drop(rows);
            if !others.is_empty() {
                let mut alone = self.connection.prepare_cached(GET.alone)?;
                let mut grouped = self.connection.prepare_cached(GET.grouped)?;
                for key in others {
                    let Place { group, key } = place::of(key);
                    let mut rows = match group {
                        None => alone.query(params![number, key])?,
                        Some(group) => grouped.query(params![number, key, group.number, group.kind])?,
                    };
                    items.push(rows.next()?.map(|row| taken.item(row)).transpose()?);
                }
            }
            Ok(items)
        })
    }

    /// Like [`Reader::get`], while a large transaction is being moved, perhaps one of this organization. It needs two
    /// look-ups for each key, and so a transaction even for one key.
    fn get_beside_moving(&self, number: i64, keys: &[Key]) -> Result<Vec<Option<Item>>, StorageError> {
        let looks = if self.connection.is_autocommit() { 2 } else { 0 };
        self.at_one_moment(looks, || {
            let moving = large::moving(self.connection, number)?;
            let mut taken = Taken::default();
            keys.iter()
                .map(|key| {
                    if let Some(moving) = moving
                        && let Some(value) = moving.value(self.connection, key)?
                    {
                        let item = value.map(|value| Item { value, version: moving.version });
                        return taken.count(item.as_ref().map_or(0, |item| item.value.len())).map(|()| item);
                    }
                    let Place { group, key } = place::of(key);
                    let sql = if group.is_some() { GET.grouped } else { GET.alone };
                    let mut statement = self.connection.prepare_cached(sql)?;
                    let mut rows = match group {
                        None => statement.query(params![number, key])?,
                        Some(group) => statement.query(params![number, key, group.number, group.kind])?,
                    };
                    rows.next()?.map(|row| taken.item(row)).transpose()
                })
                .collect()
        })
    }

    pub(super) fn scan(&self, organization: &OrganizationId, pages: &[Page]) -> Result<Vec<Scanned>, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(vec![Scanned::default(); pages.len()]);
        };
        self.at_one_moment(pages.len() + 1, || {
            let rows = Rows::new(self.connection, number)?;
            let mut taken = 0;
            pages.iter().map(|page| scan_page(&rows, page, &mut taken)).collect()
        })
    }

    /// How many keys the range has, in one snapshot.
    #[cfg(test)]
    pub(super) fn count(
        &self,
        organization: &OrganizationId,
        range: &crate::capability::storage::KeyRange,
    ) -> Result<u64, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(0);
        };
        self.at_one_moment(2, || {
            let rows = Rows::new(self.connection, number)?;
            place::segments(range).iter().map(|segment| Ok(rows.size(segment)?.keys)).sum()
        })
    }

    pub(super) fn size(&self, organization: &OrganizationId) -> Result<Size, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(Size::default());
        };
        self.at_one_moment(2, || {
            let rows = Rows::new(self.connection, number)?;
            let everything = place::everything();
            let mut segments = place::segments(&everything).into_iter();
            segments.try_fold(Size::default(), |size, segment| Ok(size.plus(rows.size(&segment)?)))
        })
    }

    /// The organizations whose jobs a host may claim at `now`: see
    /// [`Schedule::is_due`](crate::capability::schedule::Schedule::is_due).
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
                        let organization = stored_organization(&name, row.get(1)?)?;
                        // A time that is too far ahead to be right counts as due now.
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

    /// When a host may claim the next organization's jobs: see
    /// [`Schedule::next`](crate::capability::schedule::Schedule::next).
    pub(super) fn next_due(&self, now: u64) -> Result<Option<u64>, StorageError> {
        let queries = [
            (
                "SELECT wake_at FROM schedule WHERE claim IS NULL AND wake_at IS NOT NULL ORDER BY wake_at LIMIT 1",
                LONGEST_PAUSE,
            ),
            (
                "SELECT wake_at FROM schedule WHERE claim IS NULL AND wake_at IS NOT NULL ORDER BY wake_at DESC LIMIT 1",
                LONGEST_PAUSE,
            ),
            ("SELECT claimed_until FROM schedule WHERE claim IS NOT NULL ORDER BY claimed_until LIMIT 1", CLAIM),
            ("SELECT claimed_until FROM schedule WHERE claim IS NOT NULL ORDER BY claimed_until DESC LIMIT 1", CLAIM),
        ];
        self.at_one_moment(queries.len(), || {
            let mut next = None::<u64>;
            for (sql, longest) in queries {
                let time: Option<i64> =
                    self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
                let time = time.map(|time| plausible(from_integer(time), now, longest));
                next = next.into_iter().chain(time).min();
            }
            Ok(next)
        })
    }

    /// Runs several statements in one transaction, so that they see the same snapshot. SQLite also takes its locks and
    /// checks for changes only once, which is half the cost of a point read.
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

/// Counts the bytes that one call has read, which are limited.
#[derive(Default)]
struct Taken(usize);

impl Taken {
    /// The item of a row whose first columns are value and version.
    fn item(&mut self, row: &Row<'_>) -> Result<Item, StorageError> {
        let value = blob(row, 0)?;
        self.count(value.len())?;
        Ok(Item { value: value.to_vec(), version: from_integer(row.get(1)?) })
    }

    fn count(&mut self, bytes: usize) -> Result<(), StorageError> {
        self.0 += bytes;
        if self.0 > bounds::MAX_GET_BYTES { Err(StorageError::TooLarge) } else { Ok(()) }
    }
}

/// Reads a page of rows; `taken` is the number of bytes in the previous pages.
fn scan_page(rows: &Rows<'_>, page: &Page, taken: &mut usize) -> Result<Scanned, StorageError> {
    let mut scanned = Scanned::default();
    let mut budget = PageBudget::new(page.limit, *taken);
    let mut skip = u64::from(page.skip);
    let mut segments = place::segments(&page.range);
    if page.reverse {
        segments.reverse();
    }
    for segment in &segments {
        if skip > 0 && segments.len() > 1 {
            let keys = rows.size(segment)?.keys;
            if keys <= skip {
                skip -= keys;
                continue;
            }
        }
        // One more row than requested is read, to know whether there are more.
        let limit = Some(page.limit.saturating_add(1));
        let which = Which { reverse: page.reverse, skip: std::mem::take(&mut skip), limit };
        let read = rows.read(segment, which, |found| {
            if !budget.take(found.bytes()) {
                scanned.more = true;
                return ControlFlow::Break(());
            }
            *taken += found.bytes();
            let (key, value, version) = (found.whole_key(), found.value.to_vec(), found.version);
            scanned.entries.push(Entry { key, value, version });
            ControlFlow::Continue(())
        })?;
        if read.is_break() {
            break;
        }
    }
    Ok(scanned)
}
