//! The text of an API key: recognisable, and checkable without asking anybody.

use sha2::{Digest as _, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is the first power of 62 above 2^256.
const BODY: usize = 43;
/// 62^6 is above 2^32.
const CHECKSUM: usize = 6;
/// What the key of an organization begins with.
pub(super) const OF_ORGANIZATION: &str = "insm_api_";
/// What a key of the operator begins with.
pub(super) const OF_OPERATOR: &str = "insm_operator_";

/// A new key: the prefix, 43 characters of base 62 (256 random bits), and 6 of checksum, as SCIM tokens have them. The
/// checksum is the first 32 bits of the SHA-256 of all before it.
pub(super) fn new(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bits = [0; 32];
    getrandom::fill(&mut bits)?;
    let mut text = prefix.to_owned();
    text.push_str(&base62(&bits, BODY));
    text.push_str(&checksum(&text));
    Ok(text)
}

/// Whether the text has the form of a key, its checksum included.
pub(crate) fn is_well_formed(text: &str) -> bool {
    let Some((signed, sum)) = text.len().checked_sub(CHECKSUM).and_then(|at| text.split_at_checked(at)) else {
        return false;
    };
    let body = [OF_ORGANIZATION, OF_OPERATOR].iter().find_map(|prefix| signed.strip_prefix(prefix));
    body.is_some_and(|body| body.len() == BODY && body.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && checksum(signed) == sum
}

/// What is stored of a key: the SHA-256, in hexadecimal digits.
pub(super) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn checksum(text: &str) -> String {
    base62(&Sha256::digest(text.as_bytes())[..4], CHECKSUM)
}

/// The big-endian number in base 62, with leading zeros.
fn base62(number: &[u8], digits: usize) -> String {
    let mut number = number.to_vec();
    let mut text = vec!['0'; digits];
    for digit in text.iter_mut().rev() {
        let mut remainder = 0_usize;
        for byte in &mut number {
            let value = remainder * 256 + usize::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        *digit = char::from(ALPHABET[remainder]);
    }
    text.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_prefix_bits_and_checksum() {
        for prefix in [OF_ORGANIZATION, OF_OPERATOR] {
            let key = new(prefix).unwrap();
            assert_eq!(key.len(), prefix.len() + 49);
            assert!(key.starts_with(prefix) && is_well_formed(&key), "{key}");
            assert_ne!(key, new(prefix).unwrap());
        }
    }

    #[test]
    fn a_key_with_another_character_is_none() {
        let key = new(OF_ORGANIZATION).unwrap();
        for at in OF_ORGANIZATION.len()..key.len() {
            let other = if key.as_bytes()[at] == b'0' { "1" } else { "0" };
            let mut changed = key.clone();
            changed.replace_range(at..=at, other);
            assert!(!is_well_formed(&changed), "{changed}");
        }
        for text in ["", "insm_api_", &key[1..], &key[..key.len() - 1], "é", &"é".repeat(40)] {
            assert!(!is_well_formed(text), "{text}");
        }
    }
}
