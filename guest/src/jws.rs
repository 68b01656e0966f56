//! JSON Web Signatures with ES256 (RFC 7515 §3.1, RFC 7518 §3.4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The bytes of a private key of the curve P-256.
pub(crate) const PRIVATE: usize = 32;

/// A private key of the curve P-256.
pub(crate) struct PrivateKey(SigningKey);

/// The coordinates of a public key of the curve P-256, in the form of a JWK (RFC 7518 §6.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coordinates {
    pub(crate) x: String,
    pub(crate) y: String,
}

impl PrivateKey {
    /// Makes a key of its bytes; `None` if they are no key of the curve.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        SigningKey::from_slice(bytes).ok().map(Self)
    }

    /// The claims as a JWT with this header, whose `alg` is ES256. The same key and text always give the same signature
    /// (RFC 6979).
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> Option<String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature: Signature = self.0.try_sign(signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes())))
    }

    /// The public part.
    pub(crate) fn public(&self) -> Option<Coordinates> {
        let point = self.0.verifying_key().to_sec1_point(false);
        let (_, both) = point.as_bytes().split_first()?;
        let (x, y) = both.split_at_checked(PRIVATE)?;
        Some(Coordinates { x: URL_SAFE_NO_PAD.encode(x), y: URL_SAFE_NO_PAD.encode(y) })
    }
}

impl Coordinates {
    /// The key's thumbprint (RFC 7638 §3), which serves as its id.
    pub(crate) fn thumbprint(&self) -> String {
        let Self { x, y } = self;
        let members = format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}");
        URL_SAFE_NO_PAD.encode(Sha256::digest(members.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 7515 appendix A.3.
    #[test]
    fn the_public_part_of_a_key_is_that_of_the_rfcs_example() {
        let bytes = URL_SAFE_NO_PAD.decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI").unwrap();
        let key = PrivateKey::from_bytes(&bytes).unwrap();
        let expected = Coordinates {
            x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".into(),
            y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".into(),
        };
        assert_eq!(key.public(), Some(expected));
        assert!(PrivateKey::from_bytes(&[0; PRIVATE]).is_none() && PrivateKey::from_bytes(&[]).is_none());
    }
}
