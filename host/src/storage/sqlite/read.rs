//! Reading: a pool of connections, and the queries.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::runtime::Handle;

use super::numbers::{self, Numbers};
use super::place::{self, Place, Segment, Statements};
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

/// Each statement in the table of keys in their order, and in that of groups.
const GET: Statements = Statements {
    alone: "SELECT value, version FROM entry WHERE organization = ?1 AND key = ?2",
    grouped: "SELECT value, version FROM grouped WHERE organization = ?1 AND key = ?2 AND number = ?3 AND kind = ?4",
};
const SCAN: Statements = Statements {
    alone: "SELECT key, value, version FROM entry WHERE organization = ?1 AND key >= ?2 AND key < ?3
    ORDER BY key LIMIT ?4 OFFSET ?5",
    grouped: "SELECT key, value, version FROM grouped WHERE organization = ?1 AND key >= ?2 AND key < ?3 AND number = ?6 AND kind = ?7
    ORDER BY key LIMIT ?4 OFFSET ?5",
};
const SCAN_BACK: Statements = Statements {
    alone: "SELECT key, value, version FROM entry WHERE organization = ?1 AND key >= ?2 AND key < ?3
    ORDER BY key DESC LIMIT ?4 OFFSET ?5",
    grouped: "SELECT key, value, version FROM grouped WHERE organization = ?1 AND key >= ?2 AND key < ?3 AND number = ?6 AND kind = ?7
    ORDER BY key DESC LIMIT ?4 OFFSET ?5",
};
const COUNT: Statements = Statements {
    alone: "SELECT count(*) FROM entry WHERE organization = ?1 AND key >= ?2 AND key < ?3",
    grouped: "SELECT count(*) FROM grouped WHERE organization = ?1 AND key >= ?2 AND key < ?3 AND number = ?4 AND kind = ?5",
};
const SIZE: Statements = Statements {
    alone: "SELECT coalesce(sum(length(key) + length(value)), 0), count(*), 0, 0 FROM entry WHERE organization = ?1",
    grouped: "SELECT sum(length(key) + length(value)), count(*), number, kind FROM grouped WHERE organization = ?1
    GROUP BY number, kind",
};

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
            let mut alone = self.connection.prepare_cached(GET.alone)?;
            let mut grouped = self.connection.prepare_cached(GET.grouped)?;
            let mut bytes = 0;
            let mut items = Vec::with_capacity(keys.len());
            for key in keys {
                let Place { group, key } = place::of(key);
                let mut rows = match group {
                    None => alone.query(params![number, key])?,
                    Some(group) => grouped.query(params![number, key, group.number, group.kind])?,
                };
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
        let pages: Vec<_> = pages.iter().map(|page| (page, place::segments(&page.range))).collect();
        let statements = pages.iter().map(|(page, segments)| segments.len() * (1 + usize::from(page.skip > 0))).sum();
        self.at_one_moment(statements, || {
            let mut taken = 0;
            pages.iter().map(|(page, segments)| self.page(number, page, segments, &mut taken)).collect()
        })
    }

    fn page(
        &self,
        number: i64,
        page: &Page,
        segments: &[Segment<'_>],
        taken: &mut usize,
    ) -> Result<Scanned, StorageError> {
        let mut scanned = Scanned::default();
        let mut budget = PageBudget::new(page.limit, *taken);
        let mut skip = u64::from(page.skip);
        let in_order: &mut dyn Iterator<Item = &Segment<'_>> =
            if page.reverse { &mut segments.iter().rev() } else { &mut segments.iter() };
        for segment in in_order {
            if skip > 0 && segments.len() > 1 {
                let count = self.count_segment(number, segment)?;
                if count <= skip {
                    skip -= count;
                    continue;
                }
            }
            // One more than asked for, to see whether there is more.
            let (limit, offset) = (i64::from(page.limit) + 1, to_integer(std::mem::take(&mut skip)));
            let Segment { group, start, end } = *segment;
            let statements = if page.reverse { SCAN_BACK } else { SCAN };
            let mut statement =
                self.connection.prepare_cached(if group.is_some() { statements.grouped } else { statements.alone })?;
            let mut rows = match group {
                None => statement.query(params![number, start, end, limit, offset])?,
                Some(group) => statement.query(params![number, start, end, limit, offset, group.number, group.kind])?,
            };
            let beginning = group.map_or(&b""[..], |group| group.beginning);
            while let Some(row) = rows.next()? {
                let (key, value) = (blob(row, 0)?, blob(row, 1)?);
                let bytes = beginning.len() + key.len() + value.len();
                if !budget.take(bytes) {
                    scanned.more = true;
                    return Ok(scanned);
                }
                *taken += bytes;
                let version = from_integer(row.get(2)?);
                scanned.entries.push(Entry { key: [beginning, key].concat(), value: value.to_vec(), version });
            }
        }
        Ok(scanned)
    }

    pub(super) fn count(&self, organization: &OrganizationId, range: &KeyRange) -> Result<u64, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(0);
        };
        let segments = place::segments(range);
        self.at_one_moment(segments.len(), || {
            segments.iter().map(|segment| self.count_segment(number, segment)).sum::<Result<u64, _>>()
        })
    }

    fn count_segment(&self, number: i64, segment: &Segment<'_>) -> Result<u64, StorageError> {
        let Segment { group, start, end } = *segment;
        let read = |row: &Row<'_>| row.get(0);
        let count = match group {
            None => self.connection.prepare_cached(COUNT.alone)?.query_row(params![number, start, end], read)?,
            Some(group) => {
                let row = params![number, start, end, group.number, group.kind];
                self.connection.prepare_cached(COUNT.grouped)?.query_row(row, read)?
            }
        };
        Ok(from_integer(count))
    }

    /// SQLite knows the length of a value without reading it.
    pub(super) fn size(&self, organization: &OrganizationId) -> Result<Size, StorageError> {
        let Some(number) = self.numbers.find(self.connection, organization)? else {
            return Ok(Size::default());
        };
        self.at_one_moment(2, || {
            let mut size = Size::default();
            for sql in [SIZE.alone, SIZE.grouped] {
                let mut statement = self.connection.prepare_cached(sql)?;
                let mut rows = statement.query([number])?;
                while let Some(row) = rows.next()? {
                    let (bytes, keys) = (from_integer(row.get(0)?), from_integer(row.get(1)?));
                    let beginning = place::beginning(row.get(2)?, row.get(3)?).map_or(0, |text| text.len() as u64);
                    size = size.plus(Size { bytes: bytes + keys * beginning, keys });
                }
            }
            Ok(size)
        })
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
