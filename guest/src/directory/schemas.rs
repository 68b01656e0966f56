//! The schemas and resource types that the organization declares.

use super::error::DirectoryError;
use crate::protocol::schema::SchemaTable;
use crate::store::{DeclaredRecord, Store, StoreError};

/// The largest declaration, in bytes.
const LARGEST: usize = 512 * 1024;

/// Keeps what the organization declares: JSON with `schemas` (RFC 7643 §7) and `resourceTypes` (RFC 7643 §6).
///
/// # Errors
/// [`DirectoryError::Invalid`] says what is wrong.
pub fn put_schemas(store: &Store, declaration: &[u8]) -> Result<(), DirectoryError> {
    if declaration.len() > LARGEST {
        return Err(DirectoryError::Invalid(format!("a declaration has at most {LARGEST} bytes")));
    }
    let declared: DeclaredRecord =
        serde_json::from_slice(declaration).map_err(|error| DirectoryError::Invalid(error.to_string()))?;
    let checked = SchemaTable::builtin().with_declared(&declared.schemas, &declared.resource_types);
    checked.map_err(|error| DirectoryError::Invalid(error.detail))?;
    Ok(store.put_declared(&declared)?)
}

/// What the organization declares, as JSON.
///
/// # Errors
/// If the store can't answer.
pub fn get_schemas(store: &Store) -> Result<Vec<u8>, StoreError> {
    Ok(store.declared_bytes()?.unwrap_or_else(|| br#"{"schemas":[],"resourceTypes":[]}"#.to_vec()))
}
