//! The cursors of RFC 9865: encrypted and expiring, so that the server stores nothing about them.

use insomnia_scim_contract::lasts;

use super::discovery::CURSOR_TIMEOUT;
use super::error::{ScimError, ScimType};
use super::sort::SortKey;
use crate::opaque::{NONCE, OpaqueKey};

const VERSION: u8 = 3;
/// The purpose for which the key encrypts here, and nowhere else.
const PURPOSE: &str = "scim cursor";

/// The place in a list where a page ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// When the previous page was requested, in milliseconds since the Unix epoch.
    pub issued: u64,
    /// The `count` of the first request.
    pub count: u32,
    /// The last resource of the previous page; `None` for the first page.
    pub last: Option<Position>,
}

/// A resource's place in a list. The next page begins after it, even if the resource was deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The resource type, by its index among the listed types.
    pub part: u32,
    /// The value by which the resource is sorted.
    pub key: SortKey,
    /// Its id.
    pub id: String,
}

impl Cursor {
    /// Encrypts the cursor into unreserved characters. Nobody can read from it where the page ended, since that may be
    /// a person's name (RFC 9865 §5.2). `query` is the part of the query that must not change between pages.
    ///
    /// # Errors
    /// 500 if it can't be encrypted, which only happens with a cursor of many gigabytes.
    pub fn seal(&self, key: &OpaqueKey, nonce: [u8; NONCE], query: &str) -> Result<String, ScimError> {
        let mut payload = vec![VERSION];
        payload.extend(self.issued.to_be_bytes());
        payload.extend(self.count.to_be_bytes());
        if let Some(last) = &self.last {
            payload.extend(last.part.to_be_bytes());
            payload.extend(u32::try_from(last.id.len()).unwrap_or(u32::MAX).to_be_bytes());
            payload.extend(last.id.as_bytes());
            payload.extend(last.key.to_bytes());
        }
        let sealed = key.seal(nonce, PURPOSE, query, &payload);
        sealed.ok_or_else(|| ScimError::status(500, "The cursor of the next page can't be made"))
    }

    /// Decrypts a cursor at the time `now`.
    ///
    /// # Errors
    /// `invalidCursor` if it belongs to another organization or another query, `expiredCursor` if it is too old.
    pub fn open(text: &str, key: &OpaqueKey, query: &str, now: u64) -> Result<Self, ScimError> {
        let invalid = || ScimError::new(ScimType::InvalidCursor, "The cursor is not one of this query's");
        let payload = key.open(PURPOSE, query, text).ok_or_else(invalid)?;
        let cursor = Self::decode(&payload).ok_or_else(invalid)?;
        let timeout = u64::from(CURSOR_TIMEOUT) * 1_000;
        // The cursor is still valid in the last millisecond.
        if !lasts(cursor.issued.saturating_add(timeout).saturating_add(1), now, timeout) {
            return Err(ScimError::new(
                ScimType::ExpiredCursor,
                "The cursor is too old; begin again with the first page",
            ));
        }
        Ok(cursor)
    }

    fn decode(payload: &[u8]) -> Option<Self> {
        let (version, rest) = payload.split_first()?;
        let (issued, rest) = rest.split_first_chunk::<8>()?;
        let (count, last) = rest.split_first_chunk::<4>()?;
        (*version == VERSION).then_some(())?;
        let last = if last.is_empty() { None } else { Some(Position::decode(last)?) };
        Some(Self { issued: u64::from_be_bytes(*issued), count: u32::from_be_bytes(*count), last })
    }
}

impl Position {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (part, rest) = bytes.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (id, key) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        Some(Self {
            part: u32::from_be_bytes(*part),
            key: SortKey::from_bytes(key)?,
            id: String::from_utf8(id.to_vec()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::filter::Instant;

    fn cursor() -> Cursor {
        let id = "0190a6f0-0000-7000-8000-000000000001".into();
        Cursor { issued: 1_000, count: 2, last: Some(Position { part: 1, key: SortKey::Text("ada".into()), id }) }
    }

    fn key(byte: u8) -> OpaqueKey {
        OpaqueKey::from_bytes(&[byte; 32]).unwrap()
    }

    fn sealed(cursor: &Cursor) -> String {
        cursor.seal(&key(1), [9; NONCE], "query").unwrap()
    }

    #[test]
    fn rfc_080_a_cursor_keeps_the_value_that_is_sorted_by() {
        let keys = [
            SortKey::Boolean(true),
            SortKey::Number(serde_json::Number::from(-7)),
            SortKey::Number(serde_json::Number::from_f64(0.5).unwrap()),
            SortKey::DateTime(Instant(-1_234_567_890)),
            SortKey::Text(String::new()),
            SortKey::Text("ÅΣ".into()),
            SortKey::Missing,
        ];
        for sorted_by in keys {
            let cursor = Cursor { last: Some(Position { part: 0, key: sorted_by, id: "1".into() }), ..cursor() };
            assert_eq!(Cursor::open(&sealed(&cursor), &key(1), "query", 2_000), Ok(cursor));
        }
        let first = Cursor { last: None, ..cursor() };
        assert_eq!(Cursor::open(&sealed(&first), &key(1), "query", 2_000), Ok(first));
    }

    #[test]
    fn rfc_080_a_cursor_has_unreserved_characters_only() {
        let text = sealed(&cursor());
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
        assert_eq!(Cursor::open(&text, &key(1), "query", 2_000), Ok(cursor()));
    }

    #[test]
    fn rfc_081_a_forged_or_foreign_cursor_is_invalid_and_an_old_one_expired() {
        let text = sealed(&cursor());
        let kind = |result: Result<Cursor, ScimError>| result.unwrap_err().scim_type;
        assert_eq!(kind(Cursor::open(&text, &key(2), "query", 2_000)), Some(ScimType::InvalidCursor));
        assert_eq!(kind(Cursor::open(&text, &key(1), "other query", 2_000)), Some(ScimType::InvalidCursor));
        for forged in ["", "x", "AAAA", "é", "AQAAAAAAAAPoAAAABwAAAAIwMTkwYTZmMC0wMDAw"] {
            assert_eq!(kind(Cursor::open(forged, &key(1), "query", 2_000)), Some(ScimType::InvalidCursor));
        }
        assert_eq!(kind(Cursor::open(&text, &key(1), "query", 3_601_001)), Some(ScimType::ExpiredCursor));
    }
}
