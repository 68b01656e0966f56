//! Keys of the SCIM log, whose entries are in the order of time.

use crate::capability::{Key, KeyRange};

/// How many entries of unauthenticated callers the log has for this hour: `journal::keep`.
pub const LOG_STRANGERS: &[u8] = b"log-strangers";
/// How many such entries were not written, as text.
pub const LOG_LEFT_OUT: &[u8] = b"log-left-out";

keys! {
    /// The entry at a position of the log.
    pub fn log_at(position: &str) -> Key = "log/{position}";
}

/// An entry of the SCIM log.
///
/// The random bytes `drawn` keep entries apart whose requests came in the same millisecond with the same id.
pub fn log(time: u64, request_id: &str, drawn: [u8; 4]) -> Key {
    format!("log/{time:016x}{request_id}-{:08x}", u32::from_be_bytes(drawn)).into_bytes()
}

/// The entries of the SCIM log of `since <= time < until`.
pub fn logs(since: u64, until: u64) -> KeyRange {
    KeyRange { start: format!("log/{since:016x}").into_bytes(), end: format!("log/{until:016x}").into_bytes() }
}

/// The position of an entry in the log, as text for a cursor.
pub fn log_position(key: &[u8]) -> Option<String> {
    String::from_utf8(key.strip_prefix(b"log/")?.to_vec()).ok()
}

/// Whether a text can be a position in the log: 16 hexadecimal digits of the time, and the rest of the key.
pub fn is_log_position(text: &str) -> bool {
    let is_time = |time: &str| time.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_rest = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    text.len() <= 100 && text.split_at_checked(16).is_some_and(|(time, rest)| is_time(time) && is_rest(rest))
}
