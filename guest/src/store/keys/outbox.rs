//! Keys of emails that are to be sent, in the order in which they are due.

use super::parts::{of_ids, timed};
use crate::capability::{Key, KeyRange};

keys! {
    /// An email to be sent not before `due`: [`crate::store::OutboxRecord`].
    pub fn outbox(due: u64, id: &str) -> Key = "outbox/{due:016x}{id}";
    /// An email that could not be sent: [`crate::store::OutboxRecord`].
    pub fn outbox_parked(id: &str) -> Key = "outbox-parked/{id}";
    /// All emails that could not be sent.
    pub fn outboxes_parked() -> KeyRange = "outbox-parked/";
}

/// The emails to be sent that are due before `time`, or all.
pub fn outboxes(before: Option<u64>) -> KeyRange {
    timed("outbox/", before)
}

/// The emails that could not be sent and were written before `time`.
pub fn outboxes_parked_before(time: u64) -> KeyRange {
    of_ids("outbox-parked/", Some(time))
}
