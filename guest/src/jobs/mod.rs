//! What time makes due: the retention of the SCIM log.

mod retention;

use crate::store::{Store, StoreError};

/// Does what is due; returns when it wants to be called next, in milliseconds since the Unix epoch.
///
/// # Errors
/// If the store can't answer; what was done until then stays done.
pub fn run_due(store: &Store) -> Result<Option<u64>, StoreError> {
    retention::run(store)
}
