//! The page's own sessions: a random token in a cookie, its hash in the host's space of the storage.
//!
//! The key of a session begins with the time at which it ends whatever happens, so that those that have ended are
//! removed in one range, by the next sign-in. Sessions survive a restart and are the same on every host.

use async_trait::async_trait;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::session::{Session, SessionError, SessionProvider};
use crate::capability::storage::{Item, KeyRange, OrganizationId, Require, StorageError, Transaction, Write};
use crate::hex;
use crate::provisioner::Provisioner;
use crate::urls::{encode, page_path, path_of};

/// A session ends when it was not used for so long, in milliseconds.
const IDLE: u64 = 30 * 60 * 1000;
/// A session ends after so long, in milliseconds.
const ABSOLUTE: u64 = 12 * 60 * 60 * 1000;
/// How exactly it is kept when a session was used last, in milliseconds: not every request writes.
const SEEN: u64 = 60 * 1000;

/// What is stored of a session, as JSON at `session/<end>/<hash of the token>`. Times are milliseconds since the Unix
/// epoch. Beside it, at `signed-out/<organization>/<member>`, is when all sessions of a member ended at once.
#[derive(Serialize, Deserialize)]
struct Stored {
    organization: String,
    /// Which of the organizations with this name it is.
    #[serde(default)]
    generation: u64,
    member: String,
    seen: u64,
    /// The passphrase must be changed first: the session is good for nothing else.
    #[serde(default)]
    must_change: bool,
}

/// A session, and what it is good for.
pub(super) struct Found {
    pub(super) session: Session,
    /// The passphrase must be changed first.
    pub(super) must_change: bool,
}

/// The page's own sessions.
pub(super) struct PassphraseSessions {
    provisioner: Provisioner,
}

impl PassphraseSessions {
    pub(super) fn new(provisioner: Provisioner) -> Self {
        Self { provisioner }
    }

    /// Starts a session and ends the one that the request has; returns the `Set-Cookie` field.
    pub(super) async fn start(
        &self,
        organization: &OrganizationId,
        member: &str,
        must_change: bool,
        request: &HeaderMap,
    ) -> Result<String, SessionError> {
        let mut token = [0; 32];
        getrandom::fill(&mut token).map_err(|error| SessionError(error.to_string()))?;
        let now = self.provisioner.clock().now();
        let cookie = SessionCookie { end: now + ABSOLUTE, token: hex::encode(&token) };
        let found = self.provisioner.registry().find(organization).await.map_err(failed)?;
        let stored = Stored {
            organization: organization.to_string(),
            generation: found.map_or(0, |found| found.generation()),
            member: member.to_owned(),
            seen: now,
            must_change,
        };
        let ended = KeyRange { start: prefix(0), end: prefix(now) };
        let mut write = vec![Write::DeleteRange(ended), put(&cookie, &stored)?];
        write.extend(self.cookie_of(request).map(|old| Write::Delete(old.key())));
        self.commit(write).await?;
        Ok(self.set_cookie(organization, &cookie.to_string(), ABSOLUTE / 1000))
    }

    /// Ends the session that the request has; returns the `Set-Cookie` field.
    pub(super) async fn end(&self, organization: &OrganizationId, request: &HeaderMap) -> Result<String, SessionError> {
        if let Some(cookie) = self.cookie_of(request) {
            self.commit(vec![Write::Delete(cookie.key())]).await?;
        }
        Ok(self.set_cookie(organization, "", 0))
    }

    /// Ends all sessions of a member: the passphrase is another one.
    pub(super) async fn end_all(&self, organization: &OrganizationId, member: &str) -> Result<(), SessionError> {
        let now = self.provisioner.clock().now().to_string();
        self.commit(vec![Write::Put(signed_out(organization, member), now.into_bytes())]).await
    }

    /// The session of the request, also one that is only good for changing the passphrase.
    pub(super) async fn find(
        &self,
        organization: &OrganizationId,
        request: &HeaderMap,
    ) -> Result<Option<Found>, SessionError> {
        let now = self.provisioner.clock().now();
        let Some(cookie) = self.cookie_of(request).filter(|cookie| now < cookie.end) else { return Ok(None) };
        let Some(item) = self.get(cookie.key()).await? else { return Ok(None) };
        let mut stored: Stored =
            serde_json::from_slice(&item.value).map_err(|error| SessionError(error.to_string()))?;
        let idle = now.saturating_sub(stored.seen);
        if stored.organization != organization.as_str() || idle >= IDLE {
            return Ok(None);
        }
        // A session of an organization that had this name before is none of this one.
        let found = self.provisioner.registry().find(organization).await.map_err(failed)?;
        if found.is_none_or(|found| found.generation() != stored.generation) {
            return Ok(None);
        }
        if let Some(item) = self.get(signed_out(organization, &stored.member)).await? {
            let ended: u64 = str::from_utf8(&item.value).ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
            if cookie.end.saturating_sub(ABSOLUTE) < ended {
                return Ok(None);
            }
        }
        if idle >= SEEN {
            stored.seen = now;
            // Only where it still is: a sign-out in the meantime stands.
            let require = vec![Require::Version(cookie.key(), item.version)];
            let transaction = Transaction { require, write: vec![put(&cookie, &stored)?], wake_at: None };
            match self.provisioner.storage().commit(&OrganizationId::host(), transaction).await {
                Ok(_) | Err(StorageError::Conflict(_)) => {}
                // On a full disk the page can still be looked at.
                Err(error) => tracing::warn!("when a session was used last can't be kept: {error}"),
            }
        }
        let session = Session { actor: stored.member, secret: Sha256::digest(&cookie.token).to_vec() };
        Ok(Some(Found { session, must_change: stored.must_change }))
    }

    async fn get(&self, key: Vec<u8>) -> Result<Option<Item>, SessionError> {
        let found = self.provisioner.storage().get(&OrganizationId::host(), vec![key]).await.map_err(failed)?;
        Ok(found.into_iter().next().flatten())
    }

    async fn commit(&self, write: Vec<Write>) -> Result<(), SessionError> {
        let transaction = Transaction { write, ..Transaction::default() };
        self.provisioner.storage().commit(&OrganizationId::host(), transaction).await.map(|_| ()).map_err(failed)
    }

    fn secure(&self) -> bool {
        self.provisioner.base_url().starts_with("https://")
    }

    fn cookie_name(&self) -> &'static str {
        if self.secure() { "__Secure-insomnia-scim" } else { "insomnia-scim" }
    }

    fn set_cookie(&self, organization: &OrganizationId, value: &str, seconds: u64) -> String {
        let (name, path) = (self.cookie_name(), path_of(self.provisioner.base_url()));
        let secure = if self.secure() { "; Secure" } else { "" };
        let page = page_path(organization);
        format!("{name}={value}; Path={path}{page}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    fn cookie_of(&self, request: &HeaderMap) -> Option<SessionCookie> {
        let cookies = request.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie_name()).and_then(|(_, value)| SessionCookie::parse(value))
    }
}

#[async_trait]
impl SessionProvider for PassphraseSessions {
    async fn session(&self, organization: &OrganizationId, request: &Parts) -> Result<Option<Session>, SessionError> {
        let found = self.find(organization, &request.headers).await?;
        Ok(found.filter(|found| !found.must_change).map(|found| found.session))
    }

    fn sign_in_url(&self, organization: &OrganizationId, return_to: &str) -> String {
        let page = format!("{}{}", path_of(self.provisioner.base_url()), page_path(organization));
        if return_to == page { format!("{page}/sign-in") } else { format!("{page}/sign-in?next={}", encode(return_to)) }
    }
}

/// What the cookie holds.
struct SessionCookie {
    /// When the session ends whatever happens.
    end: u64,
    /// 256 random bits.
    token: String,
}

impl SessionCookie {
    fn parse(value: &str) -> Option<Self> {
        let (end, token) = value.split_once('.')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if token.len() != 64 || !digits(token) {
            return None;
        }
        Some(Self { end: end.parse().ok()?, token: token.to_owned() })
    }

    fn key(&self) -> Vec<u8> {
        [prefix(self.end), hex::encode(&Sha256::digest(self.token.as_bytes())).into_bytes()].concat()
    }
}

impl std::fmt::Display for SessionCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.end, self.token)
    }
}

fn signed_out(organization: &OrganizationId, member: &str) -> Vec<u8> {
    format!("signed-out/{organization}/{member}").into_bytes()
}

fn prefix(end: u64) -> Vec<u8> {
    format!("session/{end:020}/").into_bytes()
}

fn put(cookie: &SessionCookie, stored: &Stored) -> Result<Write, SessionError> {
    let value = serde_json::to_vec(stored).map_err(|error| SessionError(error.to_string()))?;
    Ok(Write::Put(cookie.key(), value))
}

fn failed(error: StorageError) -> SessionError {
    SessionError(error.to_string())
}
