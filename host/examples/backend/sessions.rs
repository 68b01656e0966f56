//! The backend's sessions, which open the SCIM page as well. The browser has a random token in a cookie, and the table has its
//! hash.

use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use insomnia_scim::OrganizationId;
use insomnia_scim::page::{Session, SessionError, SessionProvider};
use sha2::{Digest as _, Sha256};

use crate::database::{Account, Database, SESSION};

const COOKIE: &str = "backend_session";

pub(crate) struct BackendSessions {
    database: Database,
}

impl BackendSessions {
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl SessionProvider for BackendSessions {
    async fn session(&self, organization: &OrganizationId, request: &Parts) -> Result<Option<Session>, SessionError> {
        let found = find(&self.database, &request.headers).map_err(|error| SessionError(error.to_string()))?;
        let Some(found) = found.filter(|found| found.organization == organization.as_str()) else { return Ok(None) };
        Ok(Some(Session { actor: found.account.id, secret: found.token.into_bytes() }))
    }

    fn sign_in_url(&self, organization: &OrganizationId, return_to: &str) -> String {
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("then", return_to).finish();
        format!("/{organization}/sign-in?{query}")
    }

    fn sign_out_url(&self, organization: &OrganizationId) -> Option<String> {
        Some(format!("/{organization}/sign-out"))
    }
}

/// A valid session.
pub(crate) struct Found {
    pub(crate) organization: String,
    pub(crate) account: Account,
    /// The hash of the cookie's token.
    pub(crate) token: String,
}

/// The session of the request's cookie.
pub(crate) fn find(database: &Database, headers: &HeaderMap) -> rusqlite::Result<Option<Found>> {
    let Some(token) = cookie(headers).map(|token| hash(&token)) else { return Ok(None) };
    let session = database.session(&token, now())?;
    Ok(session.map(|(organization, account)| Found { organization, account, token }))
}

/// Begins a session, and returns its `Set-Cookie` header field.
pub(crate) fn begin(
    database: &Database,
    organization: &str,
    account: &Account,
) -> Result<String, Box<dyn std::error::Error>> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    database.begin_session(&hash(&token), organization, &account.id, now())?;
    // Behind TLS, add `Secure` here.
    Ok(format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={SESSION}"))
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
    let mut pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}

fn hash(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The time in seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
