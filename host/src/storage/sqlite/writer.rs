//! Writing: one thread that commits whatever is waiting in one transaction (group commit).
//!
//! A commit costs a wait for the disk, however much is in it. While the thread waits for one, work
//! gathers for the next, so the more callers there are, the more of them share a wait. Each piece of
//! work has a savepoint of its own: one that fails leaves the others alone.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::change::Change;
use super::numbers::{self, Numbers};
use super::{OpenError, from_integer, to_integer};
use crate::capability::storage::{Key, OrganizationId, StorageError, Transaction};

/// Pieces of work that may wait; the next is refused as `unavailable`. One to three seconds' work.
const QUEUE: usize = 4_096;

/// Pieces of work in one transaction of the database, so that the first does not wait for ever.
const GROUP: usize = 512;

/// Bytes of appended entries that may wait; nobody holds them but the queue.
const APPENDED_BYTES: usize = 64 << 20;

/// How long appended entries wait for a commit to ride along with: half of what is promised, the other
/// half is for the writing.
const APPEND_DELAY: Duration = Duration::from_millis(50);

/// How long after a failure what was appended is tried again, if no commit comes before.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Pages in the log after which they are moved into the database: 16 MiB. Reads are slower the longer
/// the log is, and moving costs a wait for the disk.
const LOG_PAGES: i32 = 2_000;

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
    Flush,
}

#[derive(Debug)]
struct Job {
    organization: OrganizationId,
    work: Work,
    /// Gets the version, the claim's number or 0, whether the claim was still this one, or the number of rows. Nobody
    /// waits for an append.
    reply: Option<oneshot::Sender<Result<u64, StorageError>>>,
}

/// The way to the thread. Dropping it lets the thread finish what it was given, and waits for that.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    appended: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(path: &Path, connection: Connection, numbers: Arc<Numbers>) -> Result<Self, OpenError> {
        let (queue, jobs) = sync_channel(QUEUE);
        let appended = Arc::new(AtomicUsize::new(0));
        let mut worker =
            Worker { connection, numbers, jobs, appended: Arc::clone(&appended), carried: Vec::new(), closed: false };
        let thread = std::thread::Builder::new()
            .name("storage-writer".into())
            .spawn(move || worker.run())
            .map_err(|error| OpenError::io(path, error))?;
        Ok(Self { queue: Some(queue), appended, thread: Some(thread) })
    }

    /// Has the work done, and waits until it is durable.
    pub(super) async fn run(&self, organization: &OrganizationId, work: Work) -> Result<u64, StorageError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job { organization: organization.clone(), work, reply: Some(reply) })?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Has the entries put with the next commit, or soon.
    pub(super) fn append(
        &self,
        organization: &OrganizationId,
        entries: Vec<(Key, Vec<u8>)>,
        bytes: usize,
    ) -> Result<(), StorageError> {
        let waiting = self.appended.fetch_add(bytes, Ordering::Relaxed);
        let job = Job { organization: organization.clone(), work: Work::Append { entries, bytes }, reply: None };
        let sent = if waiting + bytes > APPENDED_BYTES { Err(overloaded()) } else { self.send(job) };
        if sent.is_err() {
            self.appended.fetch_sub(bytes, Ordering::Relaxed);
        }
        sent
    }

    fn send(&self, job: Job) -> Result<(), StorageError> {
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => overloaded(),
            TrySendError::Disconnected(_) => stopped(),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the storage writer has panicked");
        }
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
    jobs: Receiver<Job>,
    appended: Arc<AtomicUsize>,
    /// What was appended and could not be written yet.
    carried: Vec<Job>,
    /// Nothing will be sent any more, and all that was has been taken.
    closed: bool,
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
            if self.closed {
                break;
            }
        }
        if !self.carried.is_empty() {
            let group = std::mem::take(&mut self.carried);
            self.commit(group);
        }
        if !self.carried.is_empty() {
            tracing::error!(appends = self.carried.len(), "appended entries are lost: the database can't be written");
        }
    }

    /// What to do next, in the order it was sent; `None` when the storage is closed.
    fn next_group(&mut self) -> Option<Vec<Job>> {
        let mut group = std::mem::take(&mut self.carried);
        let delay = if group.is_empty() { APPEND_DELAY } else { RETRY_DELAY };
        if group.is_empty() {
            group.push(self.jobs.recv().ok()?);
        }
        let deadline = Instant::now() + delay;
        let mut urgent = group.iter().any(|job| job.reply.is_some());
        loop {
            while group.len() < GROUP {
                let Ok(job) = self.jobs.try_recv() else { break };
                urgent |= job.reply.is_some();
                group.push(job);
            }
            if urgent || group.len() >= GROUP {
                return Some(group);
            }
            match self.jobs.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(job) => {
                    urgent |= job.reply.is_some();
                    group.push(job);
                }
                Err(error) => {
                    self.closed = error == RecvTimeoutError::Disconnected;
                    return Some(group);
                }
            }
        }
    }

    fn commit(&mut self, group: Vec<Job>) {
        match self.try_commit(&group) {
            Ok(results) => {
                for (job, result) in group.into_iter().zip(results) {
                    self.finish(job, result);
                }
            }
            Err(error) => {
                tracing::error!(%error, writes = group.len(), "the database can't be written");
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
                {
                    tracing::error!(%error, "the transaction can't be rolled back");
                }
                for job in group {
                    if job.reply.is_none() {
                        self.carried.push(job);
                    } else {
                        self.finish(job, Err(error.clone()));
                    }
                }
            }
        }
    }

    fn finish(&self, job: Job, result: Result<u64, StorageError>) {
        if let Work::Append { bytes, .. } = job.work {
            self.appended.fetch_sub(bytes, Ordering::Relaxed);
            if let Err(error) = &result {
                tracing::error!(%error, organization = %job.organization, "appended entries are lost");
            }
        }
        if let Some(reply) = job.reply {
            // Who asked may have gone away; the work is done all the same.
            let _ = reply.send(result);
        }
    }

    /// Commits the group. An error concerns all of it; what concerns one job alone is its result.
    fn try_commit(&self, group: &[Job]) -> Result<Vec<Result<u64, StorageError>>, StorageError> {
        let connection = &self.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let first: i64 = connection.prepare_cached("SELECT last FROM sequence")?.query_row([], |row| row.get(0))?;
        let mut turn = Turn { worker: self, version: from_integer(first), new: Vec::new() };
        let results = group.iter().map(|job| turn.run(job)).collect::<Result<_, _>>()?;
        let Turn { version, new, .. } = turn;
        if version != from_integer(first) {
            connection.prepare_cached("UPDATE sequence SET last = ?1")?.execute([to_integer(version)])?;
        }
        connection.prepare_cached("COMMIT")?.execute([])?;
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

/// The transaction of one group.
struct Turn<'w> {
    worker: &'w Worker,
    /// The version or the claim's number given last.
    version: u64,
    /// Organizations first written to in this transaction.
    new: Vec<(OrganizationId, i64)>,
}

impl Turn<'_> {
    /// Does one job in a savepoint. The outer error is the group's.
    fn run(&mut self, job: &Job) -> Result<Result<u64, StorageError>, StorageError> {
        if matches!(job.work, Work::Flush) {
            return Ok(Ok(0));
        }
        let connection = &self.worker.connection;
        let change = Change { connection, organization: self.number(&job.organization)? };
        // Most refusals are conflicts; they are found before anything is set up.
        if let Work::Commit(transaction) = &job.work
            && let Err(error) = change.check(&transaction.require)
        {
            return self.refuse(error);
        }
        connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        let result = self.work(&change, &job.work);
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

    fn work(&mut self, change: &Change<'_>, work: &Work) -> Result<u64, StorageError> {
        match work {
            Work::Commit(transaction) => {
                self.version += 1;
                change.apply(transaction, self.version).map(|()| self.version)
            }
            Work::Append { entries, .. } => {
                self.version += 1;
                entries.iter().try_for_each(|(key, value)| change.put(key, value, self.version))?;
                Ok(self.version)
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
            Work::Flush => Ok(0),
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
        let sql = "INSERT INTO organization (name) VALUES (?1)";
        worker.connection.prepare_cached(sql)?.execute([organization.as_str()])?;
        let number = worker.connection.last_insert_rowid();
        self.new.push((organization.clone(), number));
        Ok(number)
    }
}
