//! Browsers in which a member has signed in or has opened a mailed link: wrong tries of strangers do not slow them
//! down.
//!
//! A browser has a random token in a cookie, and the host stores the token's hash, as for sessions. A known browser
//! only shows that the member has used it before; the passphrase is asked for nevertheless. When the member's
//! passphrase changes, all of the member's browsers are forgotten.

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::passphrase_sessions::{PassphraseSessions, SessionCookie, signed_out};
use super::session::SessionError;
use crate::capability::clock::lasts;
use crate::capability::storage::{Change, KeyRange, OrganizationId};
use crate::directory::Member;

/// How long a browser is known after the last sign-in, in milliseconds.
const KNOWN: u64 = 180 * 24 * 60 * 60 * 1000;
/// The name of the cookie, after that of the session.
const SUFFIX: &str = "-device";

/// The stored data of a browser, as JSON at `device/<end>/<hash of the token>`.
#[derive(Serialize, Deserialize)]
struct Stored {
    organization: String,
    generation: u64,
    member: String,
    /// A hash that recognises the member's email address, so that the address is not stored.
    email: String,
    /// The mark that was stored for the member when the browser became known. It changes whenever all of the member's
    /// sessions are ended.
    signed_out: Vec<u8>,
}

impl PassphraseSessions {
    /// Remembers the browser as the member's; returns the `Set-Cookie` field.
    pub(super) async fn remember_device(
        &self,
        organization: &OrganizationId,
        member: &Member,
        request: &HeaderMap,
    ) -> Result<String, SessionError> {
        let now = self.now();
        let cookie = SessionCookie::new(now + KNOWN)?;
        let stored = Stored {
            organization: organization.to_string(),
            generation: self.generation(organization).await?.unwrap_or(0),
            member: member.id.clone(),
            email: hidden(&cookie, &member.email),
            signed_out: self.mark(organization, &member.id).await?,
        };
        let value = serde_json::to_vec(&stored).map_err(|error| SessionError(error.to_string()))?;
        let past = KeyRange { start: prefix(0), end: prefix(now) };
        let mut write = vec![Change::DeleteRange(past), Change::put(key(&cookie), value)];
        write.extend(self.cookie_named(SUFFIX, request).map(|old| Change::Delete(key(&old))));
        self.commit(write).await?;
        Ok(self.set_cookie_named(SUFFIX, organization, &cookie.to_string(), KNOWN / 1000))
    }

    /// The browser's key, if it is known as that of the member with this email address.
    pub(super) async fn known_device(
        &self,
        organization: &OrganizationId,
        email: &str,
        request: &HeaderMap,
    ) -> Result<Option<Vec<u8>>, SessionError> {
        let now = self.now();
        let Some(cookie) = self.cookie_named(SUFFIX, request) else { return Ok(None) };
        // A time further ahead than possible was set by a clock that was ahead.
        if !lasts(cookie.end, now, KNOWN) {
            return Ok(None);
        }
        let Some(item) = self.get(key(&cookie)).await? else { return Ok(None) };
        let stored: Stored = serde_json::from_slice(&item.value).map_err(|error| SessionError(error.to_string()))?;
        let known = stored.organization == organization.as_str()
            && Some(stored.generation) == self.generation(organization).await?
            && stored.email == hidden(&cookie, email);
        if !known {
            return Ok(None);
        }
        let mark = self.mark(organization, &stored.member).await?;
        // A mark is only removed when no browser from before it can be known any more.
        let is_ended = !mark.is_empty() && stored.signed_out != mark;
        Ok((!is_ended).then(|| key(&cookie)))
    }

    async fn mark(&self, organization: &OrganizationId, member: &str) -> Result<Vec<u8>, SessionError> {
        Ok(self.get(signed_out(organization, member)).await?.map(|item| item.value).unwrap_or_default())
    }
}

/// The stored form of the email address of a browser's member. Only the holder of the cookie can compute it, so nobody
/// finds the address by trying.
fn hidden(cookie: &SessionCookie, email: &str) -> String {
    let text = format!("{}\n{}", cookie.token, email.trim().to_lowercase());
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn prefix(end: u64) -> Vec<u8> {
    format!("device/{end:020}/").into_bytes()
}

fn key(cookie: &SessionCookie) -> Vec<u8> {
    [prefix(cookie.end), hex::encode(Sha256::digest(cookie.token.as_bytes())).into_bytes()].concat()
}
