//! Writing: each organization's commits from this host go to the database in groups, one group at a time.
//!
//! The database serializes commits of one organization, whichever host they come from: each holds the organization's
//! row lock until it is durable. While a group is running, further commits collect here and become the next group. The
//! more callers there are, the more of them share one wait for the disk, and the commits of an organization never use
//! more than one connection.
//!
//! A group is sent as the joint effect of its transactions, which is the same unless one of them is refused
//! ([`super::together`]); in that case it is sent once more as separate transactions.
//!
//! A group has a number. When the connection breaks before the answer, the same group is sent again under the same
//! number. If the database had already committed it, it returns the stored answer ([`super`] explains more).

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::change::NetChange;
use super::ids::Ids;
use super::pool::{Parameter, Pool};
use super::together::Together;
use super::{PostgresConfig, failed, from_integer, migration};
use crate::capability::storage::{Key, OrganizationId, StorageError};
use crate::hourly::{error_hourly, warn_hourly};
use crate::storage::database::{overloaded, stopped};

/// The most work items in one group, so that the first one does not wait too long.
const GROUP: usize = 128;
/// The most rows that a group reads and writes, unless it has only one work item.
const ROWS: usize = 4_096;
/// The most bytes of a group, unless it has only one work item.
const BYTES: usize = 8 << 20;
/// The most work items that may wait; further ones are refused.
const MOST: usize = 4_096;
/// The most bytes of appended entries that may wait.
const APPENDED_BYTES: usize = 64 << 20;
/// How long appended entries wait for a commit with which they can be written: half of the promised time, so that the
/// other half is left for writing.
const APPEND_DELAY: Duration = Duration::from_millis(50);
/// How long after a failure appended entries are tried again, if no commit comes earlier.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// The additional time that is allowed for each row; a row takes much less.
const OF_ROW: Duration = Duration::from_micros(100);

type Reply = oneshot::Sender<Result<u64, StorageError>>;

/// One work item for an organization.
enum Work {
    Commit(NetChange, Reply),
    Append {
        change: NetChange,
        bytes: usize,
    },
    /// Does nothing: the caller is told when all earlier work is done.
    Flush(Reply),
}

impl Work {
    fn change(&self) -> Option<&NetChange> {
        match self {
            Self::Commit(change, _) | Self::Append { change, .. } => Some(change),
            Self::Flush(_) => None,
        }
    }

    /// Whether a caller waits for it.
    fn is_urgent(&self) -> bool {
        !matches!(self, Self::Append { .. })
    }
}

/// The queue of one organization's work, while a task sends it.
struct Lane {
    work: VecDeque<Work>,
    urgent: usize,
    /// When work for which no caller waits must be sent.
    latest: Instant,
    changed: Arc<Notify>,
}

#[derive(Default)]
struct Lanes {
    of: HashMap<OrganizationId, Lane>,
    /// The number of work items in all queues.
    count: usize,
}

/// All writes of this host go through this. Clones share it.
#[derive(Clone)]
pub(super) struct Writer(Arc<Shared>);

struct Shared {
    pool: Pool,
    ids: Arc<Ids>,
    /// The SQL statement for the joint effect of a group.
    together: String,
    /// The SQL statement for separate transactions.
    apart: String,
    /// The host's random number.
    host: i64,
    /// The number of the next group, of whichever organization.
    next: AtomicI64,
    lanes: Mutex<Lanes>,
    /// The bytes of appended entries that wait.
    appended: AtomicUsize,
}

impl Writer {
    pub(super) fn new(config: &PostgresConfig, pool: Pool, ids: Arc<Ids>, host: i64) -> Self {
        let apart = "SELECT state, version, outcomes, keys FROM SCHEMA.commit_group($1, $2, $3, $4, $5, $6, $7, $8, $9, \
            $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
        let (together, apart) = (together(config), migration::in_schema(config, apart));
        let (next, lanes, appended) = (AtomicI64::new(1), Mutex::default(), AtomicUsize::new(0));
        Self(Arc::new(Shared { pool, ids, together, apart, host, next, lanes, appended }))
    }

    /// Makes the changes, and waits until they are durable.
    pub(super) async fn commit(&self, of: &OrganizationId, change: NetChange) -> Result<u64, StorageError> {
        let (reply, answer) = oneshot::channel();
        self.send(of, Work::Commit(change, reply))?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Puts the entries with the next commit, or soon.
    pub(super) fn append(&self, of: &OrganizationId, change: NetChange, bytes: usize) -> Result<(), StorageError> {
        let appended = &self.0.appended;
        let waiting = appended.fetch_add(bytes, Ordering::Relaxed);
        let work = Work::Append { change, bytes };
        let sent = if waiting + bytes > APPENDED_BYTES { Err(overloaded()) } else { self.send(of, work) };
        if sent.is_err() {
            appended.fetch_sub(bytes, Ordering::Relaxed);
        }
        sent
    }

    /// Waits until all earlier work is durable.
    pub(super) async fn flush(&self) -> Result<(), StorageError> {
        let mut answers = Vec::new();
        for lane in self.lock().of.values_mut() {
            let (reply, answer) = oneshot::channel();
            lane.push(Work::Flush(reply));
            answers.push(answer);
        }
        for answer in answers {
            answer.await.unwrap_or_else(|_| Err(stopped()))?;
        }
        Ok(())
    }

    /// Appends the work to the organization's queue; a task sends it. An organization may never use more of the waiting
    /// space than it leaves free for others.
    fn send(&self, of: &OrganizationId, work: Work) -> Result<(), StorageError> {
        let mut lanes = self.lock();
        let own = lanes.of.get(of).map_or(0, |lane| lane.work.len());
        if own >= MOST - lanes.count.min(MOST) {
            return Err(overloaded());
        }
        lanes.count += 1;
        if let Some(lane) = lanes.of.get_mut(of) {
            lane.push(work);
            return Ok(());
        }
        let latest = Instant::now() + APPEND_DELAY;
        let mut lane = Lane { work: VecDeque::new(), urgent: 0, latest, changed: Arc::default() };
        lane.push(work);
        lanes.of.insert(of.clone(), lane);
        drop(lanes);
        let (writer, of) = (self.clone(), of.clone());
        tokio::spawn(async move {
            while let Some(group) = writer.next(&of).await {
                writer.write(&of, group).await;
            }
        });
        Ok(())
    }

    /// Waits until there is a reason to send, and returns the organization's next group; `None` when its queue is
    /// empty.
    async fn next(&self, of: &OrganizationId) -> Option<Vec<Work>> {
        loop {
            let (latest, changed) = {
                let mut lanes = self.lock();
                let lane = lanes.of.get_mut(of)?;
                if lane.work.is_empty() {
                    lanes.of.remove(of);
                    return None;
                }
                if lane.urgent > 0 || lane.work.len() >= GROUP || lane.latest <= Instant::now() {
                    let group = lane.take();
                    let counted = group.iter().filter(|work| work.change().is_some()).count();
                    lanes.count -= counted;
                    return Some(group);
                }
                (lane.latest, Arc::clone(&lane.changed))
            };
            let _ = timeout_at(latest, changed.notified()).await;
        }
    }

    async fn write(&self, of: &OrganizationId, group: Vec<Work>) {
        let mut result = self.try_write(of, &group).await;
        if matches!(result, Ok(Answer::Unknown)) {
            // The database was replaced by another one, in which the organization has another id, or none yet.
            self.0.ids.forget(of);
            result = self.try_write(of, &group).await;
        }
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => return self.fail(of, group, error),
        };
        let mut place = 0;
        for work in group {
            let result = match work.change() {
                Some(change) => answer.of(place, change),
                None => Ok(0),
            };
            place += usize::from(work.change().is_some());
            self.finish(of, work, result);
        }
    }

    fn finish(&self, of: &OrganizationId, work: Work, result: Result<u64, StorageError>) {
        match work {
            // The caller may have gone; the work is done in any case.
            Work::Commit(_, reply) | Work::Flush(reply) => drop(reply.send(result)),
            Work::Append { bytes, .. } => {
                self.0.appended.fetch_sub(bytes, Ordering::Relaxed);
                match result {
                    Ok(_) | Err(StorageError::Deleted) => {}
                    Err(error) => {
                        error_hourly!("appends-lost"; %error, organization = %of, "appended entries are lost")
                    }
                }
            }
        }
    }

    /// Reports an error to waiting callers, and keeps appended entries for another try, if one may help.
    fn fail(&self, of: &OrganizationId, group: Vec<Work>, error: StorageError) {
        warn_hourly!("database-written"; %error, organization = %of, writes = group.len(),
            "the database can't be written");
        let may_pass = matches!(error, StorageError::Unavailable(_) | StorageError::Full(_));
        let mut kept = VecDeque::new();
        for work in group {
            match work {
                Work::Append { .. } if may_pass => kept.push_back(work),
                work => self.finish(of, work, Err(error.clone())),
            }
        }
        let refused = {
            let mut lanes = self.lock();
            lanes.count += kept.len();
            let refused = lanes.of.get_mut(of).map(|lane| lane.put_back(kept)).unwrap_or_default();
            lanes.count -= refused.iter().filter(|work| work.change().is_some()).count();
            refused
        };
        for work in refused {
            self.finish(of, work, Err(error.clone()));
        }
    }

    async fn try_write(&self, of: &OrganizationId, group: &[Work]) -> Result<Answer, StorageError> {
        let changes: Vec<&NetChange> = group.iter().filter_map(Work::change).collect();
        if changes.is_empty() {
            return Ok(Answer::Done { version: 0, outcomes: Vec::new(), keys: Vec::new() });
        }
        let shared = &*self.0;
        let id = shared.ids.find_or_make(&shared.pool, of).await?;
        if let Some(together) = Together::of(&changes) {
            let answer = self.send_group(of, id, &changes, &shared.together, together.parameters()).await?;
            if !matches!(answer, Answer::Refused) {
                return Ok(answer);
            }
        }
        let apart = Arrays::of(&changes);
        self.send_group(of, id, &changes, &shared.apart, apart.parameters()).await
    }

    /// Sends a group, which consists of these parts, under a number of its own.
    async fn send_group(
        &self,
        of: &OrganizationId,
        id: i64,
        changes: &[&NetChange],
        sql: &str,
        parts: Vec<Parameter<'_>>,
    ) -> Result<Answer, StorageError> {
        let shared = &*self.0;
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        let mut parameters: Vec<Parameter<'_>> =
            vec![(&id, Type::INT8), (&shared.host, Type::INT8), (&number, Type::INT8)];
        parameters.extend(parts);
        let rows: usize = changes.iter().map(|change| change.rows()).sum();
        let more = OF_ROW * u32::try_from(rows).unwrap_or(u32::MAX);
        let answer = shared.pool.call(of, sql, &parameters, more).await?;
        let row = answer.first().ok_or_else(|| StorageError::Other("the database has answered nothing".into()))?;
        Answer::read(row, changes.len())
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn push(&mut self, work: Work) {
        if self.work.is_empty() {
            self.latest = Instant::now() + APPEND_DELAY;
        }
        self.urgent += usize::from(work.is_urgent());
        self.work.push_back(work);
        self.changed.notify_one();
    }

    fn take(&mut self) -> Vec<Work> {
        let length = self.next_length();
        let group: Vec<Work> = self.work.drain(..length).collect();
        self.urgent -= group.iter().filter(|work| work.is_urgent()).count();
        self.latest = Instant::now() + APPEND_DELAY;
        group
    }

    /// How many pieces the next group has.
    fn next_length(&self) -> usize {
        let (mut rows, mut bytes) = (0, 0);
        let fits = |(place, work): &(usize, &Work)| {
            rows += work.change().map_or(0, NetChange::rows);
            bytes += work.change().map_or(0, NetChange::bytes);
            *place == 0 || (rows <= ROWS && bytes <= BYTES)
        };
        self.work.iter().take(GROUP).enumerate().take_while(fits).count()
    }

    /// Puts entries that could not be written back to the front. Returns the work for which callers wait, if the next group
    /// would have such entries alone: behind them nobody would get an answer while they can't be written.
    fn put_back(&mut self, mut entries: VecDeque<Work>) -> Vec<Work> {
        let has_none = entries.is_empty();
        entries.append(&mut self.work);
        self.work = entries;
        self.latest = Instant::now() + RETRY_DELAY;
        if has_none || self.urgent == 0 || self.work.iter().take(self.next_length()).any(Work::is_urgent) {
            return Vec::new();
        }
        self.urgent = 0;
        let (waiting, entries): (Vec<_>, _) = std::mem::take(&mut self.work).into_iter().partition(Work::is_urgent);
        self.work = entries.into();
        waiting
    }
}

/// The SQL statement that commits the joint effect of a group.
pub(super) fn together(config: &PostgresConfig) -> String {
    let sql = "SELECT state, version, outcomes, keys FROM SCHEMA.commit_all($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, \
        $11, $12, $13, $14, $15, $16, $17)";
    migration::in_schema(config, sql)
}

/// The database's answer to a group.
enum Answer {
    Done {
        version: u64,
        outcomes: Vec<i16>,
        keys: Vec<Option<Key>>,
    },
    /// The organization was deleted.
    Deleted,
    /// The database has no such organization.
    Unknown,
    /// One of several transactions that were sent together was refused, so none was done.
    Refused,
}

impl Answer {
    fn read(row: &Row, changes: usize) -> Result<Self, StorageError> {
        match row.try_get::<_, i16>(0).map_err(failed)? {
            0 => {
                let version = from_integer(row.try_get(1).map_err(failed)?);
                let mut outcomes: Vec<i16> = row.try_get(2).map_err(failed)?;
                let mut keys: Vec<Option<Key>> = row.try_get(3).map_err(failed)?;
                if outcomes.is_empty() {
                    (outcomes, keys) = (vec![0; changes], vec![None; changes]);
                }
                if outcomes.len() != changes || keys.len() != changes {
                    return Err(StorageError::Other("the database has answered about another group".into()));
                }
                Ok(Self::Done { version, outcomes, keys })
            }
            1 => Ok(Self::Deleted),
            4 => Ok(Self::Refused),
            // A group is only sent once the previous one was answered or finally given up.
            2 => Err(StorageError::Unavailable("a later group was committed before this one".into())),
            _ => Ok(Self::Unknown),
        }
    }

    /// The answer for the change with this index.
    fn of(&self, place: usize, change: &NetChange) -> Result<u64, StorageError> {
        let Self::Done { version, outcomes, keys } = self else {
            return Err(match self {
                Self::Deleted => StorageError::Deleted,
                _ => StorageError::Unavailable("the database has no such organization".into()),
            });
        };
        let key = keys.get(place).cloned().flatten().unwrap_or_default();
        match outcomes.get(place) {
            Some(0) => Ok(version + place as u64 + 1),
            Some(1) => Err(StorageError::Conflict(key)),
            Some(2) => Err(change.limit(key)),
            Some(3) => {
                let key = key.escape_ascii();
                Err(StorageError::Other(format!("the value at {key} is not a decimal integer")))
            }
            _ => Err(StorageError::Other("the database has answered about another group".into())),
        }
    }
}

/// The parts of a group, concatenated into arrays for the database function.
#[derive(Default)]
struct Arrays<'c> {
    wake_at: Vec<Option<i64>>,
    require_end: Vec<i32>,
    require_key: Vec<&'c [u8]>,
    require_version: Vec<i64>,
    sum_end: Vec<i32>,
    sum_key: Vec<&'c [u8]>,
    sum_delta: Vec<String>,
    sum_low: Vec<i64>,
    sum_high: Vec<i64>,
    sum_is_kept: Vec<bool>,
    range_end: Vec<i32>,
    range_start: Vec<&'c [u8]>,
    range_stop: Vec<&'c [u8]>,
    deleted_end: Vec<i32>,
    deleted_key: Vec<&'c [u8]>,
    put_end: Vec<i32>,
    put_key: Vec<&'c [u8]>,
    put_value: Vec<&'c [u8]>,
}

impl<'c> Arrays<'c> {
    fn of(changes: &[&'c NetChange]) -> Self {
        let mut arrays = Self::default();
        for change in changes {
            arrays.wake_at.push(change.wake_at);
            for (key, version) in &change.require {
                arrays.require_key.push(key);
                arrays.require_version.push(*version);
            }
            for sum in &change.sums {
                arrays.sum_key.push(&sum.key);
                arrays.sum_delta.push(sum.delta.to_string());
                arrays.sum_low.push(sum.low);
                arrays.sum_high.push(sum.high);
                arrays.sum_is_kept.push(sum.is_kept);
            }
            for (start, stop) in &change.ranges {
                arrays.range_start.push(start);
                arrays.range_stop.push(stop);
            }
            arrays.deleted_key.extend(change.deleted.iter().map(Vec::as_slice));
            for (key, value) in &change.put {
                arrays.put_key.push(key);
                arrays.put_value.push(value);
            }
            arrays.require_end.push(end(&arrays.require_key));
            arrays.sum_end.push(end(&arrays.sum_key));
            arrays.range_end.push(end(&arrays.range_start));
            arrays.deleted_end.push(end(&arrays.deleted_key));
            arrays.put_end.push(end(&arrays.put_key));
        }
        arrays
    }

    fn parameters(&self) -> Vec<Parameter<'_>> {
        let (bytes, numbers, ends) = (Type::BYTEA_ARRAY, Type::INT8_ARRAY, Type::INT4_ARRAY);
        vec![
            (&self.wake_at, numbers.clone()),
            (&self.require_end, ends.clone()),
            (&self.require_key, bytes.clone()),
            (&self.require_version, numbers.clone()),
            (&self.sum_end, ends.clone()),
            (&self.sum_key, bytes.clone()),
            (&self.sum_delta, Type::TEXT_ARRAY),
            (&self.sum_low, numbers.clone()),
            (&self.sum_high, numbers),
            (&self.sum_is_kept, Type::BOOL_ARRAY),
            (&self.range_end, ends.clone()),
            (&self.range_start, bytes.clone()),
            (&self.range_stop, bytes.clone()),
            (&self.deleted_end, ends.clone()),
            (&self.deleted_key, bytes.clone()),
            (&self.put_end, ends),
            (&self.put_key, bytes.clone()),
            (&self.put_value, bytes),
        ]
    }
}

/// The number of keys so far, which never exceeds the limit of changes in a transaction or a group.
fn end(keys: &[&[u8]]) -> i32 {
    i32::try_from(keys.len()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(rows: usize) -> Work {
        let put = (0..rows).map(|n| (n.to_string().into_bytes(), Vec::new())).collect();
        Work::Append { change: NetChange { put, ..NetChange::default() }, bytes: 0 }
    }

    fn lane(work: Vec<Work>) -> Lane {
        let mut lane = Lane { work: VecDeque::new(), urgent: 0, latest: Instant::now(), changed: Arc::default() };
        work.into_iter().for_each(|work| lane.push(work));
        lane
    }

    fn groups(mut lane: Lane) -> Vec<usize> {
        std::iter::from_fn(|| Some(lane.take().len()).filter(|length| *length > 0)).collect()
    }

    #[test]
    fn a_group_has_a_bounded_number_of_pieces_and_rows() {
        assert_eq!(groups(lane((0..GROUP + 1).map(|_| append(1)).collect())), [GROUP, 1]);
        assert_eq!(groups(lane(vec![append(ROWS / 2), append(ROWS / 2), append(1)])), [2, 1]);
    }

    #[test]
    fn f21_whoever_waits_behind_a_group_of_entries_that_can_not_be_written_is_refused_and_others_go_on_waiting() {
        let waiting = || Work::Flush(oneshot::channel().0);
        let entries = |count: usize| (0..count).map(|_| append(1)).collect::<Vec<_>>();
        let mut reached = lane(entries(1));
        reached.push(waiting());
        assert!(reached.put_back(entries(GROUP - 2).into()).is_empty(), "the next group has it");
        assert_eq!((reached.urgent, reached.work.len()), (1, GROUP));
        let mut behind = lane(entries(1));
        behind.push(waiting());
        behind.push(append(1));
        assert_eq!(behind.put_back(entries(GROUP - 1).into()).len(), 1);
        assert_eq!((behind.urgent, behind.work.len()), (0, GROUP + 1));
        assert!(!behind.work.iter().any(Work::is_urgent));
        let mut untried = lane(entries(GROUP));
        untried.push(waiting());
        assert!(untried.put_back(VecDeque::new()).is_empty(), "these entries may be written");
    }

    #[test]
    fn what_is_larger_than_a_group_is_one_of_its_own() {
        assert_eq!(groups(lane(vec![append(1), append(ROWS + 1), append(1)])), [1, 1, 1]);
    }

    #[test]
    fn the_parts_of_a_group_lie_one_behind_the_other() {
        let change = |keys: &[&str]| NetChange {
            deleted: keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
            ..NetChange::default()
        };
        let (first, second) = (change(&["a", "b"]), change(&["c"]));
        let arrays = Arrays::of(&[&first, &second]);
        assert_eq!(arrays.deleted_end, [2, 3]);
        assert_eq!(arrays.deleted_key, [b"a", b"b", b"c"]);
        assert_eq!(arrays.put_end, [0, 0]);
    }
}
