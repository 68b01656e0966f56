//! Okta: installs the token of an application's provisioning connection by the Application Connections API.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::outcome::{Failure, access_token, call, member};
use crate::capability::{Host, HttpRequest};
use crate::jws;
use crate::secret::hexadecimal;
use crate::store::Trouble;

/// How long a client assertion is valid, in seconds.
const ASSERTION: u64 = 300;

/// The advice for an administrator who must correct the configuration.
const ADVICE: &str = "Check the application's id and that the API access may manage applications. Okta's API sets the \
    connection of some applications of its catalogue only, not of custom ones: if this is one, remove the automatic \
    refresh, refresh the token by hand, and enter it in Okta under Provisioning > Integration.";

/// Adds the advice to a failure.
fn advised(mut failure: Failure) -> Failure {
    if failure.trouble == Trouble::Attention {
        failure.text = format!("{} {ADVICE}", failure.text);
    }
    failure
}

/// The credentials for the API.
pub(super) enum OktaSecret<'a> {
    /// An API token, sent as `SSWS`.
    ApiToken(&'a str),
    /// The key of a service application: Okta requires it, instead of a client secret, for its own scopes.
    PrivateKey {
        client_id: &'a str,
        /// An EC key of the curve P-256 as a JWK (RFC 7517).
        jwk: &'a str,
    },
}

/// The address and the credentials of the API.
pub(super) struct Okta<'a> {
    pub(super) org_url: &'a str,
    pub(super) app_id: &'a str,
    pub(super) secret: OktaSecret<'a>,
}

impl Okta<'_> {
    /// Installs the token: `POST /api/v1/apps/{appId}/connections/default?activate=true`, which answers 200 or 201.
    pub(super) fn install(&self, host: Host<'_>, token: &str, now: u64) -> Result<(), Failure> {
        let authorization = match &self.secret {
            OktaSecret::ApiToken(token) => format!("SSWS {token}"),
            OktaSecret::PrivateKey { client_id, jwk } => format!("Bearer {}", self.sign_in(host, client_id, jwk, now)?),
        };
        let profile = json!({"profile": {"authScheme": "TOKEN", "token": token}});
        let request = HttpRequest {
            method: "POST".into(),
            url: format!("{}/api/v1/apps/{}/connections/default?activate=true", self.org_url, self.app_id),
            headers: vec![
                ("authorization".into(), authorization),
                ("content-type".into(), "application/json".into()),
                ("accept".into(), "application/json".into()),
            ],
            body: profile.to_string().into_bytes(),
            timeout_milliseconds: None,
        };
        let response = call(host.http, "Okta", request, now).map_err(advised)?;
        // For an application whose connection has no API, Okta answers 200 with this value and does nothing.
        let is_unknown = |name: &str| member(&response.body, name).is_some_and(|value| value == "UNKNOWN");
        if is_unknown("status") || is_unknown("authScheme") {
            let text = "Okta did not take the token: this application's connection can't be set over Okta's API.";
            return Err(advised(Failure::attention(text)));
        }
        Ok(())
    }

    /// Gets an access token by client credentials with a signed assertion (RFC 7523 §2.2).
    fn sign_in(&self, host: Host<'_>, client_id: &str, jwk: &str, now: u64) -> Result<String, Failure> {
        let url = format!("{}/oauth2/v1/token", self.org_url);
        let mut id = [0; 16];
        host.random.fill(&mut id);
        let unusable = || Failure::attention("The private key for Okta can't be used. Configure the access again.");
        let key = PrivateKey::parse(jwk).ok_or_else(unusable)?;
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": url, "jti": hexadecimal(&id),
            "iat": now / 1_000, "exp": now / 1_000 + ASSERTION,
        });
        let assertion = key.sign(&claims).ok_or_else(unusable)?;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", "okta.apps.manage"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        access_token(host.http, "The Okta sign-in", url, &form, now)
    }
}

/// A key that signs with ES256 (RFC 7518 §3.4).
pub(super) struct PrivateKey {
    key: jws::PrivateKey,
    id: Option<String>,
}

impl PrivateKey {
    /// Parses a JWK; `None` if it is no private key of the curve P-256.
    pub(super) fn parse(jwk: &str) -> Option<Self> {
        let jwk: Value = serde_json::from_str(jwk).ok()?;
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("kty") != Some("EC") || text("crv") != Some("P-256") {
            return None;
        }
        let key = jws::PrivateKey::from_bytes(&URL_SAFE_NO_PAD.decode(text("d")?).ok()?)?;
        Some(Self { key, id: text("kid").map(str::to_owned) })
    }

    /// Makes a signed JWT of the claims (RFC 7515 §3.1).
    fn sign(&self, claims: &Value) -> Option<String> {
        let mut header = json!({"alg": "ES256", "typ": "JWT"});
        if let (Value::Object(header), Some(id)) = (&mut header, &self.id) {
            header.insert("kid".into(), id.clone().into());
        }
        self.key.sign(&header, claims)
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier;
    use p256::ecdsa::{Signature, SigningKey};

    use super::*;

    /// The example key of RFC 7515 appendix A.3.
    const JWK: &str = r#"{"kty":"EC","crv":"P-256","kid":"k1","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

    #[test]
    fn a_client_assertion_is_signed_with_es256() {
        let key = PrivateKey::parse(JWK).unwrap();
        let token = key.sign(&json!({"iss": "c"})).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
        let private = URL_SAFE_NO_PAD.decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI").unwrap();
        let public = *SigningKey::from_slice(&private).unwrap().verifying_key();
        public.verify(signed.as_bytes(), &signature).unwrap();
        let header = URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), json!({"alg":"ES256","typ":"JWT","kid":"k1"}));
        assert!(PrivateKey::parse(&JWK.replace("P-256", "P-384")).is_none());
        assert!(PrivateKey::parse(r#"{"kty":"EC","crv":"P-256","d":""}"#).is_none());
    }
}
