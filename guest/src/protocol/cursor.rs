//! Cursors of RFC 9865: signed, expiring, and without state on the server.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::discovery::CURSOR_TIMEOUT;
use super::error::{ScimError, ScimType};

const VERSION: u8 = 1;
/// How many bytes of the HMAC a cursor carries: 128 bits.
const SIGNATURE: usize = 16;

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the first page was asked for, in milliseconds since the Unix epoch.
    pub issued: u64,
    /// How many resources the pages so far had.
    pub offset: u32,
    /// The count of the first request.
    pub count: u32,
    /// The id of the last resource of the page.
    pub last: String,
}

impl Cursor {
    /// The cursor as clients carry it: unreserved characters only. `query` is all that must not change between pages.
    #[must_use]
    pub fn sign(&self, key: &[u8], query: &str) -> String {
        let mut payload = vec![VERSION];
        payload.extend(self.issued.to_be_bytes());
        payload.extend(self.offset.to_be_bytes());
        payload.extend(self.count.to_be_bytes());
        payload.extend(self.last.as_bytes());
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
        if now > cursor.issued.saturating_add(u64::from(CURSOR_TIMEOUT) * 1_000) {
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
        let (offset, rest) = rest.split_first_chunk::<4>()?;
        let (count, last) = rest.split_first_chunk::<4>()?;
        (*version == VERSION).then_some(())?;
        Some(Self {
            issued: u64::from_be_bytes(*issued),
            offset: u32::from_be_bytes(*offset),
            count: u32::from_be_bytes(*count),
            last: String::from_utf8(last.to_vec()).ok()?,
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

    fn cursor() -> Cursor {
        Cursor { issued: 1_000, offset: 7, count: 2, last: "0190a6f0-0000-7000-8000-000000000001".into() }
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
