//! How long the organization keeps its log and its events (rule P5).

use super::error::DirectoryError;
use crate::store::{Store, StoreError, keys};

/// The longest retention, in days.
const LONGEST: u32 = 3_650;

/// Sets for how many days entries of the log, events and parked emails are kept. Older ones are deleted soon after.
///
/// # Errors
/// [`DirectoryError::Invalid`] if it is not 1 to 3,650.
pub fn set_retention(store: &Store, days: u32) -> Result<(), DirectoryError> {
    if !(1..=LONGEST).contains(&days) {
        return Err(DirectoryError::Invalid(format!("the retention is 1 to {LONGEST} days")));
    }
    store.change_settings::<StoreError>(|settings, batch| {
        settings.retention = Some(days);
        // This makes the job run again at once, instead of a day after its last run.
        batch.delete(keys::job(keys::RETENTION));
        batch.wake_at(store.now());
        Ok(())
    })?;
    Ok(())
}
