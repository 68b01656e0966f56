//! Makes a transaction that is too large for a group in steps (module `large`): one step after each group, so that
//! others can commit between them.

use std::time::Instant;

use rusqlite::Connection;

use super::{RETRY_DELAY, Worker};
use crate::capability::storage::{OrganizationId, StorageError, Transaction};
use crate::hourly::warn_hourly;
use crate::storage::sqlite::large::{self, Batch, IsDecided, Staging};
use crate::storage::sqlite::writer::{Job, Reply, Work};

/// The state of a large transaction.
pub(super) enum Large {
    /// Its changes are being staged.
    Staging(Box<Staged>),
    /// It was decided, and its changes are being moved.
    Moving(Batch),
    /// It was given up, and its staged changes are being deleted.
    Forgetting(Batch),
}

/// A transaction whose changes are being staged.
pub(super) struct Staged {
    organization: OrganizationId,
    number: u64,
    transaction: Transaction,
    reply: Option<Reply>,
    staging: Staging,
}

impl Worker {
    /// Moves large transactions that were decided before this process, or another one, ended.
    pub(super) fn take_up_large(&self) {
        if let Err(error) = self.try_to_take_up_large() {
            // Readers see the staged changes, and the organization's next write moves them.
            tracing::warn!(%error, "a large transaction of an earlier run can't be moved to its place yet");
        }
    }

    /// Deletes changes that were staged but not decided. If another process is staging them at this moment, it notices
    /// that its batch is gone, and makes its transaction in one piece.
    fn try_to_take_up_large(&self) -> Result<(), StorageError> {
        for batch in large::all(&self.connection, IsDecided::No)? {
            while !self.in_transaction(|connection| batch.forget_some(connection))? {}
        }
        for batch in large::all(&self.connection, IsDecided::Yes)? {
            while !self.in_transaction(|connection| batch.move_some(connection))? {}
        }
        Ok(())
    }

    /// Makes a step of the current large transaction, or begins the next one if there is none.
    pub(super) fn step(&mut self) {
        if self.rests().is_some() {
            return;
        }
        self.large = match self.large.take() {
            None => self.begin_large(),
            Some(Large::Staging(mut staged)) => {
                let Staged { transaction, staging, .. } = &mut *staged;
                match self.without_sync(|connection| staging.step(connection, transaction)) {
                    Ok(false) => Some(Large::Staging(staged)),
                    Ok(true) => Some(self.decide(*staged)),
                    Err(error) => {
                        if let Some(reply) = staged.reply {
                            // The caller may have gone.
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
                    // The rest must not be moved inside a group, where other work would fail with it.
                    warn_hourly!("large-moved"; %error, "a large transaction can't be moved to its place yet");
                    self.rest_until = Some(Instant::now() + RETRY_DELAY);
                    Some(Large::Moving(batch))
                }
            },
            Some(Large::Forgetting(batch)) => match self.without_sync(|connection| batch.forget_some(connection)) {
                Ok(is_forgotten) => (!is_forgotten).then_some(Large::Forgetting(batch)),
                Err(error) => {
                    tracing::warn!(%error, "the staged changes of a transaction that was not made stay until the \
                        next start");
                    None
                }
            },
        };
        if self.large.is_none() {
            self.shared.lock().queue.release();
        }
        self.end_flushes();
    }

    /// Takes the next large piece out of the queue. One that can't be staged is made here in one piece.
    fn begin_large(&mut self) -> Option<Large> {
        let (organization, number, job) = {
            let mut state = self.shared.lock();
            let taken = state.queue.take_large()?;
            state.urgent -= usize::from(taken.2.is_awaited());
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
        // An organization that has never written has no number, and hardly ever a large transaction.
        let begun = self.numbers.cached(&organization).and_then(|of| {
            let begun = self.without_sync(|connection| match large::moving(connection, of)? {
                // Another process is moving a large transaction.
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

    /// Commits a transaction that was staged, and returns what to do with its changes.
    fn decide(&mut self, staged: Staged) -> Large {
        let Staged { organization, number, transaction, reply, staging } = staged;
        let batch = staging.batch;
        self.commit(vec![(organization, number, Job { work: Work::Decide(transaction, staging), reply })]);
        self.shared.lock().undecided = None;
        match large::moving(&self.connection, batch.organization) {
            Ok(Some(moving)) if moving.batch == batch => Large::Moving(batch),
            Ok(_) => Large::Forgetting(batch),
            // It may have been decided. A step that moves does nothing to a batch that was not.
            Err(_) => Large::Moving(batch),
        }
    }

    /// Until when the large transaction is paused after a step has failed.
    pub(super) fn rests(&self) -> Option<Instant> {
        self.rest_until.filter(|until| self.large.is_some() && *until > Instant::now())
    }

    /// Makes a step in a transaction that need not be durable at once: the later decision makes it durable with
    /// everything before it.
    fn without_sync<T>(&self, step: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        self.is_lax.set(true);
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        let done = self.in_transaction(step);
        // If this fails, the next commit tries it again before anything else.
        let restored = self.be_strict();
        done.and_then(|done| restored.map(|()| done))
    }

    /// Makes commits wait for the disk again, after steps that do not.
    pub(super) fn be_strict(&self) -> Result<(), StorageError> {
        if self.is_lax.get() {
            self.connection.pragma_update(None, "synchronous", "FULL")?;
            self.is_lax.set(false);
        }
        Ok(())
    }

    fn in_transaction<T>(&self, step: impl FnOnce(&Connection) -> Result<T, StorageError>) -> Result<T, StorageError> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let writing = self.cache.begin();
        let done = step(&self.connection).and_then(|done| {
            // Staged changes are not visible, and moved ones keep their values, so no cached row changes.
            writing.committed(self.end()?, |_| {});
            Ok(done)
        });
        if done.is_err() && !self.connection.is_autocommit() {
            self.connection.prepare_cached("ROLLBACK")?.execute([])?;
        }
        done
    }
}
