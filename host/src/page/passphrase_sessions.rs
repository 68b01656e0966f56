//! The page's own sessions: a random token in a cookie, its hash in the host's space of the storage.
//!
//! The key of a session begins with the time at which it ends whatever happens, so that those that have ended are
//! removed in one range, by the next sign-in. Sessions survive a restart and are the same on every host.
//!
//! A session that was begun or used while the clock was ahead is not good for longer than any other: an end, or a last
//! use, that lies further ahead than it ever can is not believed. And whether a session was begun before or after all
//! sessions of a member were ended is not a matter of clocks: it holds what stood there when it was begun.

use async_trait::async_trait;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::query::encode;
use super::session::{Session, SessionError, SessionProvider};
use super::state::{page_path, path_of};
use crate::capability::clock::{TOLERANCE, lasts};
use crate::capability::storage::{Item, KeyRange, OrganizationId, Require, StorageError, Transaction, Write};
use crate::provisioner::Provisioner;

/// A session ends when it was not used for so long, in milliseconds.
const IDLE: u64 = 30 * 60 * 1000;
/// A session ends after so long, in milliseconds.
const ABSOLUTE: u64 = 12 * 60 * 60 * 1000;
/// How exactly it is kept when a session was used last, in milliseconds: not every request writes.
const SEEN: u64 = 60 * 1000;

/// What is stored of a session, as JSON at `session/<end>/<hash of the token>`. Times are milliseconds since the Unix
/// epoch. Beside it, at `signed-out/<organization>/<member>`, is a text that changes whenever all sessions of a member are
/// ended: the time, and since this is kept with the session, something random.
#[derive(Serialize, Deserialize)]
struct Stored {
    organization: String,
    member: String,
    seen: u64,
    /// The passphrase must be changed first: the session is good for nothing else.
    #[serde(default)]
    must_change: bool,
    /// What stood at `signed-out` when the session began; empty if nothing did. Earlier releases did not keep it.
    #[serde(default)]
    signed_out: Option<String>,
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
        let ticket = Ticket { end: now + ABSOLUTE, token: hex(&token) };
        let key = signed_out(organization, member);
        let before = self.get(key.clone()).await?;
        let stored = Stored {
            organization: organization.to_string(),
            member: member.to_owned(),
            seen: now,
            must_change,
            signed_out: Some(before.as_ref().map(text).unwrap_or_default()),
        };
        // Those that have ended, and those of a clock that was ahead.
        let wrong = now.saturating_add(ABSOLUTE).saturating_add(TOLERANCE).saturating_add(1);
        let ended = [prefix(0)..prefix(now), prefix(wrong)..prefix(u64::MAX)];
        let mut write: Vec<Write> =
            ended.map(|range| Write::DeleteRange(KeyRange { start: range.start, end: range.end })).into();
        write.push(put(&ticket, &stored)?);
        write.extend(self.ticket(request).map(|old| Write::Delete(old.key())));
        // All sessions ended meanwhile: whoever signs in at this moment does so once more.
        let require = vec![match before {
            Some(item) => Require::Version(key, item.version),
            None => Require::Absent(key),
        }];
        let transaction = Transaction { require, write, wake_at: None };
        self.provisioner.storage().commit(&OrganizationId::host(), transaction).await.map_err(failed)?;
        Ok(self.cookie(organization, &ticket.to_string(), ABSOLUTE / 1000))
    }

    /// Ends the session that the request has; returns the `Set-Cookie` field.
    pub(super) async fn end(&self, organization: &OrganizationId, request: &HeaderMap) -> Result<String, SessionError> {
        if let Some(ticket) = self.ticket(request) {
            self.commit(vec![Write::Delete(ticket.key())]).await?;
        }
        Ok(self.cookie(organization, "", 0))
    }

    /// Ends all sessions of a member: the passphrase is another one.
    pub(super) async fn end_all(&self, organization: &OrganizationId, member: &str) -> Result<(), SessionError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|error| SessionError(error.to_string()))?;
        let mark = format!("{} {}", self.provisioner.clock().now(), hex(&random));
        self.commit(vec![Write::Put(signed_out(organization, member), mark.into_bytes())]).await
    }

    /// The session of the request, also one that is only good for changing the passphrase.
    pub(super) async fn find(
        &self,
        organization: &OrganizationId,
        request: &HeaderMap,
    ) -> Result<Option<Found>, SessionError> {
        let now = self.provisioner.clock().now();
        let Some(ticket) = self.ticket(request).filter(|ticket| lasts(ticket.end, now, ABSOLUTE)) else {
            return Ok(None);
        };
        let Some(item) = self.get(ticket.key()).await? else { return Ok(None) };
        let mut stored: Stored =
            serde_json::from_slice(&item.value).map_err(|error| SessionError(error.to_string()))?;
        if stored.organization != organization.as_str() || !lasts(stored.seen.saturating_add(IDLE), now, IDLE) {
            return Ok(None);
        }
        let mark = self.get(signed_out(organization, &stored.member)).await?.as_ref().map(text).unwrap_or_default();
        let is_ended = match &stored.signed_out {
            Some(begun_with) => *begun_with != mark,
            None => ticket.end.saturating_sub(ABSOLUTE) < time_of(&mark),
        };
        if is_ended {
            return Ok(None);
        }
        if now.saturating_sub(stored.seen) >= SEEN {
            stored.seen = now;
            // Only where it still is: a sign-out in the meantime stands.
            let require = vec![Require::Version(ticket.key(), item.version)];
            let transaction = Transaction { require, write: vec![put(&ticket, &stored)?], wake_at: None };
            match self.provisioner.storage().commit(&OrganizationId::host(), transaction).await {
                Ok(_) | Err(StorageError::Conflict(_)) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let session = Session { actor: stored.member, secret: Sha256::digest(&ticket.token).to_vec() };
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

    fn cookie(&self, organization: &OrganizationId, value: &str, seconds: u64) -> String {
        let (name, path) = (self.cookie_name(), path_of(self.provisioner.base_url()));
        let secure = if self.secure() { "; Secure" } else { "" };
        let page = page_path(organization);
        format!("{name}={value}; Path={path}{page}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    fn ticket(&self, request: &HeaderMap) -> Option<Ticket> {
        let cookies = request.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie_name()).and_then(|(_, value)| Ticket::parse(value))
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
struct Ticket {
    /// When the session ends whatever happens.
    end: u64,
    /// 256 random bits.
    token: String,
}

impl Ticket {
    fn parse(value: &str) -> Option<Self> {
        let (end, token) = value.split_once('.')?;
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if token.len() != 64 || !digits(token) {
            return None;
        }
        Some(Self { end: end.parse().ok()?, token: token.to_owned() })
    }

    fn key(&self) -> Vec<u8> {
        [prefix(self.end), hex(&Sha256::digest(self.token.as_bytes())).into_bytes()].concat()
    }
}

impl std::fmt::Display for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.end, self.token)
    }
}

fn signed_out(organization: &OrganizationId, member: &str) -> Vec<u8> {
    format!("signed-out/{organization}/{member}").into_bytes()
}

fn text(item: &Item) -> String {
    String::from_utf8_lossy(&item.value).into_owned()
}

/// When all sessions of a member were ended; 0 if they never were.
fn time_of(mark: &str) -> u64 {
    mark.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0)
}

fn prefix(end: u64) -> Vec<u8> {
    format!("session/{end:020}/").into_bytes()
}

fn put(ticket: &Ticket, stored: &Stored) -> Result<Write, SessionError> {
    let value = serde_json::to_vec(stored).map_err(|error| SessionError(error.to_string()))?;
    Ok(Write::Put(ticket.key(), value))
}

fn failed(error: StorageError) -> SessionError {
    SessionError(error.to_string())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
