//! Tells the owner and co-owners, and who takes events, that seats are missing: at most once a day (rule P4).

use serde_json::json;

use crate::moment::lasts;
use crate::store::{Batch, EventKind, EventSubject, Letter, Store, StoreError, keys, text};

/// In milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000;
/// Under which name the time of the last notice is kept.
const JOB: &str = "licences-exhausted";

/// Tells it unless it was told less than a day ago. Never makes the refused request fail in another way.
pub(super) fn tell(store: &Store, seats: u32) {
    match try_tell(store, seats) {
        // Somebody else tells it right now.
        Ok(()) | Err(StoreError::Conflict) => {}
        Err(error) => eprintln!("nobody could be told that all seats are taken: {error}"),
    }
}

fn try_tell(store: &Store, seats: u32) -> Result<(), StoreError> {
    let told = store.item(keys::job(JOB))?;
    let last = told.as_ref().and_then(|item| text(&item.value)?.parse::<u64>().ok());
    let now = store.now();
    if last.is_some_and(|last| lasts(last.saturating_add(DAY), now, DAY)) {
        return Ok(());
    }
    let mut batch = Batch::new();
    batch.require_unchanged(keys::job(JOB), told.map(|item| item.version));
    batch.put(keys::job(JOB), now.to_string().into_bytes());
    let subject = EventSubject::only("licences");
    store.add_event(&mut batch, EventKind::LicencesExhausted, subject, json!({ "seats": seats }))?;
    store.add_email_to_administrators(&mut batch, &Letter::NoFreeSeat { seats })?;
    store.commit(batch).map(drop)
}
