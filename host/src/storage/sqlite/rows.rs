//! An organization's rows as readers see them, in the order of keys, from both tables. The changes of a large
//! transaction that took effect but is not completely moved are merged in.

use std::ops::ControlFlow;

use rusqlite::{Connection, Row, Statement, ToSql};

use super::large::{self, Moving};
use super::place::{Segment, beginning_of, numbers_of};
use super::{from_integer, to_integer};
use crate::capability::storage::{Size, StorageError};

/// The rows of one organization in the snapshot of one transaction.
pub(super) struct Rows<'c> {
    connection: &'c Connection,
    /// The organization's number.
    organization: i64,
    moving: Option<Moving>,
}

/// Selects the rows of a segment, and their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Which {
    /// Whether the order is from the last key to the first.
    pub(super) reverse: bool,
    /// How many rows are skipped first.
    pub(super) skip: u64,
    /// The most rows that are read; `None` for all.
    pub(super) limit: Option<u32>,
}

impl Which {
    /// All rows, in the order of their keys.
    pub(super) const ALL: Self = Self { reverse: false, skip: 0, limit: None };
}

/// A row that was read.
pub(super) struct Found<'r> {
    /// The prefix of the key, which the row does not contain.
    pub(super) beginning: &'static [u8],
    /// The rest of the key.
    pub(super) key: &'r [u8],
    pub(super) value: &'r [u8],
    pub(super) version: u64,
}

impl Found<'_> {
    /// The complete key, as callers know it.
    pub(super) fn whole_key(&self) -> Vec<u8> {
        [self.beginning, self.key].concat()
    }

    /// The bytes of key and value.
    pub(super) fn bytes(&self) -> usize {
        self.beginning.len() + self.key.len() + self.value.len()
    }
}

/// The query for a segment's rows, if no large transaction of the organization is being moved. Group and kind are the
/// parameters 6 and 7, as in [`merged`].
fn at_their_places(segment: &Segment<'_>) -> &'static str {
    match segment.group {
        None => "SELECT key, value, version FROM alone WHERE organization = ?1 AND key >= ?2 AND key < ?3",
        Some(_) => {
            "SELECT key, value, version FROM grouped
            WHERE organization = ?1 AND key >= ?2 AND key < ?3 AND number = ?6 AND kind = ?7"
        }
    }
}

/// The query for a segment's rows while the batch with number 4 is being moved, whose changes have version 5.
fn merged(segment: &Segment<'_>) -> &'static str {
    match segment.group {
        None => {
            "SELECT key, value, version FROM alone WHERE organization = ?1 AND key >= ?2 AND key < ?3
                AND NOT EXISTS (SELECT 1 FROM staged
                    WHERE staged.batch = ?4 AND staged.number = ?6 AND staged.key = alone.key AND staged.kind = ?7)
            UNION ALL
            SELECT key, value, ?5 FROM staged
                WHERE batch = ?4 AND number = ?6 AND key >= ?2 AND key < ?3 AND kind = ?7 AND value IS NOT NULL"
        }
        Some(_) => {
            "SELECT key, value, version FROM grouped
                WHERE organization = ?1 AND key >= ?2 AND key < ?3 AND number = ?6 AND kind = ?7
                AND NOT EXISTS (SELECT 1 FROM staged
                    WHERE staged.batch = ?4 AND staged.number = ?6 AND staged.key = grouped.key AND staged.kind = ?7)
            UNION ALL
            SELECT key, value, ?5 FROM staged
                WHERE batch = ?4 AND number = ?6 AND key >= ?2 AND key < ?3 AND kind = ?7 AND value IS NOT NULL"
        }
    }
}

impl<'c> Rows<'c> {
    /// The rows of the organization with this number, in the snapshot of the connection's transaction.
    pub(super) fn new(connection: &'c Connection, organization: i64) -> Result<Self, StorageError> {
        Ok(Self { connection, organization, moving: large::moving(connection, organization)? })
    }

    /// Calls back with the rows of a segment, until there are no more or the callback stops.
    pub(super) fn read(
        &self,
        segment: &Segment<'_>,
        which: Which,
        mut each: impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, StorageError> {
        let mut statement = self.connection.prepare_cached(&self.in_order(segment, which.reverse))?;
        let mut rows = self.query(&mut statement, segment, which)?;
        let beginning = beginning_of(segment.group);
        while let Some(row) = rows.next()? {
            let (key, value, version) = (blob(row, 0)?, blob(row, 1)?, from_integer(row.get(2)?));
            if each(Found { beginning, key, value, version }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// How many rows a segment has, and how many bytes their keys and values take. SQLite knows the length of a value
    /// without reading it.
    pub(super) fn size(&self, segment: &Segment<'_>) -> Result<Size, StorageError> {
        let sql =
            format!("SELECT coalesce(sum(length(key) + length(value)), 0), count(*) FROM ({})", self.rows(segment));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = self.query(&mut statement, segment, Which::ALL)?;
        let Some(row) = rows.next()? else { return Ok(Size::default()) };
        let (bytes, keys) = (from_integer(row.get(0)?), from_integer(row.get(1)?));
        Ok(Size { bytes: bytes + keys * beginning_of(segment.group).len() as u64, keys })
    }

    fn in_order(&self, segment: &Segment<'_>, reverse: bool) -> String {
        let direction = if reverse { "DESC" } else { "ASC" };
        format!("{} ORDER BY key {direction} LIMIT ?8 OFFSET ?9", self.rows(segment))
    }

    fn rows(&self, segment: &Segment<'_>) -> &'static str {
        if self.moving.is_some() { merged(segment) } else { at_their_places(segment) }
    }

    /// Runs a statement that uses some of these parameters, each by its number.
    fn query<'s>(
        &self,
        statement: &'s mut Statement<'_>,
        segment: &Segment<'_>,
        which: Which,
    ) -> rusqlite::Result<rusqlite::Rows<'s>> {
        let Segment { group, start, end } = *segment;
        let (batch, version) = self.moving.map_or((0, 0), |moving| (moving.batch.id, to_integer(moving.version)));
        let (number, kind) = numbers_of(group);
        // A negative number means no limit in SQLite.
        let (limit, skip) = (which.limit.map_or(-1, i64::from), to_integer(which.skip));
        let values: [&dyn ToSql; 9] =
            [&self.organization, &start, &end, &batch, &version, &number, &kind, &limit, &skip];
        let parameters = statement.parameter_count();
        for (number, value) in (1..=parameters).zip(values) {
            statement.raw_bind_parameter(number, value)?;
        }
        Ok(statement.raw_query())
    }
}

/// The bytes in a column.
pub(super) fn blob<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r [u8], StorageError> {
    row.get_ref(column)?.as_blob().map_err(|error| StorageError::Other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::super::{Checkpoints, open, place};
    use super::*;

    #[test]
    fn a_statement_is_prepared_once_whatever_the_limit_of_each_run_is() {
        let directory = tempfile::tempdir().unwrap();
        let connection = open::writer(&directory.path().join("data.db"), Checkpoints::Own).unwrap();
        let rows = Rows::new(&connection, 1).unwrap();
        let everything = place::everything();
        for segment in place::segments(&everything) {
            for limit in [Some(1), Some(7), None] {
                let which = Which { limit, ..Which::ALL };
                assert!(rows.read(&segment, which, |_| ControlFlow::Continue(())).unwrap().is_continue());
            }
            let statement = connection.prepare_cached(&rows.in_order(&segment, false)).unwrap();
            assert!(statement.get_status(StatementStatus::Run) >= 3, "the statement is the one that was run");
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        }
    }
}
