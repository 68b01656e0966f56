//! Cursors of RFC 9865: signed, expiring, and without state on the server.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use insomnia_scim_contract::lasts;
use sha2::{Digest, Sha256};

use super::discovery::CURSOR_TIMEOUT;
use super::error::{ScimError, ScimType};
use super::sort::SortKey;

const VERSION: u8 = 2;
/// How many bytes of the HMAC a cursor carries: 128 bits.
const SIGNATURE: usize = 16;

/// Where a page ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// When the page before was asked for, in milliseconds since the Unix epoch.
    pub issued: u64,
    /// The count of the first request.
    pub count: u32,
    /// The last resource of the page before; `None` for the first page.
    pub last: Option<Position>,
}

/// A resource's place in a list. The next page begins behind it, whether or not the resource is still there.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// The resource type, by its number among those that are listed.
    pub part: u32,
    /// The value it is sorted by.
    pub key: SortKey,
    /// Its id.
    pub id: String,
}

impl Cursor {
    /// The cursor as clients carry it: unreserved characters only. `query` is all that must not change between pages.
    #[must_use]
    pub fn sign(&self, key: &[u8], query: &str) -> String {
        let mut payload = vec![VERSION];
        payload.extend(self.issued.to_be_bytes());
        payload.extend(self.count.to_be_bytes());
        if let Some(last) = &self.last {
            payload.extend(last.part.to_be_bytes());
            payload.extend(u32::try_from(last.id.len()).unwrap_or(u32::MAX).to_be_bytes());
            payload.extend(last.id.as_bytes());
            payload.extend(last.key.to_bytes());
        }
        let signature = signature(key, &payload, query);
        payload.extend(signature.get(..SIGNATURE).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(payload)
    }

    /// Reads a cursor back at the time `now`.
    ///
    /// # Errors
    /// `invalidCursor` if it is not one of this organization's and this query's, `expiredCursor` if it is too old.
    pub fn verify(text: &str, key: &[u8], query: &str, now: u64) -> Result<Self, ScimError> {
        let invalid = || ScimError::new(ScimType::InvalidCursor, "The cursor is not one of this query's");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let at = bytes.len().checked_sub(SIGNATURE).ok_or_else(invalid)?;
        let (payload, given) = bytes.split_at_checked(at).ok_or_else(invalid)?;
        keyed(key, payload, query).verify_truncated_left(given).map_err(|_| invalid())?;
        let cursor = Self::decode(payload).ok_or_else(invalid)?;
        let timeout = u64::from(CURSOR_TIMEOUT) * 1_000;
        // To the millisecond it is still good.
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

fn signature(key: &[u8], payload: &[u8], query: &str) -> [u8; 32] {
    keyed(key, payload, query).finalize().into_bytes().into()
}

fn keyed(key: &[u8], payload: &[u8], query: &str) -> Hmac<Sha256> {
    // A block of the hash, zeros behind the key, is what HMAC makes of a shorter key anyway (RFC 2104 §2).
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(&Sha256::digest(query.as_bytes()));
    mac.update(payload);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::filter::Instant;

    fn cursor() -> Cursor {
        let id = "0190a6f0-0000-7000-8000-000000000001".into();
        Cursor { issued: 1_000, count: 2, last: Some(Position { part: 1, key: SortKey::Text("ada".into()), id }) }
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
        for key in keys {
            let cursor = Cursor { last: Some(Position { part: 0, key, id: "1".into() }), ..cursor() };
            assert_eq!(Cursor::verify(&cursor.sign(b"key", "query"), b"key", "query", 2_000), Ok(cursor));
        }
        let first = Cursor { last: None, ..cursor() };
        assert_eq!(Cursor::verify(&first.sign(b"key", "query"), b"key", "query", 2_000), Ok(first));
    }

    #[test]
    fn rfc_080_a_cursor_has_unreserved_characters_only() {
        let text = cursor().sign(b"key", "query");
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
        assert_eq!(Cursor::verify(&text, b"key", "query", 2_000), Ok(cursor()));
    }

    #[test]
    fn rfc_081_a_forged_or_foreign_cursor_is_invalid_and_an_old_one_expired() {
        let text = cursor().sign(b"key", "query");
        let kind = |result: Result<Cursor, ScimError>| result.unwrap_err().scim_type;
        assert_eq!(kind(Cursor::verify(&text, b"other key", "query", 2_000)), Some(ScimType::InvalidCursor));
        assert_eq!(kind(Cursor::verify(&text, b"key", "other query", 2_000)), Some(ScimType::InvalidCursor));
        for forged in ["", "x", "AAAA", "é", "AQAAAAAAAAPoAAAABwAAAAIwMTkwYTZmMC0wMDAw"] {
            assert_eq!(kind(Cursor::verify(forged, b"key", "query", 2_000)), Some(ScimType::InvalidCursor));
        }
        assert_eq!(kind(Cursor::verify(&text, b"key", "query", 3_601_001)), Some(ScimType::ExpiredCursor));
    }
}
