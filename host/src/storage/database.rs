//! What the storages in SQLite and in PostgreSQL have in common: signed integers, rows of organizations, and the errors
//! of a queue of writes.

use crate::capability::storage::{OrganizationId, StorageError};

/// The integers of databases are signed; versions and times stay far below the limit.
pub(super) fn to_integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn from_integer(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The organization of a row with this name and this generation.
pub(super) fn stored_organization(name: &str, generation: i64) -> Result<OrganizationId, StorageError> {
    let organization = OrganizationId::from_stored(name).map_err(|error| StorageError::Other(error.to_string()))?;
    Ok(organization.with_generation(from_integer(generation)))
}

/// The error for a write that finds the queue full.
pub(super) fn overloaded() -> StorageError {
    StorageError::Unavailable("too many writes are waiting".into())
}

/// The error for a write after the storage was closed.
pub(super) fn stopped() -> StorageError {
    StorageError::Unavailable("the storage has been closed".into())
}
