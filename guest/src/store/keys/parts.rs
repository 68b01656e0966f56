//! The parts of keys: ids, times, positions, and indexed values.

use crate::capability::{Key, KeyRange};
use crate::protocol::filter;
use crate::secret::sha256;
use crate::text::cut;

/// How many bytes of a long value are written to the key unchanged: a prefix filter can use these.
pub const INDEXED_PREFIX: usize = 128;

/// The length of an id, in bytes.
pub const ID: usize = 36;

/// Whether the text can be an id of a member or a team. Only such a text is ever used as an id in a key.
pub fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// The id that a key ends with.
///
/// Ids are 36 bytes without separators, so this holds for `…/{id}` and `…␀{id}` alike.
pub fn id_of(key: &[u8]) -> Option<String> {
    id_in(key).map(str::to_owned)
}

/// Like [`id_of`], but borrows the id from the key.
pub fn id_in(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.get(key.len().checked_sub(ID)?..)?).ok()
}

/// The time at which an id was made, in milliseconds since the Unix epoch.
pub fn time_of_id(id: &str) -> Option<u64> {
    let (high, low) = (id.get(..8)?, id.get(9..13)?);
    Some(u64::from_str_radix(high, 16).ok()? << 16 | u64::from_str_radix(low, 16).ok()?)
}

/// The time with which the key continues after `prefix`.
pub fn time_of(key: &[u8], prefix: &str) -> Option<u64> {
    let digits = key.strip_prefix(prefix.as_bytes())?.get(..16)?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The part of the key after its last slash.
pub fn position_of(key: &[u8]) -> Option<String> {
    let name = key.rsplit(|byte| *byte == b'/').next()?;
    String::from_utf8(name.to_vec()).ok()
}

/// Whether the text can be the position of an event or an email: 16 digits of the time, and an id.
pub fn is_position(text: &str) -> bool {
    let is_digit = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split_at_checked(16).is_some_and(|(time, id)| is_digit(time) && is_id(id))
}

/// Folds a name in the way in which filters compare names.
pub fn fold(text: &str) -> String {
    filter::fold(text).into_owned()
}

/// The keys that begin with `prefix` and continue with a time: any time, or only times before this one.
pub(super) fn timed(prefix: &str, before: Option<u64>) -> KeyRange {
    let mut range = below(prefix.as_bytes().to_vec());
    if let Some(before) = before {
        range.end = format!("{prefix}{before:016x}").into_bytes();
    }
    range
}

/// The keys that begin with `prefix` and continue with an id: any id, or only ids made before `time`. An id begins with
/// the time at which it was made (UUID version 7).
pub(super) fn of_ids(prefix: &str, before: Option<u64>) -> KeyRange {
    let mut range = below(prefix.as_bytes().to_vec());
    if let Some(time) = before {
        range.end = format!("{prefix}{:08x}-{:04x}", (time >> 16) & 0xffff_ffff, time & 0xffff).into_bytes();
    }
    range
}

/// The key of an indexed value. A short value is written unchanged; a long one as its beginning and its hash, which is
/// enough to test equality.
pub(super) fn indexed(prefix: &str, value: &str) -> Key {
    // There is room for the id that `of_many` appends.
    let mut key = Vec::with_capacity(prefix.len() + value.len().min(INDEXED_PREFIX + 65) + 1 + ID);
    key.extend_from_slice(prefix.as_bytes());
    if value.len() <= INDEXED_PREFIX + 64 {
        key.extend_from_slice(value.as_bytes());
    } else {
        key.extend_from_slice(cut(value, INDEXED_PREFIX).as_bytes());
        key.push(b'#');
        key.extend_from_slice(sha256(value).as_bytes());
    }
    key
}

/// The key for one of several records with the same value.
pub(super) fn of_many(mut key: Key, id: &str) -> Key {
    key.push(0);
    key.extend_from_slice(id.as_bytes());
    key
}

/// The keys of all records with the same value.
pub(super) fn many(mut key: Key) -> KeyRange {
    key.push(0);
    below(key)
}

/// All keys that begin with `prefix`, for tests that read everything.
#[cfg(test)]
pub(crate) fn prefixed(prefix: &str) -> KeyRange {
    below(prefix.as_bytes().to_vec())
}

/// All keys that begin with `prefix`.
pub(super) fn below(prefix: Key) -> KeyRange {
    // Keys are text, which never has the byte 0xff: the prefix followed by 0xff comes after all of them.
    let mut end = prefix.clone();
    end.push(0xff);
    KeyRange { start: prefix, end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::keys::{member_by_any_email, member_team, set_due, sets_due};

    #[test]
    fn the_id_is_the_end_of_an_index_key() {
        let id = "0190a6f0-0000-7000-8000-000000000001";
        assert_eq!(id_of(&member_by_any_email("a\0b@example.com", id)).as_deref(), Some(id));
        assert_eq!(id_of(&member_team(id, id)).as_deref(), Some(id));
        assert_eq!(id_of(b"short"), None);
    }

    #[test]
    fn an_id_begins_with_its_time() {
        let id = "0190a6f0-1234-7000-8000-000000000001";
        let time = time_of_id(id).unwrap();
        assert_eq!(time, 0x0190_a6f0_1234);
        let is_before = |time| sets_due("s", Some(time)).end > set_due("s", id);
        assert!(!is_before(time) && is_before(time + 1));
        assert_eq!(time_of_id("0190a6f"), None);
    }
}
