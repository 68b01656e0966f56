//! Values that a client sends back to the server, such as cursors. They are encrypted and authenticated, so that nobody
//! can read or forge them (RFC 9865 §5.2, RFC 7644 §7.5.2), and the server need not store them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

/// The length of a nonce in bytes: enough that random ones never repeat.
pub const NONCE: usize = 24;

/// An organization's key for values that its clients send back.
#[derive(Clone)]
pub struct OpaqueKey([u8; 32]);

impl OpaqueKey {
    /// The key with these bytes; `None` unless there are 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Encrypts `plain` into unreserved characters (RFC 3986 §2.3). It can only be decrypted with the same `purpose`
    /// and the same `context`, neither of which it contains. `nonce` is random; `None` if `plain` is too long for the
    /// cipher.
    #[must_use]
    pub(crate) fn seal(&self, nonce: [u8; NONCE], purpose: &str, context: &str, plain: &[u8]) -> Option<String> {
        let aad = bound_to(purpose, context);
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }).ok()?;
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Decrypts a text of [`OpaqueKey::seal`]; `None` if it is any other text, or has another purpose or context.
    #[must_use]
    pub(crate) fn open(&self, purpose: &str, context: &str, text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let aad = bound_to(purpose, context);
        self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &aad }).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.0))
    }
}

/// The purpose is a word of this crate without a zero byte, so two different pairs of purpose and context never give
/// the same bytes.
fn bound_to(purpose: &str, context: &str) -> Vec<u8> {
    let mut bound = purpose.as_bytes().to_vec();
    bound.push(0);
    bound.extend(Sha256::digest(context.as_bytes()));
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> OpaqueKey {
        OpaqueKey::from_bytes(&[byte; 32]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_its_purpose_and_its_context_only() {
        let sealed = key(1).seal([7; NONCE], "purpose", "context", b"plain").unwrap();
        assert_eq!(key(1).open("purpose", "context", &sealed).unwrap(), b"plain");
        assert_eq!(key(2).open("purpose", "context", &sealed), None);
        assert_eq!(key(1).open("other", "context", &sealed), None);
        assert_eq!(key(1).open("purpose", "other", &sealed), None);
    }

    #[test]
    fn what_is_altered_or_cut_does_not_open() {
        let sealed = key(1).seal([7; NONCE], "purpose", "context", b"plain").unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(key(1).open("purpose", "context", &String::from_utf8(altered).unwrap()), None, "at {at}");
            assert_eq!(key(1).open("purpose", "context", &sealed[..at]), None, "cut at {at}");
        }
        assert_eq!(key(1).open("purpose", "context", "é"), None);
    }

    #[test]
    fn a_key_has_32_bytes() {
        assert!(OpaqueKey::from_bytes(&[0; 31]).is_none());
        assert!(OpaqueKey::from_bytes(&[0; 33]).is_none());
    }
}
