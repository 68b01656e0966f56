//! An authorization request on its way through the consent page: signed, short-lived, and without state on the server.

use crate::text::percent_encoded;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use insomnia_scim_contract::lasts;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::authorize::CONSENT_LIFE;
/// What the key signs here and nowhere else.
const PURPOSE: &[u8] = b"oauth consent\0";

/// What was asked for, after it has been checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    /// The `client_id`.
    pub(super) client: String,
    /// Where the answer goes.
    pub(super) redirect_uri: String,
    /// Whether the request named it.
    pub(super) named: bool,
    /// The client's `state`.
    pub(super) state: Option<String>,
    /// The S256 `code_challenge`.
    pub(super) challenge: Option<String>,
    /// Until when it may be approved, in milliseconds since the Unix epoch.
    pub(super) expires: u64,
}

impl Asked {
    /// As the consent page carries it.
    pub(super) fn sign(&self, key: &[u8]) -> Option<String> {
        let payload = serde_json::to_vec(self).ok()?;
        let signature = keyed(key, &payload)?.finalize().into_bytes();
        Some(format!("{}.{}", URL_SAFE_NO_PAD.encode(&payload), URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Reads it back at the time `now`; `None` if it was altered, is too old or another organization's.
    pub(super) fn verify(text: &str, key: &[u8], now: u64) -> Option<Self> {
        let (payload, signature) = text.split_once('.')?;
        let (payload, signature) = (URL_SAFE_NO_PAD.decode(payload).ok()?, URL_SAFE_NO_PAD.decode(signature).ok()?);
        keyed(key, &payload)?.verify_slice(&signature).ok()?;
        serde_json::from_slice::<Self>(&payload).ok().filter(|asked| lasts(asked.expires, now, CONSENT_LIFE))
    }

    /// The redirection with these parameters and the client's `state` (RFC 6749 §4.1.2).
    pub(super) fn redirect(&self, parameters: &[(&str, &str)]) -> String {
        redirect(&self.redirect_uri, self.state.as_deref(), parameters)
    }
}

/// A redirection: the parameters are added to those that the URI has.
pub(super) fn redirect(uri: &str, state: Option<&str>, parameters: &[(&str, &str)]) -> String {
    let mut location = uri.to_owned();
    let state = state.map(|state| ("state", state));
    for (name, value) in parameters.iter().copied().chain(state) {
        location.push(if location.contains('?') { '&' } else { '?' });
        location.push_str(&format!("{name}={}", percent_encoded(value)));
    }
    location
}

fn keyed(key: &[u8], payload: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::new_from_slice(key).ok()?;
    mac.update(PURPOSE);
    mac.update(payload);
    Some(mac)
}
