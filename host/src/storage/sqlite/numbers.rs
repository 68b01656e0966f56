//! The numbers that stand for the names of organizations in the tables.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use rusqlite::{Connection, OptionalExtension, params};

use super::to_integer;
use crate::capability::storage::OrganizationId;

/// A cache of committed numbers.
///
/// An entry never becomes wrong, whichever process has assigned the number: the number of an organization never changes
/// and is never reused, even after the organization was deleted. Whether it is deleted is not cached, since another
/// process may delete it.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    known: RwLock<HashMap<OrganizationId, i64>>,
}

impl Numbers {
    /// The organization's number; `None` if nothing was ever written for it.
    pub(super) fn find(&self, connection: &Connection, organization: &OrganizationId) -> rusqlite::Result<Option<i64>> {
        if let Some(number) = self.cached(organization) {
            return Ok(Some(number));
        }
        let number = stored(connection, organization)?;
        if let Some(number) = number {
            self.publish([(organization.clone(), number)]);
        }
        Ok(number)
    }

    /// The number, if it is cached.
    pub(super) fn cached(&self, organization: &OrganizationId) -> Option<i64> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(organization).copied()
    }

    /// Caches numbers whose transaction was committed.
    pub(super) fn publish(&self, numbers: impl IntoIterator<Item = (OrganizationId, i64)>) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).extend(numbers);
    }
}

/// The number in the table as this connection sees it.
pub(super) fn stored(connection: &Connection, organization: &OrganizationId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM organization WHERE name = ?1 AND generation = ?2")?
        .query_row(params![organization.as_str(), to_integer(organization.generation())], |row| row.get(0))
        .optional()
}

/// Whether the organization with this number is deleted, as this connection sees it.
pub(super) fn is_deleted(connection: &Connection, number: i64) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT deleted FROM organization WHERE id = ?1")?.query_row([number], |row| row.get(0))
}
