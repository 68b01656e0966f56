//! Keys of streams of Security Event Tokens. A token's id begins with its time.

use super::parts::of_ids;
use crate::capability::{Key, KeyRange};

/// The keys that sign tokens, the private part sealed: [`crate::store::SigningKeysRecord`].
pub const SIGNING_KEYS: &[u8] = b"signing-keys";

keys! {
    /// How the deliveries of a stream go: [`crate::store::StreamStateRecord`].
    pub fn stream(id: &str) -> Key = "stream/{id}";
    /// When the stream was removed whose tokens are still to be deleted, as text.
    pub fn stream_dropped(id: &str) -> Key = "stream-dropped/{id}";
    /// All streams that were removed lately.
    pub fn streams_dropped() -> KeyRange = "stream-dropped/";
    /// A Security Event Token before it is signed: [`crate::store::SetRecord`].
    pub fn set(stream: &str, id: &str) -> Key = "set/{stream}/{id}";
    /// The tokens of all streams.
    pub fn all_sets() -> KeyRange = "set/";
    /// That the token has not been delivered to the stream's receiver yet. The value is empty.
    pub fn set_due(stream: &str, id: &str) -> Key = "set-due/{stream}/{id}";
    /// Why the token could not be delivered: [`crate::store::ParkedEvent`].
    pub fn set_parked(stream: &str, id: &str) -> Key = "set-parked/{stream}/{id}";
    /// Why tokens could not be delivered, of all streams.
    pub fn all_sets_parked() -> KeyRange = "set-parked/";
}

/// The stream's tokens from before `time`, or all.
pub fn sets(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set/{stream}/"), before)
}

/// The stream's tokens from before `time`, or all, that have not been delivered yet.
pub fn sets_due(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set-due/{stream}/"), before)
}

/// The stream's tokens from before `time`, or all, that could not be delivered.
pub fn sets_parked(stream: &str, before: Option<u64>) -> KeyRange {
    of_ids(&format!("set-parked/{stream}/"), before)
}
