//! The page's own sessions: the browser has a random token in a cookie, and the host stores the token's hash.
//!
//! A session's key begins with the latest time at which the session ends. The next sign-in can therefore delete ended
//! sessions as one range. Sessions survive a restart, and all hosts share them.
//!
//! A clock that is ahead must not make a session last longer: an end or a last use that is further ahead than possible
//! is not accepted. When all sessions of a member are ended, a mark of the member changes. A session stores the mark
//! that existed when it began, so no clock decides whether it is older.

use async_trait::async_trait;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::session::{Session, SessionError, SessionProvider};
use crate::capability::clock::{TOLERANCE, lasts};
use crate::capability::host_space::{HostSpace, unchanged};
use crate::capability::storage::{Change, Condition, Item, KeyRange, OrganizationId, StorageError};
use crate::hourly::warn_hourly;
use crate::provisioner::Provisioner;
use crate::urls::{encode, page_path, path_of};

/// A session ends if it is not used for this long, in milliseconds.
const IDLE: u64 = 30 * 60 * 1000;
/// A session ends after this time, in milliseconds.
const ABSOLUTE: u64 = 12 * 60 * 60 * 1000;
/// How exactly the last use is stored, in milliseconds: not every request writes.
const SEEN: u64 = 60 * 1000;

/// The stored data of a session, as JSON at `session/<end>/<hash of the token>`. Times are milliseconds since the Unix
/// epoch. The mark at `signed-out/<organization>/<member>` changes whenever all sessions of the member are ended: it is
/// the time and a random text.
#[derive(Serialize, Deserialize)]
struct Stored {
    organization: String,
    /// The generation of the organization: an organization of the same name may have existed before.
    #[serde(default)]
    generation: u64,
    member: String,
    seen: u64,
    /// Whether the session only allows changing the passphrase, which must be done first.
    #[serde(default)]
    must_change: bool,
    /// The mark at `signed-out` when the session began; empty if there was none. Earlier releases did not store it.
    #[serde(default)]
    signed_out: Option<String>,
}

/// A session, and what it allows.
pub(super) struct Found {
    pub(super) session: Session,
    /// Whether the passphrase must be changed first.
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

    /// Begins a session, and ends the one that the request has; returns the `Set-Cookie` field.
    pub(super) async fn start(
        &self,
        organization: &OrganizationId,
        member: &str,
        must_change: bool,
        request: &HeaderMap,
    ) -> Result<String, SessionError> {
        let now = self.now();
        let cookie = SessionCookie::new(now.saturating_add(ABSOLUTE))?;
        let key = signed_out(organization, member);
        let before = self.get(key.clone()).await?;
        let stored = Stored {
            organization: organization.to_string(),
            generation: self.generation(organization).await?.unwrap_or(0),
            member: member.to_owned(),
            seen: now,
            must_change,
            signed_out: Some(before.as_ref().map(text).unwrap_or_default()),
        };
        // Ended sessions, and those that a clock that was ahead has made.
        let wrong = now.saturating_add(ABSOLUTE).saturating_add(TOLERANCE).saturating_add(1);
        let ended = [prefix(0)..prefix(now), prefix(wrong)..prefix(u64::MAX)];
        let mut changes: Vec<Change> =
            ended.map(|range| Change::DeleteRange(KeyRange { start: range.start, end: range.end })).into();
        changes.push(put(&cookie, &stored)?);
        changes.extend(self.cookie_of(request).map(|old| Change::Delete(old.key())));
        // If all sessions are ended at this moment, this sign-in fails and must be repeated.
        let conditions = vec![unchanged(key, before.as_ref())];
        self.space().commit(conditions, changes).await.map_err(failed)?;
        Ok(self.set_cookie(organization, &cookie.to_string(), ABSOLUTE / 1000))
    }

    /// Ends the session that the request has; returns the `Set-Cookie` field.
    pub(super) async fn end(&self, organization: &OrganizationId, request: &HeaderMap) -> Result<String, SessionError> {
        if let Some(cookie) = self.cookie_of(request) {
            self.commit(vec![Change::Delete(cookie.key())]).await?;
        }
        Ok(self.set_cookie(organization, "", 0))
    }

    /// Ends all sessions of a member, because the passphrase was changed.
    pub(super) async fn end_all(&self, organization: &OrganizationId, member: &str) -> Result<(), SessionError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| SessionError(error.to_string()))?;
        let mark = format!("{} {}", self.provisioner.clock().now(), hex::encode(random));
        self.commit(vec![Change::put(signed_out(organization, member), mark.into_bytes())]).await
    }

    /// The session of the request, even if it only allows changing the passphrase.
    pub(super) async fn find(
        &self,
        organization: &OrganizationId,
        request: &HeaderMap,
    ) -> Result<Option<Found>, SessionError> {
        let now = self.provisioner.clock().now();
        let Some(cookie) = self.cookie_of(request).filter(|cookie| lasts(cookie.end, now, ABSOLUTE)) else {
            return Ok(None);
        };
        let Some(item) = self.get(cookie.key()).await? else { return Ok(None) };
        let mut stored: Stored =
            serde_json::from_slice(&item.value).map_err(|error| SessionError(error.to_string()))?;
        if stored.organization != organization.as_str() || !lasts(stored.seen.saturating_add(IDLE), now, IDLE) {
            return Ok(None);
        }
        // The session belongs to an earlier organization of the same name.
        if self.generation(organization).await? != Some(stored.generation) {
            return Ok(None);
        }
        let mark = self.get(signed_out(organization, &stored.member)).await?.as_ref().map(text).unwrap_or_default();
        let is_ended = match &stored.signed_out {
            // A mark is only removed when no session from before it is left.
            Some(begun_with) => !mark.is_empty() && *begun_with != mark,
            None => cookie.end.saturating_sub(ABSOLUTE) < time_of(&mark),
        };
        if is_ended {
            return Ok(None);
        }
        if now.saturating_sub(stored.seen) >= SEEN {
            stored.seen = now;
            // The session is only written if it still exists, so that a sign-out at the same time has effect.
            let conditions = vec![Condition::version(cookie.key(), item.version)];
            match self.space().commit(conditions, vec![put(&cookie, &stored)?]).await {
                Ok(_) | Err(StorageError::Conflict(_)) => {}
                // The page can still be read when the disk is full.
                Err(error) => warn_hourly!("session-used"; "when a session was used last can't be kept: {error}"),
            }
        }
        let session = Session { actor: stored.member, secret: Sha256::digest(&cookie.token).to_vec() };
        Ok(Some(Found { session, must_change: stored.must_change }))
    }

    /// Milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.provisioner.clock().now()
    }

    /// The generation of the organization that has this name now.
    pub(super) async fn generation(&self, organization: &OrganizationId) -> Result<Option<u64>, SessionError> {
        let found = self.provisioner.registry().find(organization).await.map_err(failed)?;
        Ok(found.map(|found| found.generation()))
    }

    pub(super) async fn get(&self, key: Vec<u8>) -> Result<Option<Item>, SessionError> {
        self.space().get(key).await.map_err(failed)
    }

    pub(super) async fn commit(&self, changes: Vec<Change>) -> Result<(), SessionError> {
        self.space().change(changes).await.map_err(failed)
    }

    fn space(&self) -> HostSpace<'_> {
        HostSpace(self.provisioner.storage())
    }

    fn secure(&self) -> bool {
        self.provisioner.base_url().starts_with("https://")
    }

    fn cookie_name(&self) -> &'static str {
        if self.secure() { "__Secure-insomnia-scim" } else { "insomnia-scim" }
    }

    fn set_cookie(&self, organization: &OrganizationId, value: &str, seconds: u64) -> String {
        self.set_cookie_named("", organization, value, seconds)
    }

    /// The `Set-Cookie` field for a cookie of this page. The suffix is added to the name of the session's cookie.
    pub(super) fn set_cookie_named(
        &self,
        suffix: &str,
        organization: &OrganizationId,
        value: &str,
        seconds: u64,
    ) -> String {
        let (name, path) = (self.cookie_name(), path_of(self.provisioner.base_url()));
        let secure = if self.secure() { "; Secure" } else { "" };
        let page = page_path(organization);
        format!("{name}{suffix}={value}; Path={path}{page}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    fn cookie_of(&self, request: &HeaderMap) -> Option<SessionCookie> {
        self.cookie_named("", request)
    }

    /// The value of a cookie of the request. The suffix is added to the name of the session's cookie.
    pub(super) fn cookie_named(&self, suffix: &str, request: &HeaderMap) -> Option<SessionCookie> {
        let wanted = format!("{}{suffix}", self.cookie_name());
        let cookies = request.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == wanted).and_then(|(_, value)| SessionCookie::parse(value))
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

/// The content of a cookie.
pub(super) struct SessionCookie {
    /// The latest time at which the session, or a known browser, ends.
    pub(super) end: u64,
    /// 256 random bits.
    pub(super) token: String,
}

impl SessionCookie {
    /// A new cookie that ends at this time, in milliseconds since the Unix epoch.
    pub(super) fn new(end: u64) -> Result<Self, SessionError> {
        let mut token = [0; 32];
        getrandom::fill(&mut token).map_err(|error| SessionError(error.to_string()))?;
        Ok(Self { end, token: hex::encode(token) })
    }

    fn parse(value: &str) -> Option<Self> {
        let (end, token) = value.split_once('.')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if token.len() != 64 || !digits(token) {
            return None;
        }
        Some(Self { end: end.parse().ok()?, token: token.to_owned() })
    }

    fn key(&self) -> Vec<u8> {
        [prefix(self.end), hex::encode(Sha256::digest(self.token.as_bytes())).into_bytes()].concat()
    }
}

impl std::fmt::Display for SessionCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.end, self.token)
    }
}

pub(super) fn signed_out(organization: &OrganizationId, member: &str) -> Vec<u8> {
    format!("signed-out/{organization}/{member}").into_bytes()
}

fn text(item: &Item) -> String {
    String::from_utf8_lossy(&item.value).into_owned()
}

/// When all sessions of the member were last ended; 0 if they never were.
fn time_of(mark: &str) -> u64 {
    mark.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0)
}

fn prefix(end: u64) -> Vec<u8> {
    format!("session/{end:020}/").into_bytes()
}

fn put(cookie: &SessionCookie, stored: &Stored) -> Result<Change, SessionError> {
    let value = serde_json::to_vec(stored).map_err(|error| SessionError(error.to_string()))?;
    Ok(Change::put(cookie.key(), value))
}

fn failed(error: StorageError) -> SessionError {
    SessionError(error.to_string())
}
