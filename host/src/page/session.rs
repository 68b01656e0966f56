//! Tells who is signed in: the trait by which a backend brings its own sessions.

use async_trait::async_trait;
use axum::http::request::Parts;

use crate::capability::storage::OrganizationId;

/// A person who is signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The id or the email address of the member. Both are unique only within the organization that the page has asked about: a
    /// session of another organization is no session here.
    pub actor: String,
    /// A secret that only this session has, such as a hash of its id: forms are protected by a token that is derived
    /// from it.
    pub secret: Vec<u8>,
}

/// The reason why it is unknown who sent a request; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session can't be looked up: {0}")]
pub struct SessionError(pub String);

/// A backend's sessions.
#[async_trait]
pub trait SessionProvider: Send + Sync + 'static {
    /// The session of the person who sent the request; `None` if nobody is signed in to this organization. The page
    /// itself checks the member's role.
    ///
    /// # Errors
    /// The page answers 503 and logs the text.
    async fn session(&self, organization: &OrganizationId, request: &Parts) -> Result<Option<Session>, SessionError>;

    /// The URL at which a browser signs in. `return_to` is the path and the query to come back to.
    fn sign_in_url(&self, organization: &OrganizationId, return_to: &str) -> String;

    /// The URL of the page's link to sign out, which a browser opens by GET. Without one the page has no such link.
    fn sign_out_url(&self, organization: &OrganizationId) -> Option<String> {
        let _ = organization;
        None
    }
}
