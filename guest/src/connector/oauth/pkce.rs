//! Proof Key for Code Exchange (RFC 7636), method S256 only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Whether the text can be a verifier or a challenge: 43 to 128 unreserved characters (RFC 7636 §4.1, §4.2).
pub(super) fn is_well_formed(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Whether the verifier belongs to the challenge (RFC 7636 §4.6).
pub(super) fn verify(challenge: &str, verifier: &str) -> bool {
    let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    is_well_formed(verifier) && made.as_bytes().ct_eq(challenge.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_appendix_b_is_verified() {
        let (verifier, challenge) =
            ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(verify(challenge, verifier));
        assert!(!verify(challenge, &verifier.replace('d', "e")));
        assert!(!verify(verifier, verifier), "the plain method is not offered");
        assert!(!is_well_formed("short") && !is_well_formed(&"a".repeat(129)) && !is_well_formed(&"é".repeat(43)));
    }
}
