//! One piece of work inside the writer's transaction.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{from_integer, to_integer};
use crate::capability::schedule::{Claim, Schedule};
use crate::capability::storage::{Key, Require, StorageError, Transaction, Write};

/// Writes up to which the sums of a transaction are looked up before its first write: beyond it a savepoint costs little
/// in comparison.
const FORESEEN: usize = 64;

const PUT: &str = "INSERT INTO item (organization, key, value, version) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version";

/// An organization's rows, open for change inside the writer's transaction.
pub(super) struct Change<'c> {
    pub(super) connection: &'c Connection,
    /// The organization's number.
    pub(super) organization: i64,
}

impl Change<'_> {
    /// Whether all requirements hold.
    pub(super) fn check(&self, requirements: &[Require]) -> Result<(), StorageError> {
        if requirements.is_empty() {
            return Ok(());
        }
        let sql = "SELECT version FROM item WHERE organization = ?1 AND key = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        for require in requirements {
            let key = require.key();
            let version = statement.query_row(params![self.organization, key], |row| row.get(0)).optional()?;
            if !require.holds(version.map(from_integer)) {
                return Err(StorageError::Conflict(key.clone()));
            }
        }
        Ok(())
    }

    /// The sums that the transaction's additions come to, in their order; `None` if that shows only while it is made,
    /// since an addition follows another write of its key, or the transaction is large.
    ///
    /// # Errors
    /// Those of [`BoundedAdd::apply`], and the database's. Nothing has been written.
    ///
    /// [`BoundedAdd::apply`]: crate::capability::storage::BoundedAdd::apply
    pub(super) fn sums(&self, transaction: &Transaction) -> Result<Option<Vec<Vec<u8>>>, StorageError> {
        let mut sums = Vec::new();
        for (place, write) in transaction.write.iter().enumerate() {
            let Write::Add(add) = write else { continue };
            let mut before = transaction.write.iter().take(place);
            if place >= FORESEEN || before.any(|before| changes(before, &add.key)) {
                return Ok(None);
            }
            sums.push(add.apply(self.value(&add.key)?.as_deref())?);
        }
        Ok(Some(sums))
    }

    /// Makes a transaction's changes; its requirements have been checked. `sums` are those of [`Change::sums`], if they
    /// were looked up.
    pub(super) fn apply(
        &self,
        transaction: &Transaction,
        version: u64,
        sums: Option<Vec<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let mut sums = sums.into_iter().flatten();
        let mut put = self.connection.prepare_cached(PUT)?;
        let version = to_integer(version);
        for write in &transaction.write {
            match write {
                Write::Put(key, value) => {
                    put.execute(params![self.organization, key, value, version])?;
                }
                Write::Delete(key) => {
                    let sql = "DELETE FROM item WHERE organization = ?1 AND key = ?2";
                    self.connection.prepare_cached(sql)?.execute(params![self.organization, key])?;
                }
                Write::DeleteRange(range) => {
                    let sql = "DELETE FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3";
                    let mut statement = self.connection.prepare_cached(sql)?;
                    statement.execute(params![self.organization, range.start, range.end])?;
                }
                Write::Add(add) => {
                    let sum = match sums.next() {
                        Some(sum) => sum,
                        None => add.apply(self.value(&add.key)?.as_deref())?,
                    };
                    put.execute(params![self.organization, add.key, sum, version])?;
                }
            }
        }
        match transaction.wake_at {
            Some(at) => self.wake(at),
            None => Ok(()),
        }
    }

    /// Puts entries.
    pub(super) fn append(&self, entries: &[(Key, Vec<u8>)], version: u64) -> Result<(), StorageError> {
        let mut put = self.connection.prepare_cached(PUT)?;
        for (key, value) in entries {
            put.execute(params![self.organization, key, value, to_integer(version)])?;
        }
        Ok(())
    }

    fn value(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        let sql = "SELECT value FROM item WHERE organization = ?1 AND key = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![self.organization, key], |row| row.get(0)).optional()?)
    }

    /// Makes the organization due at this time, unless it is due earlier.
    fn wake(&self, at: u64) -> Result<(), StorageError> {
        let sql = "INSERT INTO schedule (organization, wake_at) VALUES (?1, ?2)
            ON CONFLICT (organization) DO UPDATE SET wake_at = excluded.wake_at
            WHERE wake_at IS NULL OR excluded.wake_at < wake_at";
        self.connection.prepare_cached(sql)?.execute(params![self.organization, to_integer(at)])?;
        Ok(())
    }

    /// Changes the organization's schedule; nothing happens, and the answer is the default, if it has none.
    pub(super) fn reschedule<T: Default>(&self, change: impl FnOnce(&mut Schedule) -> T) -> Result<T, StorageError> {
        let Some(before) = self.schedule()? else { return Ok(T::default()) };
        let mut schedule = before;
        let answer = change(&mut schedule);
        if schedule != before {
            let sql = "UPDATE schedule SET wake_at = ?2, claim = ?3, claimed_until = ?4 WHERE organization = ?1";
            let Schedule { wake_at, claim } = schedule;
            let (number, until) = (claim.map(|claim| claim.number), claim.map(|claim| claim.until));
            self.connection.prepare_cached(sql)?.execute(params![
                self.organization,
                wake_at.map(to_integer),
                number.map(to_integer),
                until.map(to_integer),
            ])?;
        }
        Ok(answer)
    }

    fn schedule(&self) -> Result<Option<Schedule>, StorageError> {
        let sql = "SELECT wake_at, claim, claimed_until FROM schedule WHERE organization = ?1";
        let read = |row: &Row<'_>| {
            let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(from_integer));
            let claim = time(1)?.zip(time(2)?).map(|(number, until)| Claim { number, until });
            Ok(Schedule { wake_at: time(0)?, claim })
        };
        Ok(self.connection.prepare_cached(sql)?.query_row([self.organization], read).optional()?)
    }

    /// Marks the organization as deleted for good, and removes the schedule and up to this many items; returns how many
    /// of those it has removed.
    pub(super) fn delete(&self, rows: usize) -> Result<u64, StorageError> {
        let sql = "UPDATE organization SET deleted = TRUE WHERE id = ?1 AND NOT deleted";
        self.connection.prepare_cached(sql)?.execute([self.organization])?;
        let sql = "DELETE FROM schedule WHERE organization = ?1";
        self.connection.prepare_cached(sql)?.execute([self.organization])?;
        let sql = "DELETE FROM item WHERE organization = ?1
            AND key IN (SELECT key FROM item WHERE organization = ?1 LIMIT ?2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.execute(params![self.organization, to_integer(rows as u64)])? as u64)
    }
}

/// Whether the write changes what is at this key.
fn changes(write: &Write, key: &Key) -> bool {
    match write {
        Write::Put(other, _) | Write::Delete(other) => other == key,
        Write::Add(add) => add.key == *key,
        Write::DeleteRange(range) => range.start <= *key && *key < range.end,
    }
}
