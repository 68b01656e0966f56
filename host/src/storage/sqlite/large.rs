//! Large transactions: they are made in steps, and others commit between the steps.
//!
//! SQLite has one writer at a time, and half a million rows take it seconds. The changes of a large transaction are
//! therefore first *staged*: written, some thousand at a time, into a table of their own, where no reader sees them.
//! Then one small commit *decides* the transaction: it checks once more that the transaction may take effect, and marks
//! the batch of staged changes as valid. From this moment on, readers of the organization see the staged changes
//! instead of the old rows (module `place`), so the transaction takes effect as a whole. Finally the changes are
//! *moved* to their places, again some thousand at a time, which no reader notices.
//!
//! Staged changes are only used if no other process has changed the database meanwhile (`PRAGMA data_version`); in this
//! process, the organization's other writes wait. Otherwise the transaction is made in one piece like a small one. So
//! if two servers share a file, a large transaction may delay the writes of others. After a crash, staged changes that
//! were not decided are dropped. Those that were decided are moved when the database is opened, or by the
//! organization's next write, from whichever process.

use rusqlite::{Connection, OptionalExtension, params};

use super::change::OpenRows;
use super::place::{self, Place, Segment, beginning_of, numbers_of};
use super::{from_integer, to_integer};
use crate::capability::storage::{Change, Key, KeyRange, KeyValue, StorageError, Transaction};

/// Rows in one step. A step takes some milliseconds, and others wait no longer than that.
pub(super) const STEP: usize = 2_000;

/// The staged changes of one transaction, which may be in the process of being moved.
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
    /// SQLite's `data_version` when the staging began: it changes with each commit of another connection.
    seen: i64,
    /// How many requirements were checked.
    checked: usize,
    /// How many changes were staged.
    staged: usize,
    /// The key at which the deletion of a range continues.
    from: Option<Key>,
}

/// Whether a transaction can be staged. No key of an addition may be changed otherwise, since sums are only computed
/// when the transaction is decided.
pub(super) fn can_be_staged(transaction: &Transaction) -> bool {
    let adds: Vec<&Key> = transaction.changes.iter().filter_map(added).collect();
    let is_added = |key: &Key| adds.contains(&key);
    adds.len() <= 64
        && adds.iter().enumerate().all(|(place, key)| !adds.iter().take(place).any(|other| other == key))
        && transaction.changes.iter().all(|write| match write {
            Change::Put(KeyValue { key, .. }) | Change::Delete(key) => !is_added(key),
            Change::DeleteRange(range) => !adds.iter().any(|key| range.start <= **key && **key < range.end),
            Change::Add(_) => true,
        })
}

fn added(write: &Change) -> Option<&Key> {
    match write {
        Change::Add(add) => Some(&add.key),
        Change::Put(_) | Change::Delete(_) | Change::DeleteRange(_) => None,
    }
}

impl Staging {
    /// Begins to stage a transaction of the organization with this number, inside the writer's transaction.
    pub(super) fn begin(connection: &Connection, organization: i64) -> Result<Self, StorageError> {
        connection.prepare_cached("INSERT INTO batch (organization) VALUES (?1)")?.execute([organization])?;
        let batch = Batch { id: connection.last_insert_rowid(), organization };
        Ok(Self { batch, seen: data_version(connection)?, checked: 0, staged: 0, from: None })
    }

    /// Makes the next step, inside the writer's transaction; `true` if it was the last one.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if a requirement is not met; the database's.
    pub(super) fn step(&mut self, connection: &Connection, transaction: &Transaction) -> Result<bool, StorageError> {
        let change = OpenRows { connection, organization: self.batch.organization };
        let unchecked = transaction.conditions.get(self.checked..).unwrap_or_default();
        if !unchecked.is_empty() {
            let some = unchecked.get(..STEP).unwrap_or(unchecked);
            change.check(some)?;
            self.checked += some.len();
            return Ok(false);
        }
        if !self.holds(connection)? {
            // Another process has written, so the transaction will be made in one piece.
            return Ok(true);
        }
        let mut left = STEP;
        while left > 0 {
            let Some(write) = transaction.changes.get(self.staged) else { return Ok(true) };
            let (mut done, mut rows) = (true, 1);
            match write {
                Change::Put(KeyValue { key, value }) => self.batch.stage(connection, key, Some(value))?,
                Change::Delete(key) => self.batch.stage(connection, key, None)?,
                Change::DeleteRange(range) => {
                    let from = self.from.take().unwrap_or_else(|| range.start.clone());
                    (self.from, rows) = self.batch.stage_range(connection, from, range)?;
                    done = self.from.is_none();
                }
                // The sum is computed when the transaction is decided.
                Change::Add(_) => {}
            }
            self.staged += usize::from(done);
            left = left.saturating_sub(rows);
        }
        Ok(false)
    }

    /// Whether the checks and the staged changes are still valid, asked inside the transaction that decides.
    pub(super) fn holds(&self, connection: &Connection) -> Result<bool, StorageError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM batch WHERE id = ?1 AND version IS NULL)";
        let is_there: bool = connection.prepare_cached(sql)?.query_row([self.batch.id], |row| row.get(0))?;
        Ok(is_there && data_version(connection)? == self.seen)
    }

    /// The results of the transaction's additions, in their order.
    ///
    /// # Errors
    /// Those of [`BoundedAdd::apply`], and the database's. Nothing has been written.
    ///
    /// [`BoundedAdd::apply`]: crate::capability::storage::BoundedAdd::apply
    pub(super) fn sums(&self, change: &OpenRows<'_>, transaction: &Transaction) -> Result<Vec<Vec<u8>>, StorageError> {
        let adds = transaction.changes.iter().filter_map(|write| match write {
            Change::Add(add) => Some(add),
            Change::Put(_) | Change::Delete(_) | Change::DeleteRange(_) => None,
        });
        adds.map(|add| Ok(add.apply(change.value(&add.key)?.as_deref())?)).collect()
    }

    /// Makes the batch valid, inside the writer's transaction. `sums` are those of [`Staging::sums`].
    pub(super) fn decide(
        &self,
        change: &OpenRows<'_>,
        transaction: &Transaction,
        version: u64,
        sums: &[Vec<u8>],
    ) -> Result<(), StorageError> {
        let adds = transaction.changes.iter().filter_map(added);
        for (key, sum) in adds.zip(sums) {
            self.batch.stage(change.connection, key, Some(sum))?;
        }
        let sql = "UPDATE batch SET version = ?2 WHERE id = ?1";
        change.connection.prepare_cached(sql)?.execute(params![self.batch.id, to_integer(version)])?;
        transaction.wake_at.map_or(Ok(()), |at| change.wake(at))
    }
}

/// The position of a change in its batch.
#[derive(Debug)]
struct Row {
    number: i64,
    key: Vec<u8>,
    kind: i64,
}

impl Batch {
    /// Stages a value for a key, or the deletion of the key.
    fn stage(self, connection: &Connection, key: &Key, value: Option<&Vec<u8>>) -> Result<(), StorageError> {
        let Place { group, key } = place::of(key);
        let (number, kind) = numbers_of(group);
        let sql = "INSERT INTO staged (batch, number, key, kind, value) VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (batch, number, key, kind) DO UPDATE SET value = excluded.value";
        connection.prepare_cached(sql)?.execute(params![self.id, number, key, kind, value])?;
        Ok(())
    }

    /// Stages the deletion of the keys from this one to the end of the range, at most one step's worth of them; returns
    /// where the rest begins, and how many rows were written.
    fn stage_range(
        self,
        connection: &Connection,
        from: Key,
        range: &KeyRange,
    ) -> Result<(Option<Key>, usize), StorageError> {
        let left = KeyRange { start: from, end: range.end.clone() };
        let mut segments = place::segments(&left).into_iter();
        let mut rows = 1;
        let mut rest = None;
        if let Some(segment) = segments.next() {
            let (within, staged) = self.stage_segment(connection, segment)?;
            rows += staged;
            rest = within.or_else(|| segments.next().map(|next| [beginning_of(next.group), next.start].concat()));
        }
        if rest.is_none() {
            // Keys that the same transaction has staged before in this range are deleted too.
            for Segment { group, start, end } in place::segments(range) {
                let (number, kind) = numbers_of(group);
                let sql = "UPDATE staged SET value = NULL
                    WHERE batch = ?1 AND number = ?2 AND key >= ?3 AND key < ?4 AND kind = ?5 AND value IS NOT NULL";
                rows += connection.prepare_cached(sql)?.execute(params![self.id, number, start, end, kind])?;
            }
        }
        Ok((rest, rows))
    }

    /// Like [`Batch::stage_range`], for one segment.
    fn stage_segment(
        self,
        connection: &Connection,
        segment: Segment<'_>,
    ) -> Result<(Option<Key>, usize), StorageError> {
        let Segment { group, start, end } = segment;
        let (step, (number, kind)) = (to_integer(STEP as u64), numbers_of(group));
        let values = params![self.organization, start, end, number, kind, step];
        let read = |row: &rusqlite::Row<'_>| row.get(0);
        let sql = match group {
            None => {
                "SELECT key FROM alone WHERE organization = ?1 AND key >= ?2 AND key < ?3
                ORDER BY key LIMIT 1 OFFSET ?6"
            }
            Some(_) => {
                "SELECT key FROM grouped WHERE organization = ?1 AND key >= ?2 AND key < ?3 AND number = ?4 AND kind = ?5
                ORDER BY key LIMIT 1 OFFSET ?6"
            }
        };
        let rest: Option<Key> = connection.prepare_cached(sql)?.query_row(values, read).optional()?;
        let before = rest.as_deref().unwrap_or(end);
        let sql = match group {
            None => {
                "INSERT INTO staged (batch, number, key, kind, value) SELECT ?1, ?5, key, ?6, NULL FROM alone
                WHERE organization = ?2 AND key >= ?3 AND key < ?4
                ON CONFLICT (batch, number, key, kind) DO UPDATE SET value = NULL"
            }
            Some(_) => {
                "INSERT INTO staged (batch, number, key, kind, value) SELECT ?1, ?5, key, ?6, NULL FROM grouped
                WHERE organization = ?2 AND key >= ?3 AND key < ?4 AND number = ?5 AND kind = ?6
                ON CONFLICT (batch, number, key, kind) DO UPDATE SET value = NULL"
            }
        };
        let values = params![self.id, self.organization, start, before, number, kind];
        let staged = connection.prepare_cached(sql)?.execute(values)?;
        Ok((rest.map(|key| [beginning_of(group), &key].concat()), staged))
    }

    /// Moves up to a step's worth of changes to their places, inside the writer's transaction; `true` if none is left.
    /// Another process may have moved some of them, or all.
    pub(super) fn move_some(self, connection: &Connection) -> Result<bool, StorageError> {
        let sql = "SELECT version FROM batch WHERE id = ?1 AND version IS NOT NULL";
        let version: Option<i64> = connection.prepare_cached(sql)?.query_row([self.id], |row| row.get(0)).optional()?;
        let Some(version) = version else { return Ok(true) };
        let end = self.end_of_step(connection)?;
        let Row { number, key, kind } = &end.as_ref().unwrap_or(&LAST);
        for sql in MOVES {
            let values = params![self.organization, version, self.id, number, key, kind];
            connection.prepare_cached(sql)?.execute(values)?;
        }
        self.remove_before(connection, end)
    }

    /// Deletes up to a step's worth of undecided changes, inside the writer's transaction; `true` if none is left. A
    /// batch that was decided is valid, and stays.
    pub(super) fn forget_some(self, connection: &Connection) -> Result<bool, StorageError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM batch WHERE id = ?1 AND version IS NOT NULL)";
        if connection.prepare_cached(sql)?.query_row([self.id], |row| row.get(0))? {
            return Ok(true);
        }
        let end = self.end_of_step(connection)?;
        self.remove_before(connection, end)
    }

    /// The first change after one step's worth of changes; `None` if there are fewer.
    fn end_of_step(self, connection: &Connection) -> Result<Option<Row>, StorageError> {
        let sql = "SELECT number, key, kind FROM staged WHERE batch = ?1 ORDER BY number, key, kind LIMIT 1 OFFSET ?2";
        let read = |row: &rusqlite::Row<'_>| Ok(Row { number: row.get(0)?, key: row.get(1)?, kind: row.get(2)? });
        let step = to_integer(STEP as u64);
        Ok(connection.prepare_cached(sql)?.query_row(params![self.id, step], read).optional()?)
    }

    fn remove_before(self, connection: &Connection, end: Option<Row>) -> Result<bool, StorageError> {
        match end {
            Some(Row { number, key, kind }) => {
                let sql = "DELETE FROM staged WHERE batch = ?1 AND (number, key, kind) < (?2, ?3, ?4)";
                connection.prepare_cached(sql)?.execute(params![self.id, number, key, kind])?;
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

/// A position after every change that can be staged.
static LAST: Row = Row { number: i64::MAX, key: Vec::new(), kind: i64::MAX };

/// The statements that move the changes before a position, into the table of keys in order and into that of groups. The
/// plus signs stop SQLite from searching by the number alone, with which it would read all remaining changes in each
/// step.
const MOVES: [&str; 4] = [
    "INSERT INTO alone (organization, key, value, version)
    SELECT ?1, key, value, ?2 FROM staged
        WHERE batch = ?3 AND (number, key, kind) < (?4, ?5, ?6) AND +number = 0 AND value IS NOT NULL
        ORDER BY number, key, kind
    ON CONFLICT (organization, key) DO UPDATE SET value = excluded.value, version = excluded.version",
    "INSERT INTO grouped (organization, number, key, kind, value, version)
    SELECT ?1, number, key, kind, value, ?2 FROM staged
        WHERE batch = ?3 AND (number, key, kind) < (?4, ?5, ?6) AND +number > 0 AND value IS NOT NULL
        ORDER BY number, key, kind
    ON CONFLICT (organization, number, key, kind) DO UPDATE SET value = excluded.value, version = excluded.version",
    "DELETE FROM alone WHERE organization = ?1 AND key IN (SELECT key FROM staged
        WHERE batch = ?3 AND (number, key, kind) < (?4, ?5, ?6) AND +number = 0 AND value IS NULL)",
    "DELETE FROM grouped WHERE organization = ?1 AND (number, key, kind) IN (SELECT number, key, kind FROM staged
        WHERE batch = ?3 AND (number, key, kind) < (?4, ?5, ?6) AND +number > 0 AND value IS NULL)",
];

/// A large transaction that took effect, but whose changes are not all moved yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moving {
    pub(super) batch: Batch,
    /// The version of its changes.
    pub(super) version: u64,
}

impl Moving {
    /// The transaction's effect on a key: a value or a deletion; `None` if it does not change the key.
    pub(super) fn value(self, connection: &Connection, key: &Key) -> rusqlite::Result<Option<Option<Vec<u8>>>> {
        let Place { group, key } = place::of(key);
        let (number, kind) = numbers_of(group);
        connection
            .prepare_cached("SELECT value FROM staged WHERE batch = ?1 AND number = ?2 AND key = ?3 AND kind = ?4")?
            .query_row(params![self.batch.id, number, key, kind], |row| row.get(0))
            .optional()
    }
}

/// The organization's transaction whose changes are not all moved yet.
pub(super) fn moving(connection: &Connection, organization: i64) -> rusqlite::Result<Option<Moving>> {
    let sql = "SELECT id, version FROM batch WHERE organization = ?1 AND version IS NOT NULL";
    connection
        .prepare_cached(sql)?
        .query_row([organization], |row| {
            let batch = Batch { id: row.get(0)?, organization };
            Ok(Moving { batch, version: from_integer(row.get(1)?) })
        })
        .optional()
}

/// Whether a batch of any organization is valid and not yet moved. Nearly always there is none.
pub(super) const IS_ANY_DECIDED: &str = "EXISTS (SELECT 1 FROM batch WHERE version IS NOT NULL)";

/// Whether a transaction took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsDecided {
    Yes,
    No,
}

/// All batches that still have changes.
pub(super) fn all(connection: &Connection, is_decided: IsDecided) -> rusqlite::Result<Vec<Batch>> {
    let mut statement = connection.prepare(match is_decided {
        IsDecided::Yes => "SELECT id, organization FROM batch WHERE version IS NOT NULL",
        IsDecided::No => "SELECT id, organization FROM batch WHERE version IS NULL",
    })?;
    let batches = statement.query_map([], |row| Ok(Batch { id: row.get(0)?, organization: row.get(1)? }))?;
    batches.collect()
}

fn data_version(connection: &Connection) -> Result<i64, StorageError> {
    Ok(connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::super::{Checkpoints, open};
    use super::*;

    /// SQLite's plan for a statement, line by line.
    fn plan(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let count = statement.parameter_count();
        let mut rows = statement.query(rusqlite::params_from_iter((0..count).map(|_| 1))).unwrap();
        let mut lines = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            lines.push(row.get(3).unwrap());
        }
        lines
    }

    #[test]
    fn a_step_looks_at_no_more_than_what_it_moves() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open::writer(&directory.path().join("data.db"), Checkpoints::Own).unwrap();
        for sql in MOVES {
            let plan = plan(&connection, sql).join("\n");
            assert!(plan.contains("(batch=? AND (number,key,kind)<(?,?,?))"), "{sql}\n{plan}");
            assert!(!plan.contains("SCAN") && !plan.contains("ORDER BY"), "{sql}\n{plan}");
        }
        for sql in &MOVES[2..] {
            let plan = plan(&connection, sql).join("\n");
            assert!(
                plan.contains("organization=? AND key=?") || plan.contains("organization=? AND number=? AND key=?"),
                "{plan}"
            );
        }
    }
}
