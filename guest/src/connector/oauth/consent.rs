//! An authorization request while the consent page is shown: encrypted and short-lived, so that the server keeps no
//! state.

use insomnia_scim_contract::lasts;
use serde::{Deserialize, Serialize};

use super::SECOND;
use crate::opaque::{NONCE, OpaqueKey};
use crate::text::percent_encoded;

/// How long an owner may look at the consent page, in milliseconds.
pub(super) const CONSENT_LIFE: u64 = 600 * SECOND;
/// The purpose for which the key encrypts here, and nowhere else.
const PURPOSE: &str = "oauth consent";

/// The parameters of an authorization request that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    /// The `client_id`.
    pub(super) client: String,
    /// The redirection URI to which the answer is sent.
    pub(super) redirect_uri: String,
    /// Whether the request has named the redirection URI.
    pub(super) named: bool,
    /// The client's `state`.
    pub(super) state: Option<String>,
    /// The S256 `code_challenge`.
    pub(super) challenge: Option<String>,
    /// Until when it may be approved, in milliseconds since the Unix epoch.
    pub(super) expires: u64,
}

impl Asked {
    /// The encrypted request for the consent page; `None` if it can't be encoded.
    pub(super) fn seal(&self, key: &OpaqueKey, nonce: [u8; NONCE]) -> Option<String> {
        key.seal(nonce, PURPOSE, "", &serde_json::to_vec(self).ok()?)
    }

    /// Decrypts a request at the time `now`; `None` if it was altered, is too old or belongs to another organization.
    pub(super) fn open(text: &str, key: &OpaqueKey, now: u64) -> Option<Self> {
        let payload = key.open(PURPOSE, "", text)?;
        serde_json::from_slice::<Self>(&payload).ok().filter(|asked| lasts(asked.expires, now, CONSENT_LIFE))
    }

    /// The redirection URI with these parameters and the client's `state` (RFC 6749 §4.1.2).
    pub(super) fn redirect(&self, parameters: &[(&str, &str)]) -> String {
        redirect(&self.redirect_uri, self.state.as_deref(), parameters)
    }
}

/// A redirection: the parameters are appended to those that the URI already has.
pub(super) fn redirect(uri: &str, state: Option<&str>, parameters: &[(&str, &str)]) -> String {
    let mut location = uri.to_owned();
    let state = state.map(|state| ("state", state));
    for (name, value) in parameters.iter().copied().chain(state) {
        location.push(if location.contains('?') { '&' } else { '?' });
        location.push_str(&format!("{name}={}", percent_encoded(value)));
    }
    location
}
