//! Writing: one thread that commits what is waiting, group by group (group commit), in the order that module `queue` has.
//!
//! A commit costs a wait for the disk, however much is in it. While the thread waits for one, work
//! gathers for the next, so the more callers there are, the more of them share a wait.
//!
//! A piece of work that fails leaves the others of its group alone. What may fail is looked at before the first row is
//! written: requirements and the bounds of sums. A savepoint round each piece would do the same, but SQLite copies every
//! page that is changed inside of one. So there is one only where it is needed: a group in which a piece has failed when
//! it had begun to write is rolled back and done again, each piece in a savepoint of its own.
//!
//! A transaction that is too large for a group is made in steps, one after each group (module `large`).

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use tokio::sync::oneshot;

use super::change::Change;
use super::large::{self, Batch, Staging};
use super::numbers::{self, Numbers};
use super::queue::{GROUP, Piece, Queue};
use super::{OpenError, from_integer, open, to_integer};
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
    /// Decide a transaction whose changes were staged.
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
            Work::Claim { .. } | Work::Renew { .. } | Work::Release { .. } | Work::Decide(..) => 1,
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
    /// The number of a large transaction that was taken out of the queue and is not decided yet.
    undecided: Option<u64>,
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
            undecided: None,
            urgent: 0,
            flushes: Vec::new(),
            latest: None,
            idle: false,
            closed: false,
            ended: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let versions = Cell::new(Versions::default());
        let mut worker = Worker {
            connection,
            numbers,
            shared: Arc::clone(&shared),
            failed: false,
            versions,
            large: None,
            path: path.to_owned(),
            shortening: None,
        };
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
    /// The large transaction that is being made.
    large: Option<Large>,
    /// Where the database is.
    path: PathBuf,
    /// Who moves the log's pages into the database at the moment.
    shortening: Option<JoinHandle<bool>>,
}

/// A large transaction on its way.
enum Large {
    /// Its changes are being staged.
    Staging(Box<Staged>),
    /// It was decided, and its changes are being moved.
    Moving(Batch),
    /// It was not made, and its changes are being forgotten.
    Forgetting(Batch),
}

/// A transaction of which changes are staged.
struct Staged {
    organization: OrganizationId,
    number: u64,
    transaction: Transaction,
    reply: Option<Reply>,
    staging: Staging,
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
        self.take_up_large();
        while let Some(group) = self.next_group() {
            if !group.is_empty() {
                self.commit(group);
            }
            self.step();
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
            let is_busy = self.large.is_some();
            if state.urgent > 0 || is_full || is_due || is_busy || !state.flushes.is_empty() {
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
                self.end_flushes();
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

    /// Tells those whose work is all durable.
    fn end_flushes(&self) {
        let mut state = self.shared.lock();
        let State { queue, flushes, undecided, .. } = &mut *state;
        let is_past = |number: u64| queue.is_past(number) && undecided.is_none_or(|undecided| undecided >= number);
        for (_, reply) in flushes.extract_if(.., |(number, _)| is_past(*number)) {
            let _ = reply.send(Ok(0));
        }
    }

    /// Moves what was decided before this process, or another one, ended.
    fn take_up_large(&self) {
        let moved = large::forget_undecided(&self.connection).map_err(StorageError::from).and_then(|()| {
            for batch in large::all_decided(&self.connection)? {
                while !self.in_transaction(|connection| batch.move_some(connection))? {}
            }
            Ok(())
        });
        if let Err(error) = moved {
            // Readers see it where it is, and the next write for the organization moves it.
            tracing::warn!(%error, "a large transaction of an earlier run can't be moved to its place yet");
        }
    }

    /// Does a step of the large transaction, and begins the next one if there is none.
    fn step(&mut self) {
        self.large = match self.large.take() {
            None => self.begin_large(),
            Some(Large::Staging(mut staged)) => {
                let Staged { transaction, staging, .. } = &mut *staged;
                match self.without_sync(|connection| staging.step(connection, transaction)) {
                    Ok(false) => Some(Large::Staging(staged)),
                    Ok(true) => Some(self.decide(*staged)),
                    Err(error) => {
                        if let Some(reply) = staged.reply {
                            // Who asked may have gone away.
                            let _ = reply.send(Err(error));
                        }
                        self.shared.lock().undecided = None;
                        Some(Large::Forgetting(staged.staging.batch))
                    }
                }
            }
            Some(Large::Moving(batch)) => match self.without_sync(|connection| batch.move_some(connection)) {
                Ok(is_moved) => (!is_moved).then_some(Large::Moving(batch)),
                Err(error) => {
                    tracing::warn!(%error, "a large transaction can't be moved to its place yet");
                    None
                }
            },
            Some(Large::Forgetting(batch)) => match self.without_sync(|connection| batch.forget_some(connection)) {
                Ok(is_forgotten) => (!is_forgotten).then_some(Large::Forgetting(batch)),
                Err(error) => {
                    tracing::warn!(%error, "what was staged of a large transaction stays until the next start");
                    None
                }
            },
        };
        if self.large.is_none() {
            self.shared.lock().queue.release();
        }
        self.end_flushes();
    }

    /// Takes the next large piece out of the queue. One that can't be staged is done here, in one piece.
    fn begin_large(&mut self) -> Option<Large> {
        let (organization, number, job) = {
            let mut state = self.shared.lock();
            let taken = state.queue.take_large()?;
            state.urgent -= usize::from(taken.2.reply.is_some());
            taken
        };
        let Job { work, reply } = job;
        let transaction = match work {
            Work::Commit(transaction) if large::can_be_staged(&transaction) => transaction,
            work => {
                self.commit(vec![(organization, number, Job { work, reply })]);
                return None;
            }
        };
        // An organization that has written nothing before has no number, and hardly a large transaction.
        let begun = self.numbers.cached(&organization).and_then(|of| {
            let begun = self.without_sync(|connection| match large::decided(connection, of)? {
                // Another process is moving one.
                Some(_) => Ok(None),
                None => Staging::begin(connection, of).map(Some),
            });
            begun.inspect_err(|error| tracing::debug!(%error, "a large transaction can't be staged")).ok().flatten()
        });
        let Some(staging) = begun else {
            self.commit(vec![(organization, number, Job { work: Work::Commit(transaction), reply })]);
            return None;
        };
        self.shared.lock().undecided = Some(number);
        Some(Large::Staging(Box::new(Staged { organization, number, transaction, reply, staging })))
    }

    /// Commits a transaction that was staged, and says what is to be done with its changes.
    fn decide(&mut self, staged: Staged) -> Large {
        let Staged { organization, number, transaction, reply, staging } = staged;
        let batch = staging.batch;
        self.commit(vec![(organization, number, Job { work: Work::Decide(transaction, staging), reply })]);
        self.shared.lock().undecided = None;
        match large::decided(&self.connection, batch.organization) {
            Ok(Some((decided, _))) if decided == batch => Large::Moving(batch),
            _ => Large::Forgetting(batch),
        }
    }

    /// Does a step in a transaction that need not be durable when it returns: what is decided later is, with all before it.
    fn without_sync<T>(&self, step: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        let done = self.in_transaction(step);
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        done
    }

    fn in_transaction<T>(&self, step: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let done = step(&self.connection).and_then(|done| {
            self.connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(done)
        });
        if done.is_err() && !self.connection.is_autocommit() {
            self.connection.prepare_cached("ROLLBACK")?.execute([])?;
        }
        done
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

    /// Moves the log's pages into the database. A thread of its own moves most of them, while commits go on; what has come
    /// since is moved here between two groups, so that the log, all of which is moved then, begins anew.
    fn shorten_log(&mut self) {
        match &self.shortening {
            Some(thread) if !thread.is_finished() => return,
            Some(_) => {}
            None => {
                let path = self.path.clone();
                let thread = std::thread::Builder::new().name("storage-log".into());
                self.shortening = thread.spawn(move || open::reader(&path).is_ok_and(|other| shorten(&other))).ok();
                if self.shortening.is_some() {
                    return;
                }
            }
        }
        if let Some(thread) = self.shortening.take() {
            let _ = thread.join();
        }
        if shorten(&self.connection) {
            PAGES.set(0);
        }
    }
}

/// Moves as many of the log's pages as can be without waiting for anybody.
fn shorten(connection: &Connection) -> bool {
    let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = &moved {
        tracing::warn!(%error, "the database's log can't be shortened");
    }
    moved.is_ok()
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
            Work::Commit(_) | Work::Decide(..) | Work::Append { .. } if self.alive != Some(change.organization) => {
                if numbers::is_deleted(connection, change.organization)? {
                    return Ok(Err(StorageError::Deleted));
                }
                move_all(connection, change.organization)?;
                self.alive = Some(change.organization);
            }
            Work::Delete { .. } => {
                move_all(connection, change.organization)?;
                self.alive = None;
            }
            _ => {}
        }
        // What refuses a transaction is found before anything is written.
        let looked = match &job.work {
            Work::Decide(transaction, staging) if staging.holds(connection)? => {
                staging.sums(&change, transaction).map(Some)
            }
            // In the second case another process has written since it was staged, so it is made in one piece.
            Work::Commit(transaction) | Work::Decide(transaction, _) => {
                change.check(&transaction.require).and_then(|()| change.sums(transaction))
            }
            _ => Ok(Some(Vec::new())),
        };
        let sums = match looked {
            Ok(looked) => looked,
            Err(error) => return Ok(self.refuse(error)?),
        };
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
            Work::Decide(transaction, staging) => {
                self.version += 1;
                let done = if staging.holds(change.connection)? {
                    let sums = sums.map_or_else(|| staging.sums(change, transaction), Ok)?;
                    staging.decide(change, transaction, self.version, &sums)
                } else {
                    change.apply(transaction, self.version, sums)
                };
                done.map(|()| self.version)
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

/// Moves what another process has decided for the organization: what follows must see it among the items.
fn move_all(connection: &Connection, organization: i64) -> Result<(), StorageError> {
    if let Some((batch, _)) = large::decided(connection, organization)? {
        while !batch.move_some(connection)? {}
    }
    Ok(())
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
