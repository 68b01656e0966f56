//! Deletes entries of the SCIM log that are older than 90 days (rule P5).

use crate::store::{Store, StoreError};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How long an entry is kept, in milliseconds.
const KEPT: u64 = 90 * DAY;

/// Deletes what is too old; returns when to look again.
pub(super) fn run(store: &Store) -> Result<Option<u64>, StoreError> {
    let now = store.now();
    store.forget_logs_before(now.saturating_sub(KEPT))?;
    Ok(Some(now + DAY))
}
