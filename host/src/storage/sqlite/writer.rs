//! Writing: one thread that commits what is waiting, group by group (group commit), in the order that module `queue` has.
//!
//! A commit costs a wait for the disk, however much is in it. While the thread waits for one, work
//! gathers for the next, so the more callers there are, the more of them share a wait.
//!
//! A piece of work that fails leaves the others of its group alone. What may fail is looked at before the first row is
//! written: requirements and the bounds of sums. A savepoint round each piece would do the same, but SQLite copies every
//! page that is changed inside of one. So there is one only where it is needed: a group in which a piece has failed when
//! it had begun to write is rolled back and done again, each piece in a savepoint of its own.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::change::Change;
use super::numbers::{self, Numbers};
use super::queue::{GROUP, Piece, Queue};
use super::{OpenError, from_integer, to_integer};
use crate::capability::storage::{Key, OrganizationId, StorageError, Transaction};

/// Bytes of appended entries that may wait; nobody holds them but the queue.
const APPENDED_BYTES: usize = 64 << 20;

/// How long appended entries wait for a commit to ride along with: half of what is promised, the other
/// half is for the writing.
const APPEND_DELAY: Duration = Duration::from_millis(50);

/// How long after a failure what was appended is tried again, if no commit comes before.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Pages in the log after which they are moved into the database: 64 MiB. A page that changes often is moved once for all
/// its changes, and moving costs a wait for the disk; but what is in the log has to be read when the database is opened
/// after a crash.
const LOG_PAGES: i32 = 8_000;

/// How many versions the thread takes at a time: the row of the last one is then written once in so many commits, and not
/// with each.
const VERSIONS: u64 = 8 * GROUP as u64;

thread_local! {
    /// Pages in the log after the last commit of this thread; SQLite reports them to a plain function.
    static PAGES: Cell<i32> = const { Cell::new(0) };
}

/// What to do for an organization.
#[derive(Debug)]
pub(super) enum Work {
    Commit(Transaction),
    Append { entries: Vec<(Key, Vec<u8>)>, bytes: usize },
    Claim { now: u64 },
    Renew { number: u64, now: u64 },
    Release { number: u64, next: Option<u64> },
    Delete { rows: usize },
}

type Reply = oneshot::Sender<Result<u64, StorageError>>;

#[derive(Debug)]
struct Job {
    work: Work,
    /// Gets the version, the claim's number or 0, whether the claim was still this one, or the number of rows. Nobody
    /// waits for an append.
    reply: Option<Reply>,
}

impl Piece for Job {
    fn rows(&self) -> usize {
        match &self.work {
            Work::Commit(transaction) => transaction.require.len() + transaction.write.len(),
            Work::Append { entries, .. } => entries.len(),
            Work::Claim { .. } | Work::Renew { .. } | Work::Release { .. } => 1,
            Work::Delete { rows } => *rows,
        }
    }
}

/// A job that has been taken out of the queue: whose it is, its number, and what to do.
type Taken = (OrganizationId, u64, Job);

/// What the thread and those who send work share.
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    queue: Queue<Job>,
    appended: Appended,
    /// Work in the queue that somebody waits for.
    urgent: usize,
    /// Who waits until all work before a number is durable.
    flushes: Vec<(u64, Reply)>,
    /// When work that nobody waits for is done at the latest.
    latest: Option<Instant>,
    /// The thread waits for something to do.
    idle: bool,
    /// Nothing will be sent any more.
    closed: bool,
    /// The thread has ended.
    ended: bool,
}

/// Bytes of appended entries that wait.
#[derive(Default)]
struct Appended {
    all: usize,
    of: HashMap<OrganizationId, usize>,
}

impl Appended {
    /// Counts what is to wait; not if it is too much: all in all, or of this organization, which never has more than it
    /// leaves free for others.
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

/// The way to the thread. Dropping it lets the thread finish what it was given, and waits for that.
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
    pub(super) fn start(path: &Path, connection: Connection, numbers: Arc<Numbers>) -> Result<Self, OpenError> {
        let state = State {
            queue: Queue::new(),
            appended: Appended::default(),
            urgent: 0,
            flushes: Vec::new(),
            latest: None,
            idle: false,
            closed: false,
            ended: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let versions = Cell::new(Versions::default());
        let mut worker = Worker { connection, numbers, shared: Arc::clone(&shared), failed: false, versions };
        let thread = std::thread::Builder::new()
            .name("storage-writer".into())
            .spawn(move || {
                let _end = End(Arc::clone(&worker.shared));
                worker.run();
            })
            .map_err(|error| OpenError::io(path, error))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Has the work done, and waits until it is durable.
    pub(super) async fn run(&self, organization: &OrganizationId, work: Work) -> Result<u64, StorageError> {
        let (reply, answer) = oneshot::channel();
        self.send(organization, Job { work, reply: Some(reply) })?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Has the entries put with the next commit, or soon.
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

    /// Waits until all that was sent before is durable.
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
        let urgent = job.reply.is_some();
        let mut state = self.shared.lock();
        if state.ended {
            return Err(stopped());
        }
        state.queue.push(organization, job).map_err(|_| overloaded())?;
        state.urgent += usize::from(urgent);
        let is_first = state.latest.is_none();
        state.latest.get_or_insert_with(|| Instant::now() + APPEND_DELAY);
        // Waking a thread costs as much as a small read: it is left alone where it would only go on waiting.
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

/// Tells that the thread has ended, however it did: whoever waits for it gets an answer.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        state.flushes.clear();
        state.queue = Queue::new();
    }
}

fn overloaded() -> StorageError {
    StorageError::Unavailable("too many writes are waiting".into())
}

fn stopped() -> StorageError {
    StorageError::Unavailable("the storage has been closed".into())
}

/// What the thread owns.
struct Worker {
    connection: Connection,
    numbers: Arc<Numbers>,
    shared: Arc<Shared>,
    /// The last group could not be written.
    failed: bool,
    /// Those that were taken and have not been given.
    versions: Cell<Versions>,
}

/// Versions that this process has taken: those behind `given`, up to `taken`.
///
/// `taken` stands in the database as the last of all. As long as it does, no other process has taken any since, and those
/// that are left are larger than all that were ever given.
#[derive(Clone, Copy, Debug, Default)]
struct Versions {
    given: u64,
    taken: u64,
}

impl Versions {
    /// With enough for a group; `last` is what the database has as the last one.
    fn for_group(self, last: u64) -> Self {
        if self.taken == last && self.taken - self.given >= GROUP as u64 {
            return self;
        }
        Self { given: last, taken: last + VERSIONS }
    }
}

impl Worker {
    fn run(&mut self) {
        self.connection.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        while let Some(group) = self.next_group() {
            self.commit(group);
            if PAGES.get() > LOG_PAGES {
                self.shorten_log();
            }
        }
        let appends = self.shared.lock().queue.len();
        if appends > 0 {
            tracing::error!(appends, "appended entries are lost: the database can't be written");
        }
    }

    /// What to do next; `None` when the storage is closed and all is done that can be.
    fn next_group(&mut self) -> Option<Vec<Taken>> {
        let mut state = self.shared.lock();
        loop {
            let now = Instant::now();
            let is_due = state.latest.is_some_and(|latest| latest <= now);
            let is_full = state.queue.len() >= GROUP && !self.failed;
            if state.urgent > 0 || is_full || is_due || !state.flushes.is_empty() {
                break;
            }
            if state.closed {
                if state.queue.len() == 0 || std::mem::take(&mut self.failed) {
                    return None;
                }
                break;
            }
            let left = state.latest.map(|latest| latest.saturating_duration_since(now));
            let changed = &self.shared.changed;
            state.idle = true;
            state = match left {
                Some(left) => changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.idle = false;
        }
        let group = state.queue.take();
        state.urgent -= group.iter().filter(|(_, _, job)| job.reply.is_some()).count();
        state.latest = (state.queue.len() > 0).then(|| Instant::now() + APPEND_DELAY);
        Some(group)
    }

    fn commit(&mut self, group: Vec<Taken>) {
        match self.try_commit(&group) {
            Ok(results) => {
                self.failed = false;
                for ((organization, _, job), result) in group.into_iter().zip(results) {
                    self.finish(&organization, job, result);
                }
                let mut state = self.shared.lock();
                let State { queue, flushes, .. } = &mut *state;
                for (_, reply) in flushes.extract_if(.., |(number, _)| queue.is_past(*number)) {
                    let _ = reply.send(Ok(0));
                }
            }
            Err(error) => {
                self.failed = true;
                // Should it be on the disk all the same, none of its versions is given again.
                self.versions.set(Versions::default());
                tracing::error!(%error, writes = group.len(), "the database can't be written");
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
                {
                    tracing::error!(%error, "the transaction can't be rolled back");
                }
                let (urgent, appends): (Vec<Taken>, _) = group.into_iter().partition(|(_, _, job)| job.reply.is_some());
                for (organization, _, job) in urgent {
                    self.finish(&organization, job, Err(error.clone()));
                }
                let mut state = self.shared.lock();
                if !appends.is_empty() {
                    state.queue.put_back(appends);
                    state.latest = Some(Instant::now() + RETRY_DELAY);
                }
                for (_, reply) in state.flushes.drain(..) {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    fn finish(&self, organization: &OrganizationId, job: Job, result: Result<u64, StorageError>) {
        if let Work::Append { bytes, .. } = job.work {
            self.shared.lock().appended.remove(organization, bytes);
            match &result {
                Ok(_) | Err(StorageError::Deleted) => {}
                Err(error) => tracing::error!(%error, %organization, "appended entries are lost"),
            }
        }
        if let Some(reply) = job.reply {
            // Who asked may have gone away; the work is done all the same.
            let _ = reply.send(result);
        }
    }

    /// Commits the group. An error concerns all of it; what concerns one job alone is its result.
    fn try_commit(&self, group: &[Taken]) -> Result<Vec<Result<u64, StorageError>>, StorageError> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        match self.attempt(group, false) {
            Ok(results) => Ok(results),
            Err(Failure::Group(error)) => Err(error),
            Err(Failure::Halfway(error)) => {
                tracing::debug!(%error, "a write failed halfway; its group is done again, each write by itself");
                self.connection.prepare_cached("ROLLBACK")?.execute([])?;
                self.attempt(group, true).map_err(Failure::into_inner)
            }
        }
    }

    /// Commits the group in one transaction; with `apart` each job has a savepoint of its own.
    fn attempt(&self, group: &[Taken], apart: bool) -> Result<Vec<Result<u64, StorageError>>, Failure> {
        let connection = &self.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let last = connection.prepare_cached("SELECT last FROM sequence")?.query_row([], |row| row.get(0))?;
        let Versions { given, taken } = self.versions.get().for_group(from_integer(last));
        let mut turn = Turn { worker: self, version: given, new: Vec::new(), apart, alive: None };
        let results =
            group.iter().map(|(organization, _, job)| turn.run(organization, job)).collect::<Result<_, _>>()?;
        let Turn { version, new, .. } = turn;
        if version != given && taken != from_integer(last) {
            connection.prepare_cached("UPDATE sequence SET last = ?1")?.execute([to_integer(taken)])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
        if version != given {
            self.versions.set(Versions { given: version, taken });
        }
        self.numbers.publish(new);
        Ok(results)
    }

    /// Moves the log's pages into the database. It is done between transactions and after the answers,
    /// so that SQLite does not do it while a caller waits.
    fn shorten_log(&self) {
        match self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            Ok(()) => PAGES.set(0),
            Err(error) => tracing::warn!(%error, "the database's log can't be shortened"),
        }
    }
}

/// Why a group is not committed.
enum Failure {
    /// The error concerns all of it.
    Group(StorageError),
    /// One job failed when it may have begun to write, and had no savepoint.
    Halfway(StorageError),
}

impl Failure {
    fn into_inner(self) -> StorageError {
        match self {
            Self::Group(error) | Self::Halfway(error) => error,
        }
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Group(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Group(error.into())
    }
}

/// The transaction of one group.
struct Turn<'w> {
    worker: &'w Worker,
    /// The version or the claim's number given last.
    version: u64,
    /// Organizations first written to in this transaction.
    new: Vec<(OrganizationId, i64)>,
    /// Each job has a savepoint.
    apart: bool,
    /// The number of the organization that this transaction has last seen not to be deleted.
    alive: Option<i64>,
}

impl Turn<'_> {
    /// Does one job. The outer error is the group's.
    fn run(&mut self, organization: &OrganizationId, job: &Job) -> Result<Result<u64, StorageError>, Failure> {
        let connection = &self.worker.connection;
        let change = Change { connection, organization: self.number(organization)? };
        match &job.work {
            // Looked up inside the transaction: another process may have deleted it a moment ago.
            Work::Commit(_) | Work::Append { .. } if self.alive != Some(change.organization) => {
                if numbers::is_deleted(connection, change.organization)? {
                    return Ok(Err(StorageError::Deleted));
                }
                self.alive = Some(change.organization);
            }
            Work::Delete { .. } => self.alive = None,
            _ => {}
        }
        // What refuses a transaction is found before anything is written.
        let mut sums = Some(Vec::new());
        if let Work::Commit(transaction) = &job.work {
            let looked = change.check(&transaction.require).and_then(|()| change.sums(transaction));
            match looked {
                Ok(looked) => sums = looked,
                Err(error) => return Ok(self.refuse(error)?),
            }
        }
        if !self.apart
            && let Some(sums) = sums
        {
            return match self.work(&change, &job.work, Some(sums)) {
                Ok(done) => Ok(Ok(done)),
                Err(error) if connection.is_autocommit() => Err(Failure::Group(error)),
                Err(error) => Err(Failure::Halfway(error)),
            };
        }
        connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        let result = self.work(&change, &job.work, None);
        if let Err(error) = result {
            let refused = self.refuse(error)?;
            connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
            connection.prepare_cached("RELEASE job")?.execute([])?;
            return Ok(refused);
        }
        connection.prepare_cached("RELEASE job")?.execute([])?;
        Ok(result)
    }

    /// An error is the job's alone, unless SQLite has rolled back the whole transaction because of it,
    /// as it does when the disk is full.
    fn refuse(&self, error: StorageError) -> Result<Result<u64, StorageError>, StorageError> {
        if self.worker.connection.is_autocommit() { Err(error) } else { Ok(Err(error)) }
    }

    /// Does the work. `sums` are those of the transaction, where they were looked up before.
    fn work(&mut self, change: &Change<'_>, work: &Work, sums: Option<Vec<Vec<u8>>>) -> Result<u64, StorageError> {
        match work {
            Work::Commit(transaction) => {
                self.version += 1;
                change.apply(transaction, self.version, sums).map(|()| self.version)
            }
            Work::Append { entries, .. } => {
                self.version += 1;
                change.append(entries, self.version).map(|()| self.version)
            }
            Work::Claim { now } => {
                let number = self.version + 1;
                let claimed = change.reschedule(|schedule| schedule.claim(number, *now))?.is_some();
                self.version += u64::from(claimed);
                Ok(if claimed { number } else { 0 })
            }
            Work::Renew { number, now } => {
                change.reschedule(|schedule| schedule.renew(*number, *now)).map(|claim| u64::from(claim.is_some()))
            }
            Work::Release { number, next } => {
                change.reschedule(|schedule| schedule.release(*number, *next)).map(u64::from)
            }
            Work::Delete { rows } => change.delete(*rows),
        }
    }

    /// The organization's number; a new one, outside of the job's savepoint, if it has none.
    fn number(&mut self, organization: &OrganizationId) -> rusqlite::Result<i64> {
        let worker = self.worker;
        if let Some(number) = worker.numbers.cached(organization) {
            return Ok(number);
        }
        if let Some(number) = numbers::stored(&worker.connection, organization)? {
            return Ok(number);
        }
        let sql = "INSERT INTO organization (name, generation) VALUES (?1, ?2)";
        let row = params![organization.as_str(), to_integer(organization.generation())];
        worker.connection.prepare_cached(sql)?.execute(row)?;
        let number = worker.connection.last_insert_rowid();
        self.new.push((organization.clone(), number));
        Ok(number)
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
