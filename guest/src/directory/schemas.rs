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
pub fn put_schemas(store: &Store, declaration: &str) -> Result<(), DirectoryError> {
    if declaration.len() > LARGEST {
        return Err(DirectoryError::Invalid(format!("a declaration has at most {LARGEST} bytes")));
    }
    let declared: DeclaredRecord =
        serde_json::from_str(declaration).map_err(|error| DirectoryError::Invalid(error.to_string()))?;
    let checked = SchemaTable::builtin().with_declared(&declared.schemas, &declared.resource_types);
    checked.map_err(|error| DirectoryError::Invalid(error.detail))?;
    Ok(store.put_declared(&declared)?)
}

/// What the organization declares, as JSON.
///
/// # Errors
/// If the store can't answer.
pub fn get_schemas(store: &Store) -> Result<String, StoreError> {
    let Some(stored) = store.declared_bytes()? else { return Ok(r#"{"schemas":[],"resourceTypes":[]}"#.to_owned()) };
    String::from_utf8(stored).map_err(|error| StoreError::Broken(error.to_string()))
}
