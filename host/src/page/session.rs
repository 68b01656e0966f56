//! Who looks at the page: the trait by which a backend brings its own sessions.

use async_trait::async_trait;
use axum::http::request::Parts;

use crate::capability::storage::OrganizationId;

/// Someone who is signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The id or the email address of the member. Both are unique only within the organization that the page has asked about: a
    /// session of another organization is no session here.
    pub actor: String,
    /// What only this session has, such as a hash of its id: forms are protected by a token that is derived from it.
    pub secret: Vec<u8>,
}

/// Why it can't be told who sent a request; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session can't be looked up: {0}")]
pub struct SessionError(pub String);

/// A backend's sessions.
#[async_trait]
pub trait SessionProvider: Send + Sync + 'static {
    /// Who sent the request; `None` if nobody is signed in to this organization. What the member may do is not asked
    /// here: the page looks at the role by itself.
    ///
    /// # Errors
    /// The page answers 503 and logs the text.
    async fn session(&self, organization: &OrganizationId, request: &Parts) -> Result<Option<Session>, SessionError>;

    /// Where a browser goes to sign in. `return_to` is the path and the query to come back to.
    fn sign_in_url(&self, organization: &OrganizationId, return_to: &str) -> String;

    /// Where the page's link to sign out leads, which a browser asks for by GET; without one the page has no such link.
    fn sign_out_url(&self, organization: &OrganizationId) -> Option<String> {
        let _ = organization;
        None
    }
}
