//! One piece of work inside the writer's transaction.

use rusqlite::{Connection, OptionalExtension, params};

use super::{from_integer, to_integer};
use crate::capability::storage::{Key, Require, StorageError, Transaction, Write};

/// An organization's rows, open for change inside the writer's transaction and a savepoint.
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

    /// Makes a transaction's changes; its requirements have been checked.
    pub(super) fn apply(&self, transaction: &Transaction, version: u64) -> Result<(), StorageError> {
        for write in &transaction.write {
            match write {
                Write::Put(key, value) => self.put(key, value, version)?,
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
                    let sum = add.apply(self.value(&add.key)?.as_deref())?;
                    self.put(&add.key, &sum, version)?;
                }
            }
        }
        match transaction.wake_at {
            Some(at) => self.wake(at),
            None => Ok(()),
        }
    }

    /// Sets a key's value.
    pub(super) fn put(&self, key: &Key, value: &[u8], version: u64) -> Result<(), StorageError> {
        let sql = "INSERT INTO item (organization, key, value, version) VALUES (?1, ?2, ?3, ?4)
            ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.execute(params![self.organization, key, value, to_integer(version)])?;
        Ok(())
    }

    fn value(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        let sql = "SELECT value FROM item WHERE organization = ?1 AND key = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row(params![self.organization, key], |row| row.get(0)).optional()?)
    }

    /// Makes the organization due at this time, unless it is due earlier.
    fn wake(&self, at: u64) -> Result<(), StorageError> {
        let sql = "INSERT INTO due (organization, at) VALUES (?1, ?2)
            ON CONFLICT (organization) DO UPDATE SET at = excluded.at WHERE excluded.at < at";
        self.connection.prepare_cached(sql)?.execute(params![self.organization, to_integer(at)])?;
        Ok(())
    }

    /// Replaces the due time if it is still the one seen.
    pub(super) fn reschedule(&self, seen: u64, next: Option<u64>) -> Result<(), StorageError> {
        let seen = to_integer(seen);
        match next {
            Some(at) => self
                .connection
                .prepare_cached("UPDATE due SET at = ?3 WHERE organization = ?1 AND at = ?2")?
                .execute(params![self.organization, seen, to_integer(at)])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM due WHERE organization = ?1 AND at = ?2")?
                .execute(params![self.organization, seen])?,
        };
        Ok(())
    }

    /// Marks the organization as deleted for good, and removes the due time and up to this many items; returns how many
    /// of those it has removed.
    pub(super) fn delete(&self, rows: usize) -> Result<u64, StorageError> {
        let sql = "UPDATE organization SET deleted = TRUE WHERE id = ?1 AND NOT deleted";
        self.connection.prepare_cached(sql)?.execute([self.organization])?;
        let sql = "DELETE FROM due WHERE organization = ?1";
        self.connection.prepare_cached(sql)?.execute([self.organization])?;
        let sql = "DELETE FROM item WHERE organization = ?1
            AND key IN (SELECT key FROM item WHERE organization = ?1 LIMIT ?2)";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.execute(params![self.organization, to_integer(rows as u64)])? as u64)
    }
}
