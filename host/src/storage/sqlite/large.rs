//! Large transactions, made in steps between which others commit.
//!
//! SQLite has one writer at a time, and half a million rows take it seconds. So the changes of a large transaction are
//! first *staged*: written, some thousand at a time, into a table of their own, where nobody sees them. Then the
//! transaction is *decided* by one small commit, which looks once more whether it may take effect, and marks the batch of
//! staged changes as the truth. From this moment on readers of the organization see the staged changes in the place of its
//! items, so that the transaction takes effect as a whole. Last the changes are *moved* to the items, again some thousand at
//! a time, which no reader notices.
//!
//! What is staged counts only if nothing was changed by another process meanwhile (`PRAGMA data_version`); of this process
//! the organization's other writes wait. Otherwise the transaction is made in one piece, as a small one is. After a crash
//! what was not decided is forgotten, and what was decided is moved when the database is opened, or by the next write for
//! the organization, whichever process makes it.

use rusqlite::{Connection, OptionalExtension, params};

use super::change::Change;
use super::{from_integer, to_integer};
use crate::capability::storage::{Key, KeyRange, StorageError, Transaction, Write};
use crate::storage::bounds::MAX_KEY;

/// Rows in one step: some milliseconds' work, for which others wait at the most.
pub(super) const STEP: usize = 2_000;

/// The changes of one transaction that are staged or are being moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) id: i64,
    /// The organization's number.
    pub(super) organization: i64,
}

/// A transaction that is being staged.
#[derive(Debug)]
pub(super) struct Staging {
    pub(super) batch: Batch,
    /// SQLite's number of the database as other connections have left it, when the staging began.
    seen: i64,
    /// Requirements that were checked.
    checked: usize,
    /// Changes that were staged.
    staged: usize,
    /// Where a range goes on that is being deleted.
    from: Option<Key>,
}

/// Whether a transaction can be staged: what it adds to is nothing that it changes otherwise, since sums are made only when
/// it is decided.
pub(super) fn can_be_staged(transaction: &Transaction) -> bool {
    let adds: Vec<&Key> = transaction.write.iter().filter_map(added).collect();
    let is_added = |key: &Key| adds.contains(&key);
    adds.len() <= 64
        && adds.iter().enumerate().all(|(place, key)| !adds.iter().take(place).any(|other| other == key))
        && transaction.write.iter().all(|write| match write {
            Write::Put(key, _) | Write::Delete(key) => !is_added(key),
            Write::DeleteRange(range) => !adds.iter().any(|key| range.start <= **key && **key < range.end),
            Write::Add(_) => true,
        })
}

fn added(write: &Write) -> Option<&Key> {
    match write {
        Write::Add(add) => Some(&add.key),
        Write::Put(..) | Write::Delete(_) | Write::DeleteRange(_) => None,
    }
}

impl Staging {
    /// Begins to stage a transaction of the organization with this number, inside the writer's transaction.
    pub(super) fn begin(connection: &Connection, organization: i64) -> Result<Self, StorageError> {
        connection.prepare_cached("INSERT INTO batch (organization) VALUES (?1)")?.execute([organization])?;
        let batch = Batch { id: connection.last_insert_rowid(), organization };
        Ok(Self { batch, seen: data_version(connection)?, checked: 0, staged: 0, from: None })
    }

    /// Does the next step, inside the writer's transaction; `true` if it was the last one.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if a requirement does not hold; the database's.
    pub(super) fn step(&mut self, connection: &Connection, transaction: &Transaction) -> Result<bool, StorageError> {
        let change = Change { connection, organization: self.batch.organization };
        let unchecked = transaction.require.get(self.checked..).unwrap_or_default();
        if !unchecked.is_empty() {
            let some = unchecked.get(..STEP).unwrap_or(unchecked);
            change.check(some)?;
            self.checked += some.len();
            return Ok(false);
        }
        let mut left = STEP;
        while left > 0 {
            let Some(write) = transaction.write.get(self.staged) else { return Ok(true) };
            let (mut done, mut rows) = (true, 1);
            match write {
                Write::Put(key, value) => self.batch.stage(connection, key, Some(value))?,
                Write::Delete(key) => self.batch.stage(connection, key, None)?,
                Write::DeleteRange(range) => {
                    let from = self.from.take().unwrap_or_else(|| range.start.clone());
                    self.from = self.batch.stage_range(connection, from, range)?;
                    (done, rows) = (self.from.is_none(), STEP);
                }
                // Summed up when the transaction is decided.
                Write::Add(_) => {}
            }
            self.staged += usize::from(done);
            left = left.saturating_sub(rows);
        }
        Ok(false)
    }

    /// Whether what was checked and staged still counts, inside the transaction that decides.
    pub(super) fn holds(&self, connection: &Connection) -> Result<bool, StorageError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM batch WHERE id = ?1 AND version IS NULL)";
        let is_there: bool = connection.prepare_cached(sql)?.query_row([self.batch.id], |row| row.get(0))?;
        Ok(is_there && data_version(connection)? == self.seen)
    }

    /// The sums of the transaction's additions, in their order.
    ///
    /// # Errors
    /// Those of [`BoundedAdd::apply`], and the database's. Nothing has been written.
    ///
    /// [`BoundedAdd::apply`]: crate::capability::storage::BoundedAdd::apply
    pub(super) fn sums(&self, change: &Change<'_>, transaction: &Transaction) -> Result<Vec<Vec<u8>>, StorageError> {
        let adds = transaction.write.iter().filter_map(|write| match write {
            Write::Add(add) => Some(add),
            Write::Put(..) | Write::Delete(_) | Write::DeleteRange(_) => None,
        });
        adds.map(|add| add.apply(change.value(&add.key)?.as_deref())).collect()
    }

    /// Makes the batch the truth, inside the writer's transaction. `sums` are those of [`Staging::sums`].
    pub(super) fn decide(
        &self,
        change: &Change<'_>,
        transaction: &Transaction,
        version: u64,
        sums: &[Vec<u8>],
    ) -> Result<(), StorageError> {
        let adds = transaction.write.iter().filter_map(added);
        for (key, sum) in adds.zip(sums) {
            self.batch.stage(change.connection, key, Some(sum))?;
        }
        let sql = "UPDATE batch SET version = ?2 WHERE id = ?1";
        change.connection.prepare_cached(sql)?.execute(params![self.batch.id, to_integer(version)])?;
        transaction.wake_at.map_or(Ok(()), |at| change.wake(at))
    }
}

impl Batch {
    /// Stages a value for a key, or that the key goes.
    fn stage(self, connection: &Connection, key: &Key, value: Option<&Vec<u8>>) -> Result<(), StorageError> {
        let sql = "INSERT INTO staged (batch, key, value) VALUES (?1, ?2, ?3)
            ON CONFLICT (batch, key) DO UPDATE SET value = excluded.value";
        connection.prepare_cached(sql)?.execute(params![self.id, key, value])?;
        Ok(())
    }

    /// Stages that the items of the range go, up to a step's worth of them; returns where the rest begins.
    fn stage_range(self, connection: &Connection, from: Key, range: &KeyRange) -> Result<Option<Key>, StorageError> {
        let sql =
            "SELECT key FROM item WHERE organization = ?1 AND key >= ?2 AND key < ?3 ORDER BY key LIMIT 1 OFFSET ?4";
        let (organization, step) = (self.organization, to_integer(STEP as u64));
        let rest: Option<Key> = connection
            .prepare_cached(sql)?
            .query_row(params![organization, from, range.end, step], |row| row.get(0))
            .optional()?;
        let end = rest.as_ref().unwrap_or(&range.end);
        let sql = "INSERT INTO staged (batch, key, value) SELECT ?1, key, NULL FROM item
            WHERE organization = ?2 AND key >= ?3 AND key < ?4
            ON CONFLICT (batch, key) DO UPDATE SET value = NULL";
        connection.prepare_cached(sql)?.execute(params![self.id, organization, from, end])?;
        if rest.is_none() {
            // What the same transaction had put there before.
            let sql =
                "UPDATE staged SET value = NULL WHERE batch = ?1 AND key >= ?2 AND key < ?3 AND value IS NOT NULL";
            connection.prepare_cached(sql)?.execute(params![self.id, range.start, range.end])?;
        }
        Ok(rest)
    }

    /// Moves up to a step's worth of changes to the items, inside the writer's transaction; `true` if none is left. Another
    /// process may have moved some of them, or all.
    pub(super) fn move_some(self, connection: &Connection) -> Result<bool, StorageError> {
        let sql = "SELECT version FROM batch WHERE id = ?1 AND version IS NOT NULL";
        let version: Option<i64> = connection.prepare_cached(sql)?.query_row([self.id], |row| row.get(0)).optional()?;
        let Some(version) = version else { return Ok(true) };
        let end = self.end_of_step(connection)?;
        let before = end.as_deref().unwrap_or(&[u8::MAX; MAX_KEY + 1]);
        let sql = "INSERT INTO item (organization, key, value, version)
            SELECT ?1, key, value, ?2 FROM staged WHERE batch = ?3 AND key < ?4 AND value IS NOT NULL ORDER BY key
            ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version";
        connection.prepare_cached(sql)?.execute(params![self.organization, version, self.id, before])?;
        let sql = "DELETE FROM item WHERE organization = ?1 AND key IN
            (SELECT key FROM staged WHERE batch = ?2 AND key < ?3 AND value IS NULL)";
        connection.prepare_cached(sql)?.execute(params![self.organization, self.id, before])?;
        self.remove_before(connection, end)
    }

    /// Forgets up to a step's worth of changes that were not decided, inside the writer's transaction; `true` if none is
    /// left.
    pub(super) fn forget_some(self, connection: &Connection) -> Result<bool, StorageError> {
        let end = self.end_of_step(connection)?;
        self.remove_before(connection, end)
    }

    /// The first key behind a step's worth of changes; `None` if there are not so many.
    fn end_of_step(self, connection: &Connection) -> Result<Option<Key>, StorageError> {
        let sql = "SELECT key FROM staged WHERE batch = ?1 ORDER BY key LIMIT 1 OFFSET ?2";
        let step = to_integer(STEP as u64);
        Ok(connection.prepare_cached(sql)?.query_row(params![self.id, step], |row| row.get(0)).optional()?)
    }

    fn remove_before(self, connection: &Connection, end: Option<Key>) -> Result<bool, StorageError> {
        match end {
            Some(end) => {
                let sql = "DELETE FROM staged WHERE batch = ?1 AND key < ?2";
                connection.prepare_cached(sql)?.execute(params![self.id, end])?;
                Ok(false)
            }
            None => {
                connection.prepare_cached("DELETE FROM staged WHERE batch = ?1")?.execute([self.id])?;
                connection.prepare_cached("DELETE FROM batch WHERE id = ?1")?.execute([self.id])?;
                Ok(true)
            }
        }
    }
}

/// The organization's batch that is the truth and not yet moved, with its version.
pub(super) fn decided(connection: &Connection, organization: i64) -> rusqlite::Result<Option<(Batch, u64)>> {
    let sql = "SELECT id, version FROM batch WHERE organization = ?1 AND version IS NOT NULL";
    connection
        .prepare_cached(sql)?
        .query_row([organization], |row| {
            let batch = Batch { id: row.get(0)?, organization };
            Ok((batch, from_integer(row.get(1)?)))
        })
        .optional()
}

/// Whether a batch of any organization is the truth and not yet moved: none is, nearly always.
pub(super) const IS_ANY_DECIDED: &str = "EXISTS (SELECT 1 FROM batch WHERE version IS NOT NULL)";

/// All batches that are the truth and not yet moved.
pub(super) fn all_decided(connection: &Connection) -> rusqlite::Result<Vec<Batch>> {
    let mut statement = connection.prepare("SELECT id, organization FROM batch WHERE version IS NOT NULL")?;
    let batches = statement.query_map([], |row| Ok(Batch { id: row.get(0)?, organization: row.get(1)? }))?;
    batches.collect()
}

/// Forgets what was staged and not decided when a process ended. Should another process be staging at this moment, it finds
/// that its batch is gone, and makes its transaction in one piece.
pub(super) fn forget_undecided(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "BEGIN IMMEDIATE;
        DELETE FROM batch WHERE version IS NULL;
        DELETE FROM staged WHERE batch NOT IN (SELECT id FROM batch);
        COMMIT;",
    )
}

fn data_version(connection: &Connection) -> Result<i64, StorageError> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}
