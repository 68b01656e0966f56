//! The transaction of one group: the effect of each piece of work, and the handling of pieces that fail.

use rusqlite::{Connection, params};

use super::Worker;
use crate::capability::storage::{OrganizationId, StorageError};
use crate::storage::sqlite::change::OpenRows;
use crate::storage::sqlite::writer::{Job, Work};
use crate::storage::sqlite::{large, numbers, to_integer};

/// The reason why a group is not committed.
pub(super) enum Failure {
    /// The error affects the whole group.
    Group(StorageError),
    /// One job without a savepoint failed when it may have begun to write.
    Halfway(StorageError),
}

impl Failure {
    pub(super) fn into_inner(self) -> StorageError {
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
pub(super) struct Turn<'w> {
    pub(super) worker: &'w Worker,
    /// The last version or claim number that was given out.
    pub(super) version: u64,
    /// Organizations that were first written to in this transaction.
    pub(super) new: Vec<(OrganizationId, i64)>,
    /// Whether each job has a savepoint.
    pub(super) apart: bool,
    /// The number of the organization that was last found not to be deleted, within this transaction.
    pub(super) alive: Option<i64>,
}

impl Turn<'_> {
    /// Does one job. The outer error affects the whole group.
    pub(super) fn run(
        &mut self,
        organization: &OrganizationId,
        job: &Job,
    ) -> Result<Result<u64, StorageError>, Failure> {
        let connection = &self.worker.connection;
        let change = OpenRows { connection, organization: self.number(organization)? };
        match &job.work {
            // This is checked inside the transaction, because another process may have deleted it a moment ago.
            Work::Commit(_) | Work::Decide(..) | Work::Append { .. } if self.alive != Some(change.organization) => {
                if numbers::is_deleted(connection, change.organization)? {
                    return Ok(Err(StorageError::Deleted));
                }
                if let Err(error) = move_all(connection, change.organization) {
                    return Ok(self.refuse(error)?);
                }
                self.alive = Some(change.organization);
            }
            Work::Delete { .. } => self.alive = None,
            _ => {}
        }
        // Reasons to refuse a transaction are found before anything is written.
        let looked = match &job.work {
            Work::Decide(transaction, staging) if staging.holds(connection)? => {
                staging.sums(&change, transaction).map(Some)
            }
            // A transaction to decide is made in one piece if another process has written since it was staged.
            Work::Commit(transaction) | Work::Decide(transaction, _) => {
                change.check(&transaction.conditions).and_then(|()| change.sums(transaction))
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

    /// The error affects only this job, unless SQLite has rolled back the whole transaction because of it, as it does
    /// when the disk is full.
    fn refuse(&self, error: StorageError) -> Result<Result<u64, StorageError>, StorageError> {
        if self.worker.connection.is_autocommit() { Err(error) } else { Ok(Err(error)) }
    }

    /// Does the work. `sums` are those of the transaction, if they were computed before.
    fn work(&mut self, change: &OpenRows<'_>, work: &Work, sums: Option<Vec<Vec<u8>>>) -> Result<u64, StorageError> {
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

    /// The organization's number. If it has none, it gets a new one, outside of the job's savepoint.
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

/// Moves the changes that another process has decided for the organization, so that the following work sees them among
/// the items.
fn move_all(connection: &Connection, organization: i64) -> Result<(), StorageError> {
    if let Some(moving) = large::moving(connection, organization)? {
        while !moving.batch.move_some(connection)? {}
    }
    Ok(())
}
