//! The writer's thread: it takes a group, commits it and answers, and keeps the write-ahead log short.

mod steps;
mod turn;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::steps::Large;
use self::turn::{Failure, Turn};
use super::{APPEND_DELAY, Job, Shared, State, Taken, Work};
use crate::capability::storage::{OrganizationId, StorageError};
use crate::hourly::{error_hourly, warn_hourly};
use crate::storage::sqlite::numbers::Numbers;
use crate::storage::sqlite::queue::GROUP;
use crate::storage::sqlite::row_cache::RowCache;
use crate::storage::sqlite::{Checkpoints, from_integer, generation, open, to_integer};

/// How long after a failure appended entries are tried again, if no commit comes earlier.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// When the log has this many pages (64 MiB), they are moved into the database. A page that changes often is moved once
/// for all its changes, and moving costs a wait for the disk; but after a crash, the log must be read when the database
/// is opened.
const LOG_PAGES: i32 = 8_000;

/// How many versions the thread reserves at a time, so that the row of the last version is written once in this many
/// commits instead of with each.
const VERSIONS: u64 = 8 * GROUP as u64;

thread_local! {
    /// The number of pages in the log after the last commit of this thread; SQLite reports it to a plain function.
    static PAGES: Cell<i32> = const { Cell::new(0) };
    /// How many commits of this thread have written pages.
    static COMMITS: Cell<u64> = const { Cell::new(0) };
}

/// The state that the thread owns.
pub(super) struct Worker {
    connection: Connection,
    numbers: Arc<Numbers>,
    /// The readers' cache of rows.
    cache: Arc<RowCache>,
    shared: Arc<Shared>,
    /// Whether the last group could not be written.
    failed: bool,
    /// The versions that were reserved and are not used yet.
    versions: Cell<Versions>,
    /// The large transaction that is in progress.
    large: Option<Large>,
    /// No step of it is made before this time, since one has failed.
    rest_until: Option<Instant>,
    /// Whether commits do not wait for the disk, as for a step of a large transaction.
    is_lax: Cell<bool>,
    /// The path of the database.
    path: PathBuf,
    checkpoints: Checkpoints,
    /// Whether the log's life has begun with a change of this process (module `generation`).
    log_has_begun: Cell<bool>,
    /// The thread that is moving the log's pages into the database.
    shortening: Option<JoinHandle<bool>>,
}

/// Versions that this process has reserved: those after `given`, up to `taken`.
///
/// The database stores `taken` as the last version. As long as it does, no other process has reserved any since, and
/// the remaining ones are higher than all that were ever used.
#[derive(Clone, Copy, Debug, Default)]
struct Versions {
    given: u64,
    taken: u64,
}

impl Versions {
    /// Reserves enough for a group; `last` is the last version in the database.
    fn for_group(self, last: u64) -> Self {
        if self.taken == last && self.taken - self.given >= GROUP as u64 {
            return self;
        }
        Self { given: last, taken: last + VERSIONS }
    }
}

impl Worker {
    pub(super) fn new(
        path: &Path,
        checkpoints: Checkpoints,
        connection: Connection,
        numbers: Arc<Numbers>,
        cache: Arc<RowCache>,
        shared: Arc<Shared>,
    ) -> Self {
        let (path, versions) = (path.to_owned(), Cell::default());
        Self {
            connection,
            numbers,
            cache,
            shared,
            failed: false,
            versions,
            large: None,
            rest_until: None,
            is_lax: Cell::default(),
            path,
            checkpoints,
            log_has_begun: Cell::new(false),
            shortening: None,
        }
    }

    /// Works until the storage is closed and all possible work is done.
    pub(super) fn run(&mut self) {
        self.connection.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            COMMITS.set(COMMITS.get() + 1);
            Ok(())
        }));
        self.take_up_large();
        while let Some(group) = self.next_group() {
            if !group.is_empty() {
                self.commit(group);
            }
            self.step();
            if PAGES.get() > LOG_PAGES && self.checkpoints == Checkpoints::Own {
                self.shorten_log();
            }
        }
        if let Some(thread) = self.shortening.take() {
            let _ = thread.join();
        }
        let appends = self.shared.lock().queue.len();
        if appends > 0 {
            tracing::error!(appends, "appended entries are lost: the database can't be written");
        }
    }

    /// The next group; `None` when the storage is closed and all possible work is done.
    fn next_group(&mut self) -> Option<Vec<Taken>> {
        let mut state = self.shared.lock();
        loop {
            let now = Instant::now();
            let is_due = state.latest.is_some_and(|latest| latest <= now);
            let is_full = state.queue.len() >= GROUP && !self.failed;
            let rests = self.rests();
            let is_busy = self.large.is_some() && rests.is_none();
            // While a large transaction rests, the work that waits for it can't be done.
            let is_awaited = match rests {
                None => state.urgent > 0 || !state.flushes.is_empty(),
                Some(_) => {
                    (state.urgent > 0 && state.queue.reaches(Job::is_awaited))
                        || (!state.flushes.is_empty() && state.queue.reaches(|_| true))
                }
            };
            if is_awaited || is_full || is_due || is_busy {
                break;
            }
            if state.closed {
                if state.queue.len() == 0 || std::mem::take(&mut self.failed) {
                    return None;
                }
                if state.queue.reaches(|_| true) {
                    break;
                }
                // The large transaction is tried once more after its rest.
                self.failed = true;
            }
            let next = [state.latest, rests].into_iter().flatten().min();
            let left = next.map(|next| next.saturating_duration_since(now));
            let changed = &self.shared.changed;
            state.idle = true;
            state = match left {
                Some(left) => changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.idle = false;
        }
        let group = state.queue.take();
        state.urgent -= group.iter().filter(|(_, _, job)| job.is_awaited()).count();
        state.latest = (state.queue.len() > 0).then(|| Instant::now() + APPEND_DELAY);
        Some(group)
    }

    /// Commits the group, or reports the error to each of its callers.
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
                // The commit may be on the disk nevertheless, so none of its versions may be used again.
                self.versions.set(Versions::default());
                error_hourly!("database-written"; %error, writes = group.len(), "the database can't be written");
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
                {
                    tracing::error!(%error, "the transaction can't be rolled back");
                }
                let (mut urgent, appends): (Vec<Taken>, _) =
                    group.into_iter().partition(|(_, _, job)| job.is_awaited());
                let flushes = {
                    let mut state = self.shared.lock();
                    if !appends.is_empty() {
                        state.queue.put_back(appends);
                        state.latest = Some(Instant::now() + RETRY_DELAY);
                    }
                    if urgent.is_empty() && !state.next_group_is_awaited() {
                        // Callers behind the entries would get no answer while these can't be written.
                        urgent = state.queue.take_out(Job::is_awaited);
                        state.urgent -= urgent.len();
                    }
                    std::mem::take(&mut state.flushes)
                };
                for (organization, _, job) in urgent {
                    self.finish(&organization, job, Err(error.clone()));
                }
                for (_, reply) in flushes {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
    }

    /// Answers callers who wait for a flush and whose work is all durable.
    fn end_flushes(&self) {
        let mut state = self.shared.lock();
        let State { queue, flushes, undecided, .. } = &mut *state;
        let is_past = |number: u64| queue.is_past(number) && undecided.is_none_or(|undecided| undecided >= number);
        for (_, reply) in flushes.extract_if(.., |(number, _)| is_past(*number)) {
            let _ = reply.send(Ok(0));
        }
    }

    fn finish(&self, organization: &OrganizationId, job: Job, result: Result<u64, StorageError>) {
        if let Work::Append { bytes, .. } = job.work {
            self.shared.lock().appended.remove(organization, bytes);
            match &result {
                Ok(_) | Err(StorageError::Deleted) => {}
                Err(error) => error_hourly!("appends-lost"; %error, %organization, "appended entries are lost"),
            }
        }
        if let Some(reply) = job.reply {
            // The caller may have gone; the work is done in any case.
            let _ = reply.send(result);
        }
    }

    /// Commits the group. An error affects the whole group; an error of one job is its result.
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

    /// Commits the group in one transaction; with `apart` each job has a savepoint.
    fn attempt(&self, group: &[Taken], apart: bool) -> Result<Vec<Result<u64, StorageError>>, Failure> {
        let connection = &self.connection;
        self.be_strict()?;
        let begins = !self.log_has_begun.get();
        let pages = PAGES.get();
        if begins
            && self.checkpoints == Checkpoints::Own
            && let Err(error) = generation::renew(connection, &self.path)
        {
            // The only effect is that a mixture of database and log is harder to detect.
            tracing::debug!(%error, "the database's log does not start again");
        }
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let writing = self.cache.begin();
        if begins {
            generation::begin(connection, &self.path)?;
        }
        let last = connection.prepare_cached("SELECT last FROM sequence")?.query_row([], |row| row.get(0))?;
        let Versions { given, taken } = self.versions.get().for_group(from_integer(last));
        let mut turn = Turn { worker: self, version: given, new: Vec::new(), apart, alive: None };
        let results: Vec<_> =
            group.iter().map(|(organization, _, job)| turn.run(organization, job)).collect::<Result<_, _>>()?;
        let Turn { version, new, .. } = turn;
        if version != given && taken != from_integer(last) {
            connection.prepare_cached("UPDATE sequence SET last = ?1")?.execute([to_integer(taken)])?;
        }
        let wrote_pages = self.end()?;
        // If the log has become shorter, another process has moved it, and it has restarted without a number of its
        // own: the next group gives it one.
        self.log_has_begun.set(begins || PAGES.get() >= pages);
        if version != given {
            self.versions.set(Versions { given: version, taken });
        }
        self.numbers.publish(new);
        writing.committed(wrote_pages, |cached| {
            for (organization, _, job) in group {
                // An organization without a number has written nothing.
                if let Some(number) = self.numbers.cached(organization) {
                    job.work.drop_cached(number, cached);
                }
            }
        });
        Ok(results)
    }

    /// Commits the open transaction, and returns whether that wrote pages.
    fn end(&self) -> rusqlite::Result<bool> {
        let before = COMMITS.get();
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(COMMITS.get() > before)
    }

    /// Moves the log's pages into the database. A thread of its own moves most of them while commits go on. The pages
    /// that came since are moved here between two groups, so that the whole log is moved and can start again.
    fn shorten_log(&mut self) {
        match &self.shortening {
            Some(thread) if !thread.is_finished() => return,
            Some(_) => {}
            None => {
                let (path, checkpoints) = (self.path.clone(), self.checkpoints);
                let thread = std::thread::Builder::new().name("storage-log".into());
                self.shortening =
                    thread.spawn(move || open::reader(&path, checkpoints).is_ok_and(|other| shorten(&other))).ok();
                if self.shortening.is_some() {
                    return;
                }
            }
        }
        if let Some(thread) = self.shortening.take() {
            let _ = thread.join();
        }
        if let Err(error) = generation::end(&self.connection) {
            warn_hourly!("database-log"; %error, "the database's log can't be shortened");
            return;
        }
        if shorten(&self.connection) {
            PAGES.set(0);
            self.log_has_begun.set(false);
        }
    }
}

/// Moves as many of the log's pages as possible without waiting for anybody.
fn shorten(connection: &Connection) -> bool {
    let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = &moved {
        warn_hourly!("database-log"; %error, "the database's log can't be shortened");
    }
    moved.is_ok()
}
