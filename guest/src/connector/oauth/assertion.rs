//! Client assertions (RFC 7523 §3): a JWT with which a client authenticates.
//!
//! A JWT is accepted any number of times until it expires: its `jti` is not stored, which RFC 7523 leaves to the
//! server. The JWT is sent over TLS to this server only, and identity providers use the same one until it expires.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::jwks::Algorithm;

/// The `client_assertion_type` of a JWT (RFC 7523 §2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest JWT, in bytes. Those of Microsoft Entra ID have about 1,500.
const LONGEST: usize = 8 * 1024;
/// By how much the clocks of client and server may differ, in seconds.
const LEEWAY: f64 = 60.0;
/// How far in the future a JWT may expire, in seconds. Microsoft's are valid for at most 24 hours.
const LONGEST_LIFE: f64 = 24.0 * 3_600.0;

/// A parsed JWT. Nothing in it is verified yet.
pub(super) struct Assertion<'t> {
    /// The signature algorithm that the JWT claims.
    pub(super) algorithm: Algorithm,
    /// The id of the key that the JWT claims.
    pub(super) kid: Option<String>,
    /// The part of the text that is signed.
    pub(super) signed: &'t [u8],
    /// The signature.
    pub(super) signature: Vec<u8>,
    claims: Map<String, Value>,
}

/// The claims that a JWT must have.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) subject: &'e str,
    /// The accepted audiences. The JWT must name one of them.
    pub(super) audiences: &'e [String],
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl<'t> Assertion<'t> {
    /// Parses a JWT in the compact form (RFC 7515 §7.1). `None` if the text is no JWT or too long, if the algorithm of
    /// the signature is not supported, or if the JWT names an extension that the server must understand (`crit`).
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if claims.contains('.') {
            return None;
        }
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let header: Header = serde_json::from_slice(&part(header)?).ok()?;
        if header.crit.is_some() {
            return None;
        }
        Some(Self {
            algorithm: Algorithm::named(&header.alg)?,
            kid: header.kid,
            signed: signed.as_bytes(),
            signature: part(signature)?,
            claims: serde_json::from_slice(&part(claims)?).ok()?,
        })
    }

    /// The `sub`, by which the client is found if the request has no `client_id` (RFC 7521 §4.2).
    pub(super) fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// Checks the claims of a JWT whose signature is valid, at the time `now` in milliseconds.
    ///
    /// # Errors
    /// The text says what is wrong. Only a client that has one of the keys gets to see it.
    pub(super) fn check(&self, expected: &Expected<'_>, now: u64) -> Result<(), &'static str> {
        if self.text("iss") != Some(expected.issuer) {
            return Err("The issuer (iss) of the client assertion is not the registered one");
        }
        if self.text("sub") != Some(expected.subject) {
            return Err("The subject (sub) of the client assertion is not the registered one");
        }
        let audience = match self.claims.get("aud") {
            Some(Value::String(audience)) => Some(audience.as_str()),
            // If a JWT named several audiences, each of them could use it to authenticate to the others (RFC 7523 §3,
            // rule 3).
            Some(Value::Array(audiences)) => match audiences.as_slice() {
                [Value::String(audience)] => Some(audience.as_str()),
                _ => None,
            },
            _ => None,
        };
        if !audience.is_some_and(|audience| expected.audiences.iter().any(|known| known == audience)) {
            return Err("The audience (aud) of the client assertion is not the registered one");
        }
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in a double")]
        let now = now as f64 / 1_000.0;
        let Some(expires) = self.time("exp")? else { return Err("The client assertion has no expiry (exp)") };
        if now >= expires + LEEWAY {
            return Err("The client assertion has expired");
        }
        if expires > now + LONGEST_LIFE + LEEWAY {
            return Err("The client assertion is valid for longer than 24 hours");
        }
        for begin in [self.time("nbf")?, self.time("iat")?].into_iter().flatten() {
            if begin > now + LEEWAY {
                return Err("The client assertion is not valid yet");
            }
        }
        Ok(())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// A `NumericDate` (RFC 7519 §2), which may have a fraction.
    fn time(&self, name: &str) -> Result<Option<f64>, &'static str> {
        match self.claims.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or("A time of the client assertion is no number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: u64 = 1_760_000_000_000;
    const SECONDS: u64 = NOW / 1_000;

    fn jwt(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("signature"))
    }

    fn claims() -> Value {
        json!({"iss": "i", "sub": "s", "aud": "a", "exp": SECONDS + 300, "nbf": SECONDS, "iat": SECONDS})
    }

    #[test]
    fn rfc7515_a_jwt_of_another_form_or_algorithm_is_not_read() {
        let good = jwt(&json!({"alg": "RS256", "kid": "k", "typ": "JWT"}), &claims());
        let read = Assertion::parse(&good).unwrap();
        assert_eq!((read.algorithm, read.kid.as_deref(), read.subject()), (Algorithm::Rs256, Some("k"), Some("s")));
        assert_eq!(read.signed, good.rsplit_once('.').unwrap().0.as_bytes());
        for algorithm in ["none", "None", "HS256", "HS512", "RS512", "PS256", "ES384", "EdDSA", "rs256", ""] {
            assert!(Assertion::parse(&jwt(&json!({ "alg": algorithm }), &claims())).is_none(), "{algorithm}");
        }
        let bad = [
            String::new(),
            ".".into(),
            "..".into(),
            "...".into(),
            good.replacen('.', "", 1),
            format!("{good}."),
            format!("{good}="),
            format!("{good}.x.y"),
            jwt(&json!({"alg": "RS256", "crit": ["b64"], "b64": false}), &claims()),
            jwt(&json!({"kid": "k"}), &claims()),
            jwt(&json!({"alg": 1}), &claims()),
            jwt(&json!({"alg": "RS256", "kid": 5}), &claims()),
            jwt(&json!(["RS256"]), &claims()),
            jwt(&json!({"alg": "RS256"}), &json!([])),
            jwt(&json!({"alg": "RS256", "x": "x".repeat(LONGEST)}), &claims()),
        ];
        for bad in bad {
            assert!(Assertion::parse(&bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn rfc7523_3_what_the_claims_must_say() {
        let check = |change: &[(&str, Option<Value>)]| {
            let mut claims = claims();
            for (name, value) in change {
                match value {
                    Some(value) => claims[*name] = value.clone(),
                    None => drop(claims.as_object_mut().unwrap().remove(*name)),
                }
            }
            let jwt = jwt(&json!({"alg": "ES256"}), &claims);
            let audiences = ["a".to_owned(), "b".to_owned()];
            let expected = Expected { issuer: "i", subject: "s", audiences: &audiences };
            Assertion::parse(&jwt).unwrap().check(&expected, NOW).is_ok()
        };
        let at = |offset: i64| Some(json!(SECONDS.cast_signed() + offset));
        let good: [&[(&str, Option<Value>)]; 9] = [
            &[],
            &[("aud", Some(json!("b")))],
            &[("aud", Some(json!(["a"])))],
            &[("nbf", None), ("iat", None)],
            &[("exp", at(-59))],
            &[("exp", Some(json!(SECONDS as f64 + 0.5)))],
            &[("nbf", at(60)), ("iat", at(60))],
            &[("exp", at(86_460))],
            &[("jti", Some(json!("x"))), ("tid", Some(json!("y"))), ("ver", Some(json!("2.0")))],
        ];
        for good in good {
            assert!(check(good), "{good:?}");
        }
        for name in ["iss", "sub", "aud", "exp"] {
            assert!(!check(&[(name, None)]), "without {name}");
            assert!(!check(&[(name, Some(json!(null)))]), "{name} null");
        }
        for name in ["iss", "sub", "aud"] {
            for wrong in ["", "I", "i ", "x"] {
                assert!(!check(&[(name, Some(json!(wrong)))]), "{name} {wrong}");
            }
        }
        let bad: [(&str, Option<Value>); 11] = [
            ("aud", Some(json!(["a", "b"]))),
            ("aud", Some(json!(["a", "elsewhere"]))),
            ("aud", Some(json!([]))),
            ("aud", Some(json!([["a"]]))),
            ("exp", at(-60)),
            ("exp", at(86_461)),
            ("exp", Some(json!("1760000300"))),
            ("exp", Some(json!(1e300))),
            ("nbf", at(61)),
            ("iat", at(61)),
            ("iat", Some(json!(true))),
        ];
        for bad in bad {
            assert!(!check(std::slice::from_ref(&bad)), "{bad:?}");
        }
    }
}
