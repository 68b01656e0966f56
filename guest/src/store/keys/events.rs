//! Keys of events, of the webhook that receives them, and of the audit trail. The position of an event or an entry
//! consists of its time and its id.

use super::parts::timed;
use crate::capability::{Key, KeyRange};

/// The webhook to which events are posted: [`crate::store::WebhookRecord`].
pub const WEBHOOK: &[u8] = b"webhook";

keys! {
    /// An event: [`crate::store::EventRecord`].
    pub fn event(position: &str) -> Key = "event/{position}";
    /// Marks an event that was not delivered to this receiver yet. The value is empty.
    pub fn event_due(sink: &str, position: &str) -> Key = "event-due/{sink}/{position}";
    /// The reason why the event could not be delivered to the webhook: [`crate::store::ParkedEvent`].
    pub fn event_parked(position: &str) -> Key = "event-parked/{position}";
    /// An entry of the audit trail: [`crate::store::TrailRecord`].
    pub fn audit(position: &str) -> Key = "audit/{position}";
}

/// All events, or only those from before `time`.
pub fn events(before: Option<u64>) -> KeyRange {
    timed("event/", before)
}

/// The events that were not delivered to this receiver yet, all or only those from before `time`.
pub fn events_due(sink: &str, before: Option<u64>) -> KeyRange {
    timed(&format!("event-due/{sink}/"), before)
}

/// The events that could not be delivered to the webhook, all or only those from before `time`.
pub fn events_parked(before: Option<u64>) -> KeyRange {
    timed("event-parked/", before)
}

/// The entries of the audit trail from `since` on and before `until`.
pub fn audits(since: u64, until: u64) -> KeyRange {
    let at = |time: u64| format!("audit/{time:016x}").into_bytes();
    KeyRange { start: at(since), end: if until == u64::MAX { b"audit0".to_vec() } else { at(until) } }
}
