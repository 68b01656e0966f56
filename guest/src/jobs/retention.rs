//! Deletes entries of the SCIM log and events that are older than 90 days (rule P5), and what else has served its time.

use crate::endpoint::Host;
use crate::provisioning::guard;
use crate::store::{Batch, Sink, Store, StoreError, keys, text};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How long an entry is kept, in milliseconds.
const KEPT: u64 = 90 * DAY;
/// Under which name the time of the last look is kept.
const JOB: &str = "retention";

/// Deletes what is too old, once a day; returns when to look again.
pub(super) fn run(_: Host<'_>, store: &Store<'_>) -> Result<Option<u64>, StoreError> {
    let now = store.now();
    let last = store.item(keys::job(JOB))?.and_then(|item| text(&item.value)?.parse::<u64>().ok());
    if let Some(next) = last.map(|last| last.saturating_add(DAY)).filter(|next| now < *next) {
        return Ok(Some(next));
    }
    let before = now.saturating_sub(KEPT);
    let mut batch = Batch::new();
    batch.delete_range(keys::logs(0, before));
    batch.delete_range(keys::events(Some(before)));
    batch.delete_range(keys::events_parked(Some(before)));
    for sink in [Sink::Webhook, Sink::Subscriber] {
        batch.delete_range(keys::events_due(sink.as_str(), Some(before)));
    }
    batch.put(keys::job(JOB), now.to_string().into_bytes());
    store.commit(batch)?;
    guard::forget_old(store)?;
    Ok(Some(now + DAY))
}
