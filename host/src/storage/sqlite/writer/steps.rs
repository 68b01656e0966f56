//! A transaction that is too large for a group, made in steps (module `large`): one after each group, so that the others
//! commit between them.

use rusqlite::Connection;

use super::worker::Worker;
use super::{Job, Reply, Work};
use crate::capability::storage::{OrganizationId, StorageError, Transaction};
use crate::storage::sqlite::large::{self, Batch, Staging};

/// A large transaction on its way.
pub(super) enum Large {
    /// Its changes are being staged.
    Staging(Box<Staged>),
    /// It was decided, and its changes are being moved.
    Moving(Batch),
    /// It was not made, and its changes are being forgotten.
    Forgetting(Batch),
}

/// A transaction of which changes are staged.
pub(super) struct Staged {
    organization: OrganizationId,
    number: u64,
    transaction: Transaction,
    reply: Option<Reply>,
    staging: Staging,
}

impl Worker {
    /// Moves what was decided before this process, or another one, ended.
    pub(super) fn take_up_large(&self) {
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
    pub(super) fn step(&mut self) {
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
            let begun = self.without_sync(|connection| match large::moving(connection, of)? {
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
        match large::moving(&self.connection, batch.organization) {
            Ok(Some(moving)) if moving.batch == batch => Large::Moving(batch),
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
}
