//! Keys of event streams (streams of Security Event Tokens). A token's id begins with its time.

use super::parts::of_ids;
use crate::capability::{Key, KeyRange};

/// The keys that sign tokens, with the private part encrypted: [`crate::store::SigningKeysRecord`].
pub const SIGNING_KEYS: &[u8] = b"signing-keys";

keys! {
    /// The state of a stream's deliveries: [`crate::store::StreamStateRecord`].
    pub fn stream(id: &str) -> Key = "stream/{id}";
    /// When a stream was removed whose tokens still have to be deleted, as text.
    pub fn stream_dropped(id: &str) -> Key = "stream-dropped/{id}";
    /// All removed streams whose tokens still have to be deleted.
    pub fn streams_dropped() -> KeyRange = "stream-dropped/";
    /// A Security Event Token before it is signed: [`crate::store::SetRecord`].
    pub fn set(stream: &str, id: &str) -> Key = "set/{stream}/{id}";
    /// The tokens of all streams.
    pub fn all_sets() -> KeyRange = "set/";
    /// Marks a token that was not delivered to the stream's receiver yet. The value is empty.
    pub fn set_due(stream: &str, id: &str) -> Key = "set-due/{stream}/{id}";
    /// The reason why the token could not be delivered: [`crate::store::ParkedEvent`].
    pub fn set_parked(stream: &str, id: &str) -> Key = "set-parked/{stream}/{id}";
    /// The tokens of all streams that could not be delivered.
    pub fn all_sets_parked() -> KeyRange = "set-parked/";
}

/// The stream's tokens, all or only those from before `time`.
pub fn sets(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set/{stream}/"), before)
}

/// The stream's tokens that were not delivered yet, all or only those from before `time`.
pub fn sets_due(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set-due/{stream}/"), before)
}

/// The stream's tokens that could not be delivered, all or only those from before `time`.
pub fn sets_parked(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set-parked/{stream}/"), before)
}
