//! Key sets (RFC 7517), and the signatures that their keys verify: RS256 and ES256 (RFC 7518 §3.3, §3.4).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa;
use rsa::signature::Verifier;
use rsa::{BoxedUint, pkcs1v15};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;

use crate::store::{KeyRecord, PublicKey};

/// The largest key set that is read, in bytes. Microsoft's have about 20,000.
const LARGEST: usize = 256 * 1024;
/// How many usable keys a set may have.
const MOST_KEYS: usize = 64;
/// The longest `kid`, in bytes.
const LONGEST_ID: usize = 256;
/// The size of an RSA key's modulus, in bits. RFC 7518 §3.3 sets the minimum; the time of one verification limits the
/// maximum.
const MODULUS: std::ops::RangeInclusive<usize> = 2_048..=4_096;

/// The signature algorithms for JWTs. There is neither `none` nor an HMAC, with which an attacker could use the public
/// key as the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with the curve P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// The names of the algorithms in the metadata.
    pub(super) const NAMES: [&str; 2] = ["RS256", "ES256"];

    /// The algorithm with this `alg`; `None` if it is not supported.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// A fetched key set. Its keys are parsed one by one, so that a key of an unknown kind does not make the others
/// unusable.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The keys of a set with which a signature can be verified here. Other keys are ignored (RFC 7517 §5).
///
/// # Errors
/// A text for administrators that says why it is no key set.
pub(super) fn parse(json: &[u8]) -> Result<Vec<KeyRecord>, &'static str> {
    if json.len() > LARGEST {
        return Err("the key set is larger than 256 KiB");
    }
    let set: Set = serde_json::from_slice(json).map_err(|_| "the document is no key set (RFC 7517)")?;
    let keys: Vec<KeyRecord> = set.keys.into_iter().filter_map(usable).collect();
    if keys.len() > MOST_KEYS {
        return Err("the key set has more than 64 keys that can be used");
    }
    Ok(keys)
}

/// The key, if its algorithm is supported and it is meant for signatures.
fn usable(key: Value) -> Option<KeyRecord> {
    let key: Jwk = serde_json::from_value(key).ok()?;
    let is_for_signatures = key.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
        && key.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"))
        && key.kid.as_ref().is_none_or(|id| id.len() <= LONGEST_ID);
    let (algorithm, public) = match key.kty.as_str() {
        "RSA" => (Algorithm::Rs256, PublicKey::Rsa { n: key.n?, e: key.e? }),
        "EC" if key.crv.as_deref() == Some("P-256") => (Algorithm::Es256, PublicKey::P256 { x: key.x?, y: key.y? }),
        _ => return None,
    };
    let is_for_it = key.alg.as_deref().is_none_or(|name| name == algorithm.name());
    let record = KeyRecord { kid: key.kid, public };
    (is_for_signatures && is_for_it && Verifying::read(&record.public).is_some()).then_some(record)
}

/// The keys with which a JWT with this `kid` may be signed. Without a `kid` it must be the only key for the algorithm.
pub(super) fn candidates<'k>(keys: &'k [KeyRecord], kid: Option<&str>, algorithm: Algorithm) -> Vec<&'k KeyRecord> {
    let is_of_algorithm = |key: &&KeyRecord| match key.public {
        PublicKey::Rsa { .. } => algorithm == Algorithm::Rs256,
        PublicKey::P256 { .. } => algorithm == Algorithm::Es256,
    };
    let found: Vec<&KeyRecord> =
        keys.iter().filter(is_of_algorithm).filter(|key| kid.is_none() || key.kid.as_deref() == kid).collect();
    if kid.is_none() && found.len() > 1 { Vec::new() } else { found }
}

/// Whether this key has made the signature of `signed`.
pub(super) fn verify(key: &KeyRecord, signed: &[u8], signature: &[u8]) -> bool {
    match Verifying::read(&key.public) {
        Some(Verifying::Rsa(key)) => {
            pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| key.verify(signed, &signature).is_ok())
        }
        Some(Verifying::P256(key)) => {
            ecdsa::Signature::from_slice(signature).is_ok_and(|signature| key.verify(signed, &signature).is_ok())
        }
        None => false,
    }
}

/// A key in the form that the cryptography libraries need.
enum Verifying {
    Rsa(pkcs1v15::VerifyingKey<Sha256>),
    P256(ecdsa::VerifyingKey),
}

impl Verifying {
    /// Parses a key; `None` if the numbers are no key, or one that is too small to be safe.
    fn read(key: &PublicKey) -> Option<Self> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        match key {
            PublicKey::Rsa { n, e } => {
                let number = |text: &str, most: usize| {
                    let bytes = bytes(text).filter(|bytes| (1..=most).contains(&bytes.len()))?;
                    Some(BoxedUint::from_be_slice_vartime(&bytes))
                };
                let (modulus, exponent) = (number(n, MODULUS.end() / 8 + 1)?, number(e, 8)?);
                let key = rsa::PublicKey::new_with_size_limits(modulus, exponent, MODULUS).ok()?;
                Some(Self::Rsa(pkcs1v15::VerifyingKey::new(key)))
            }
            PublicKey::P256 { x, y } => {
                let coordinate = |text: &str| bytes(text).filter(|bytes| bytes.len() == 32);
                // RFC 7518 §6.2.1 requires both coordinates at full length. SEC 1 writes them after the byte 4.
                let point = [&[4], coordinate(x)?.as_slice(), coordinate(y)?.as_slice()].concat();
                ecdsa::VerifyingKey::from_sec1_bytes(&point).ok().map(Self::P256)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The key and the signature from RFC 7515 appendix A.3 (ES256).
    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
    const SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm\
        NvbS9pc19yb290Ijp0cnVlfQ";
    const SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

    fn one(key: Value) -> Vec<KeyRecord> {
        parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn rfc7515_a_3_es256_is_verified_and_nothing_that_was_altered() {
        let keys = one(json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y}));
        let signature = URL_SAFE_NO_PAD.decode(SIGNATURE).unwrap();
        assert!(verify(&keys[0], SIGNED.as_bytes(), &signature));
        assert!(!verify(&keys[0], &SIGNED.as_bytes()[1..], &signature));
        assert!(!verify(&keys[0], SIGNED.as_bytes(), &signature[1..]));
        assert!(!verify(&keys[0], SIGNED.as_bytes(), &[0; 64]), "zeros sign nothing");
        assert!(!verify(&keys[0], SIGNED.as_bytes(), &[]));
    }

    #[test]
    fn rfc7517_5_a_key_that_can_not_be_used_is_passed_over() {
        let good = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "k", "use": "sig", "alg": "ES256"});
        let with = |name: &str, value: Value| {
            let mut key = good.clone();
            key[name] = value;
            key
        };
        assert_eq!(one(good.clone()).len(), 1);
        let bad = [
            with("kty", json!("oct")),
            with("crv", json!("P-384")),
            with("use", json!("enc")),
            with("alg", json!("ES512")),
            with("key_ops", json!(["sign"])),
            with("x", json!(Y)),
            with("x", json!("AAAA")),
            with("kid", json!("k".repeat(257))),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
            json!({"kty": "RSA", "n": "", "e": ""}),
            json!("text"),
        ];
        for bad in bad {
            assert!(one(bad.clone()).is_empty(), "{bad}");
        }
        let rsa = |bytes: usize, e: &str| {
            let mut modulus = vec![0xff; bytes];
            modulus[0] = 0xc0;
            json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode(&modulus), "e": e})
        };
        assert_eq!((one(rsa(256, "AQAB")).len(), one(rsa(512, "Aw")).len()), (1, 1));
        for weak in [rsa(128, "AQAB"), rsa(255, "AQAB"), rsa(513, "AQAB"), rsa(256, "AQ"), rsa(256, "Ag")] {
            assert!(one(weak.clone()).is_empty(), "{weak}");
        }
    }

    #[test]
    fn what_is_no_key_set_or_too_large_is_told_from_an_empty_one() {
        assert_eq!(parse(br#"{"keys":[]}"#), Ok(Vec::new()));
        for wrong in ["", "[]", "{}", r#"{"keys":{}}"#, "<html>"] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(parse(&vec![b' '; LARGEST + 1]).is_err());
        let key = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y});
        let many = |count: usize| json!({ "keys": vec![key.clone(); count] }).to_string();
        assert_eq!(parse(many(MOST_KEYS).as_bytes()).unwrap().len(), MOST_KEYS);
        assert!(parse(many(MOST_KEYS + 1).as_bytes()).is_err());
    }

    #[test]
    fn without_a_key_id_the_key_must_be_the_only_one_of_its_algorithm() {
        let key = |kid: Option<&str>| KeyRecord {
            kid: kid.map(str::to_owned),
            public: PublicKey::P256 { x: X.into(), y: Y.into() },
        };
        let two = [key(Some("a")), key(Some("b"))];
        let count = |keys: &[KeyRecord], kid, algorithm| candidates(keys, kid, algorithm).len();
        assert_eq!(count(&two, Some("b"), Algorithm::Es256), 1);
        assert_eq!(count(&two, Some("c"), Algorithm::Es256), 0);
        assert_eq!(count(&two, Some("b"), Algorithm::Rs256), 0, "the algorithm is the key's, not the sender's choice");
        assert_eq!(count(&two, None, Algorithm::Es256), 0);
        assert_eq!(count(&[key(None)], None, Algorithm::Es256), 1);
        assert_eq!(count(&[key(None)], Some("a"), Algorithm::Es256), 0);
    }
}
