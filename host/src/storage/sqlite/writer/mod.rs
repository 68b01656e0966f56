//! Writing: one thread commits the waiting work in groups (group commit), in the order of module `queue`.
//!
//! A commit costs a wait for the disk, whatever its size. While the thread waits for one, work collects for the next,
//! so the more callers there are, the more of them share a wait.
//!
//! A piece of work that fails does not affect the others of its group. Everything that may fail is checked before the
//! first row is written: requirements and the bounds of sums. A savepoint around each piece would do the same, but
//! SQLite copies every page that is changed inside one. For this reason savepoints are only used if necessary: if a
//! piece has failed after it began to write, the group is rolled back and repeated with a savepoint for each piece.
//!
//! A transaction that is too large for a group is made in steps, one after each group (module `steps`).

mod worker;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use self::worker::Worker;
use super::large::Staging;
use super::numbers::Numbers;
use super::queue::{GROUP, Piece, Queue, ROWS};
use super::row_cache::RowCache;
use super::shelves::Shelves;
use super::{Checkpoints, OpenError};
use crate::capability::storage::{Change, Key, KeyValue, OrganizationId, StorageError, Transaction};
use crate::storage::database::{overloaded, stopped};

/// The most bytes of appended entries that may wait in the queue.
const APPENDED_BYTES: usize = 64 << 20;

/// How long appended entries wait for a commit with which they can be written: half of the promised time, so that the
/// other half is left for writing.
const APPEND_DELAY: Duration = Duration::from_millis(50);

/// A piece of work for an organization.
#[derive(Debug)]
pub(super) enum Work {
    Commit(Transaction),
    /// Decide a transaction whose changes are staged.
    Decide(Transaction, Staging),
    Append {
        entries: Vec<(Key, Vec<u8>)>,
        bytes: usize,
    },
    Claim {
        now: u64,
    },
    Renew {
        number: u64,
        now: u64,
    },
    Release {
        number: u64,
        next: Option<u64>,
    },
    Delete {
        rows: usize,
    },
}

impl Work {
    /// Drops what is cached of the organization with this number and may have been changed by the work.
    fn drop_cached(&self, number: i64, cached: &mut Shelves) {
        match self {
            // Readers wait for the cache meanwhile, so a great change does not look up each of its keys.
            Self::Commit(Transaction { changes, .. }) if changes.len() > ROWS => cached.drop_all(number),
            Self::Append { entries, .. } if entries.len() > ROWS => cached.drop_all(number),
            Self::Commit(transaction) => {
                for change in &transaction.changes {
                    match change {
                        Change::Put(KeyValue { key, .. }) | Change::Delete(key) => cached.drop_key(number, key),
                        Change::Add(add) => cached.drop_key(number, &add.key),
                        Change::DeleteRange(range) => cached.drop_range(number, range),
                    }
                }
            }
            Self::Append { entries, .. } => entries.iter().for_each(|(key, _)| cached.drop_key(number, key)),
            Self::Decide(..) | Self::Delete { .. } => cached.drop_all(number),
            // These change the schedule, which is not cached.
            Self::Claim { .. } | Self::Renew { .. } | Self::Release { .. } => {}
        }
    }
}

type Reply = oneshot::Sender<Result<u64, StorageError>>;

#[derive(Debug)]
struct Job {
    work: Work,
    /// Receives the version, the claim's number or 0, whether the claim was still valid, or the number of rows. An
    /// append has no receiver.
    reply: Option<Reply>,
}

impl Job {
    /// Whether a caller waits for the job.
    fn is_awaited(&self) -> bool {
        self.reply.is_some()
    }
}

impl Piece for Job {
    fn rows(&self) -> usize {
        match &self.work {
            Work::Commit(transaction) => transaction.conditions.len() + transaction.changes.len(),
            // Work that is not made in steps must fit into a group, whatever its size.
            Work::Append { entries, .. } => entries.len().min(ROWS),
            Work::Claim { .. } | Work::Renew { .. } | Work::Release { .. } | Work::Decide(..) => 1,
            Work::Delete { rows } => *rows,
        }
    }

    fn concerns_items(&self) -> bool {
        !matches!(self.work, Work::Claim { .. } | Work::Renew { .. } | Work::Release { .. })
    }
}

/// A job that was taken out of the queue: its organization, its number, and the work.
type Taken = (OrganizationId, u64, Job);

/// The state that the thread shares with its callers.
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    queue: Queue<Job>,
    appended: Appended,
    /// The number of a large transaction that was taken out of the queue and is not decided yet.
    undecided: Option<u64>,
    /// How many pieces in the queue have a waiting caller.
    urgent: usize,
    /// Callers who wait until all work before a number is durable.
    flushes: Vec<(u64, Reply)>,
    /// When work without a waiting caller must be done.
    latest: Option<Instant>,
    /// Whether the thread waits for work.
    idle: bool,
    /// Whether no more work will be sent.
    closed: bool,
    /// Whether the thread has ended.
    ended: bool,
}

impl State {
    /// Whether a caller waits for a job of the next group. The queue stays as it is.
    fn next_group_is_awaited(&mut self) -> bool {
        let next = self.queue.take();
        let is_awaited = next.iter().any(|(_, _, job)| job.is_awaited());
        self.queue.put_back(next);
        is_awaited
    }
}

/// The bytes of appended entries that wait.
#[derive(Default)]
struct Appended {
    all: usize,
    of: HashMap<OrganizationId, usize>,
}

impl Appended {
    /// Adds to the count, unless too much waits, in total or for this organization, which may never use more of the
    /// space than it leaves free for others.
    fn add(&mut self, organization: &OrganizationId, bytes: usize) -> Result<(), StorageError> {
        let own = self.of.get(organization).copied().unwrap_or(0);
        if own + bytes > APPENDED_BYTES.saturating_sub(self.all).saturating_sub(bytes) {
            return Err(overloaded());
        }
        self.all += bytes;
        *self.of.entry(organization.clone()).or_default() += bytes;
        Ok(())
    }

    fn remove(&mut self, organization: &OrganizationId, bytes: usize) {
        self.all = self.all.saturating_sub(bytes);
        if let Some(own) = self.of.get_mut(organization) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                self.of.remove(organization);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle of the thread. Dropping it lets the thread finish its work, and waits for that.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn start(
        path: &Path,
        checkpoints: Checkpoints,
        connection: Connection,
        numbers: Arc<Numbers>,
        cache: Arc<RowCache>,
    ) -> Result<Self, OpenError> {
        let state = State {
            queue: Queue::new(),
            appended: Appended::default(),
            undecided: None,
            urgent: 0,
            flushes: Vec::new(),
            latest: None,
            idle: false,
            closed: false,
            ended: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let mut worker = Worker::new(path, checkpoints, connection, numbers, cache, Arc::clone(&shared));
        let end = End(Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("storage-writer".into())
            .spawn(move || {
                let _end = end;
                worker.run();
            })
            .map_err(|error| OpenError::io(path, error))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Sends work to the thread, and waits until it is durable.
    pub(super) async fn run(&self, organization: &OrganizationId, work: Work) -> Result<u64, StorageError> {
        let (reply, answer) = oneshot::channel();
        self.send(organization, Job { work, reply: Some(reply) })?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Puts the entries with the next commit, or soon.
    pub(super) fn append(
        &self,
        organization: &OrganizationId,
        entries: Vec<(Key, Vec<u8>)>,
        bytes: usize,
    ) -> Result<(), StorageError> {
        self.shared.lock().appended.add(organization, bytes)?;
        let sent = self.send(organization, Job { work: Work::Append { entries, bytes }, reply: None });
        if sent.is_err() {
            self.shared.lock().appended.remove(organization, bytes);
        }
        sent
    }

    /// Waits until all earlier work is durable.
    pub(super) async fn flush(&self) -> Result<(), StorageError> {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.shared.lock();
            if state.ended {
                return Err(stopped());
            }
            let number = state.queue.next_number();
            state.flushes.push((number, reply));
        }
        self.shared.changed.notify_one();
        answer.await.unwrap_or_else(|_| Err(stopped())).map(drop)
    }

    fn send(&self, organization: &OrganizationId, job: Job) -> Result<(), StorageError> {
        let urgent = job.is_awaited();
        let mut state = self.shared.lock();
        if state.ended {
            return Err(stopped());
        }
        state.queue.push(organization, job).map_err(|_| overloaded())?;
        state.urgent += usize::from(urgent);
        let is_first = state.latest.is_none();
        state.latest.get_or_insert_with(|| Instant::now() + APPEND_DELAY);
        // Waking a thread costs as much as a small read, so it is only done if the thread would not go on waiting
        // anyway.
        let wakes = state.idle && (urgent || is_first || state.queue.len() >= GROUP);
        drop(state);
        if wakes {
            self.shared.changed.notify_one();
        }
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the storage writer has panicked");
        }
    }
}

/// Notes that the thread has ended, for whatever reason, so that every waiting caller gets an answer.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        state.flushes.clear();
        state.queue = Queue::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_organization_appends_leaves_room_for_what_others_do() {
        let mut appended = Appended::default();
        let [one, other] = ["one", "other"].map(|name| OrganizationId::parse(name).unwrap());
        let step = APPENDED_BYTES / 64;
        while appended.add(&one, step).is_ok() {}
        assert!(appended.all <= APPENDED_BYTES / 2);
        assert!(appended.add(&other, step).is_ok());
        appended.remove(&one, appended.of[&one]);
        appended.remove(&other, step);
        assert!(appended.all == 0 && appended.of.is_empty());
    }
}
