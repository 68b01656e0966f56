//! Makes tokens and other secrets: 256 random bits in a form that a secret scanner recognises.

use sha2::{Digest, Sha256};

/// The prefix of every bearer token.
const PREFIX: &str = "insm_scim_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The number of characters for 256 bits: 62^43 is the first power of 62 above 2^256.
const BODY: usize = 43;
/// The number of characters for 32 bits: 62^6 is above 2^32.
const CHECKSUM: usize = 6;

/// A token: a prefix that names its kind (`insm_scim_` for a bearer token), 43 characters of base 62 (256 random bits),
/// and 6 of checksum.
///
/// The checksum is the first 32 bits of the SHA-256 of everything before it, in base 62. With it, a scanner can
/// recognise a real token without asking a server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// The bearer token of these random bits.
    #[must_use]
    pub(crate) fn from_bits(bits: [u8; 32]) -> Self {
        Self::of_kind(PREFIX, bits)
    }

    /// The secret of these random bits that begins with `prefix`.
    #[must_use]
    pub(crate) fn of_kind(prefix: &str, bits: [u8; 32]) -> Self {
        let mut text = String::from(prefix);
        base62(&bits, BODY, &mut text);
        Self(signed(text))
    }

    /// Whether the text has the form of a secret that begins with `prefix`, its checksum included.
    #[must_use]
    pub(crate) fn is_of_kind(prefix: &str, text: &str) -> bool {
        body(prefix, text).is_some_and(|body| body.len() == BODY)
    }

    /// The token, to be shown once.
    #[must_use]
    pub(crate) fn reveal(self) -> String {
        self.0
    }

    /// The hash that is stored.
    #[must_use]
    pub(crate) fn sha256(&self) -> String {
        sha256(&self.0)
    }
}

/// Appends the checksum to the text.
pub(crate) fn signed(mut text: String) -> String {
    let checksum = checksum(&text);
    text.push_str(&checksum);
    text
}

/// The part between `prefix` and the checksum; `None` if the text does not have that form.
pub(crate) fn body<'t>(prefix: &str, text: &'t str) -> Option<&'t str> {
    let (signed, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
    let body = signed.strip_prefix(prefix)?;
    (body.bytes().all(|byte| byte.is_ascii_alphanumeric()) && checksum(signed) == sum).then_some(body)
}

/// The SHA-256 of a presented secret, in lower-case hexadecimal digits: the form in which it is stored.
#[must_use]
pub(crate) fn sha256(presented: &str) -> String {
    hexadecimal(&hash(presented))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Lower-case hexadecimal digits.
#[must_use]
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        text.extend(DIGITS.get(usize::from(digit)).map(|digit| char::from(*digit)));
    }
    text
}

fn checksum(text: &str) -> String {
    let mut sum = String::new();
    base62(hash(text).get(..4).unwrap_or_default(), CHECKSUM, &mut sum);
    sum
}

/// Appends the big-endian number in base 62, with leading zeros.
pub(crate) fn base62(number: &[u8], digits: usize, text: &mut String) {
    let mut number = number.to_vec();
    let mut reversed = Vec::with_capacity(digits);
    for _ in 0..digits {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = remainder * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(0);
            remainder = value % 62;
        }
        reversed.push(ALPHABET.get(remainder as usize).copied().unwrap_or(b'0'));
    }
    text.extend(reversed.iter().rev().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_bearer_token(text: &str) -> bool {
        Token::is_of_kind(PREFIX, text)
    }

    #[test]
    fn a_token_has_prefix_bits_and_checksum() {
        let token = Token::from_bits([0xa5; 32]).reveal();
        assert_eq!(token.len(), 10 + 43 + 6);
        assert!(token.starts_with("insm_scim_"));
        assert!(is_bearer_token(&token));
    }

    #[test]
    fn a_mistyped_token_is_not_well_formed() {
        let token = Token::from_bits([7; 32]).reveal();
        let mistyped = token.replacen('7', "8", 1);
        assert!(!is_bearer_token(&format!("{token}x")));
        assert!(mistyped == token || !is_bearer_token(&mistyped));
        assert!(!is_bearer_token("insm_scim_é"));
        assert!(!is_bearer_token(""));
    }

    #[test]
    fn different_bits_are_different_tokens() {
        let mut last = [0; 32];
        last[31] = 1;
        assert_ne!(Token::from_bits([0; 32]).reveal(), Token::from_bits(last).reveal());
        assert_ne!(Token::from_bits([0xff; 32]).reveal(), Token::from_bits([0xfe; 32]).reveal());
    }
}
