//! The changes of one work item inside the writer's transaction.

use rusqlite::types::FromSql;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::place::{self, Place, Segment, Statements};
use super::{from_integer, to_integer};
use crate::capability::schedule::{Claim, Schedule};
use crate::capability::storage::{Change, Condition, Key, KeyRange, KeyValue, StorageError, Transaction};

/// From this number of changes on they are sorted.
const MANY: usize = 256;

/// Sorts changes so that neighbouring keys follow each other, which SQLite writes in a fraction of the time: it need
/// not search the tree for each. Changes of one key keep their order; range deletions and additions stay where they
/// are.
pub(super) fn bring_together(writes: &mut [Change]) {
    fn key(write: &Change) -> Option<&Key> {
        match write {
            Change::Put(KeyValue { key, .. }) | Change::Delete(key) => Some(key),
            Change::DeleteRange(_) | Change::Add(_) => None,
        }
    }
    if writes.len() >= MANY {
        for run in writes.chunk_by_mut(|one, next| key(one).is_some() && key(next).is_some()) {
            run.sort_by_cached_key(|write| key(write).map(order));
        }
    }
}

/// The order of keys in the file.
fn order(key: &Key) -> (i64, Vec<u8>, i64) {
    let Place { group, key } = place::of(key);
    let (number, kind) = place::numbers_of(group);
    (number, key.to_vec(), kind)
}

/// Up to this number of writes, the sums of a transaction are computed before its first write. A larger transaction
/// gets a savepoint, whose cost is then comparatively low.
const FORESEEN: usize = 64;

/// Each statement on one key: for the table of keys in order, and for the table of groups.
const PUT: Statements = Statements {
    alone: "INSERT INTO alone (organization, key, value, version) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version",
    grouped: "INSERT INTO grouped (organization, key, value, version, number, kind) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (organization, number, key, kind) DO UPDATE SET value = excluded.value, version = excluded.version",
};
const DELETE: Statements = Statements {
    alone: "DELETE FROM alone WHERE organization = ?1 AND key = ?2",
    grouped: "DELETE FROM grouped WHERE organization = ?1 AND key = ?2 AND number = ?3 AND kind = ?4",
};
const VERSION: Statements = Statements {
    alone: "SELECT version FROM alone WHERE organization = ?1 AND key = ?2",
    grouped: "SELECT version FROM grouped WHERE organization = ?1 AND key = ?2 AND number = ?3 AND kind = ?4",
};
const VALUE: Statements = Statements {
    alone: "SELECT value FROM alone WHERE organization = ?1 AND key = ?2",
    grouped: "SELECT value FROM grouped WHERE organization = ?1 AND key = ?2 AND number = ?3 AND kind = ?4",
};
const DELETE_RANGE: Statements = Statements {
    alone: "DELETE FROM alone WHERE organization = ?1 AND key >= ?2 AND key < ?3",
    grouped: "DELETE FROM grouped WHERE organization = ?1 AND key >= ?2 AND key < ?3 AND number = ?4 AND kind = ?5",
};
const DELETE_SOME: Statements = Statements {
    alone: "DELETE FROM alone WHERE organization = ?1 AND key IN (SELECT key FROM alone WHERE organization = ?1 LIMIT ?2)",
    grouped: "DELETE FROM grouped WHERE organization = ?1 AND (number, key, kind) IN
        (SELECT number, key, kind FROM grouped WHERE organization = ?1 LIMIT ?2)",
};

const DELETE_STAGED: &str = "DELETE FROM staged WHERE (batch, number, key, kind) IN
    (SELECT staged.batch, staged.number, staged.key, staged.kind FROM batch JOIN staged ON staged.batch = batch.id
        WHERE batch.organization = ?1 LIMIT ?2)";

/// An organization's rows, open for change inside the writer's transaction.
pub(super) struct OpenRows<'c> {
    pub(super) connection: &'c Connection,
    /// The organization's number.
    pub(super) organization: i64,
}

impl OpenRows<'_> {
    /// Whether all requirements hold.
    pub(super) fn check(&self, requirements: &[Condition]) -> Result<(), StorageError> {
        if requirements.is_empty() {
            return Ok(());
        }
        for require in requirements {
            let key = require.key();
            let version: Option<i64> = self.look_up(VERSION, key)?;
            if !require.holds(version.map(from_integer)) {
                return Err(StorageError::Conflict(key.clone()));
            }
        }
        Ok(())
    }

    /// The results of the transaction's additions, in their order. `None` if they are only known while it is applied:
    /// an addition follows another write of its key, or the transaction is large.
    ///
    /// # Errors
    /// Those of [`BoundedAdd::apply`], and the database's. Nothing has been written.
    ///
    /// [`BoundedAdd::apply`]: crate::capability::storage::BoundedAdd::apply
    pub(super) fn sums(&self, transaction: &Transaction) -> Result<Option<Vec<Vec<u8>>>, StorageError> {
        let mut sums = Vec::new();
        for (place, write) in transaction.changes.iter().enumerate() {
            let Change::Add(add) = write else { continue };
            let mut before = transaction.changes.iter().take(place);
            if place >= FORESEEN || before.any(|before| changes(before, &add.key)) {
                return Ok(None);
            }
            sums.push(add.apply(self.value(&add.key)?.as_deref())?);
        }
        Ok(Some(sums))
    }

    /// Applies a transaction's changes; its requirements were checked before. `sums` are those of [`OpenRows::sums`],
    /// if they were computed.
    pub(super) fn apply(
        &self,
        transaction: &Transaction,
        version: u64,
        sums: Option<Vec<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let mut sums = sums.into_iter().flatten();
        let mut puts = Puts::new(self.connection)?;
        let version = to_integer(version);
        for write in &transaction.changes {
            match write {
                Change::Put(KeyValue { key, value }) => puts.put(self.organization, key, value, version)?,
                Change::Delete(key) => self.delete_key(key)?,
                Change::DeleteRange(range) => self.delete_range(range)?,
                Change::Add(add) => {
                    let sum = match sums.next() {
                        Some(sum) => sum,
                        None => add.apply(self.value(&add.key)?.as_deref())?,
                    };
                    puts.put(self.organization, &add.key, &sum, version)?;
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
        let mut puts = Puts::new(self.connection)?;
        for (key, value) in entries {
            puts.put(self.organization, key, value, to_integer(version))?;
        }
        Ok(())
    }

    /// Deletes a key, if it exists.
    pub(super) fn delete_key(&self, key: &Key) -> Result<(), StorageError> {
        let Place { group, key } = place::of(key);
        match group {
            None => self.connection.prepare_cached(DELETE.alone)?.execute(params![self.organization, key])?,
            Some(group) => {
                let row = params![self.organization, key, group.number, group.kind];
                self.connection.prepare_cached(DELETE.grouped)?.execute(row)?
            }
        };
        Ok(())
    }

    fn delete_range(&self, range: &KeyRange) -> Result<(), StorageError> {
        for Segment { group, start, end } in place::segments(range) {
            match group {
                None => {
                    let row = params![self.organization, start, end];
                    self.connection.prepare_cached(DELETE_RANGE.alone)?.execute(row)?
                }
                Some(group) => {
                    let row = params![self.organization, start, end, group.number, group.kind];
                    self.connection.prepare_cached(DELETE_RANGE.grouped)?.execute(row)?
                }
            };
        }
        Ok(())
    }

    /// The value of the key.
    pub(super) fn value(&self, key: &Key) -> Result<Option<Vec<u8>>, StorageError> {
        self.look_up(VALUE, key)
    }

    /// The value of a column in the key's row.
    fn look_up<T: FromSql>(&self, statements: Statements, key: &Key) -> Result<Option<T>, StorageError> {
        let Place { group, key } = place::of(key);
        let read = |row: &Row<'_>| row.get(0);
        let found = match group {
            None => self.connection.prepare_cached(statements.alone)?.query_row(params![self.organization, key], read),
            Some(group) => {
                let row = params![self.organization, key, group.number, group.kind];
                self.connection.prepare_cached(statements.grouped)?.query_row(row, read)
            }
        };
        Ok(found.optional()?)
    }

    /// Makes the organization's jobs due at this time, unless they are due earlier.
    pub(super) fn wake(&self, at: u64) -> Result<(), StorageError> {
        let sql = "INSERT INTO schedule (organization, wake_at) VALUES (?1, ?2)
            ON CONFLICT (organization) DO UPDATE SET wake_at = excluded.wake_at
            WHERE wake_at IS NULL OR excluded.wake_at < wake_at";
        self.connection.prepare_cached(sql)?.execute(params![self.organization, to_integer(at)])?;
        Ok(())
    }

    /// Changes the organization's schedule. If it has none, nothing happens and the default is returned.
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

    /// Marks the organization as deleted for good, and removes its schedule and up to this many items; returns how many
    /// items were removed.
    pub(super) fn delete(&self, rows: usize) -> Result<u64, StorageError> {
        let sql = "UPDATE organization SET deleted = TRUE WHERE id = ?1 AND NOT deleted";
        self.connection.prepare_cached(sql)?.execute([self.organization])?;
        let sql = "DELETE FROM schedule WHERE organization = ?1";
        self.connection.prepare_cached(sql)?.execute([self.organization])?;
        // The remaining changes of a large transaction are dropped.
        self.connection
            .prepare_cached("UPDATE batch SET version = NULL WHERE organization = ?1")?
            .execute([self.organization])?;
        let mut removed = self
            .connection
            .prepare_cached(DELETE_STAGED)?
            .execute(params![self.organization, to_integer(rows as u64)])?;
        if removed == 0 {
            self.connection
                .prepare_cached("DELETE FROM batch WHERE organization = ?1")?
                .execute([self.organization])?;
        }
        for sql in [DELETE_SOME.alone, DELETE_SOME.grouped] {
            let left = to_integer(rows.saturating_sub(removed) as u64);
            removed += self.connection.prepare_cached(sql)?.execute(params![self.organization, left])?;
        }
        Ok(removed as u64)
    }
}

/// The statements that put a key into either table.
pub(super) struct Puts<'c> {
    alone: CachedStatement<'c>,
    grouped: CachedStatement<'c>,
}

impl<'c> Puts<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self { alone: connection.prepare_cached(PUT.alone)?, grouped: connection.prepare_cached(PUT.grouped)? })
    }

    /// Puts a key of the organization with this number.
    pub(super) fn put(&mut self, organization: i64, key: &Key, value: &[u8], version: i64) -> rusqlite::Result<()> {
        let Place { group, key } = place::of(key);
        match group {
            None => self.alone.execute(params![organization, key, value, version])?,
            Some(group) => {
                self.grouped.execute(params![organization, key, value, version, group.number, group.kind])?
            }
        };
        Ok(())
    }
}

/// Whether the write changes the value of this key.
fn changes(write: &Change, key: &Key) -> bool {
    match write {
        Change::Put(KeyValue { key: other, .. }) | Change::Delete(other) => other == key,
        Change::Add(add) => add.key == *key,
        Change::DeleteRange(range) => range.start <= *key && *key < range.end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::storage::BoundedAdd;

    #[test]
    fn changes_of_one_key_keep_their_order_and_none_passes_a_range_or_an_addition() {
        let put = |key: u8, value: u8| Change::put(vec![key], vec![value]);
        let range = Change::DeleteRange(KeyRange { start: vec![0], end: vec![9] });
        let add = Change::Add(BoundedAdd { key: vec![1], delta: 1, min: None, max: None });
        let first = [put(3, 1), put(1, 1), Change::Delete(vec![3]), put(1, 2)];
        let second = [put(2, 1), put(1, 3)];
        let mut writes: Vec<Change> =
            first.into_iter().chain([range.clone()]).chain(second).chain([add.clone()]).collect();
        writes.extend((0..MANY).map(|_| put(9, 9)));
        bring_together(&mut writes);
        let expected = [put(1, 1), put(1, 2), put(3, 1), Change::Delete(vec![3]), range, put(1, 3), put(2, 1), add];
        assert_eq!(writes[..8], expected);
    }
}
