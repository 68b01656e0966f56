//! What the views share that take an email address or a passphrase.

use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::passphrase_sessions::PassphraseSessions;
use super::refusal::Refusal;
use super::state::PageState;

/// Every refusal takes at least so long: an organization that is not there answers no faster than a wrong passphrase.
pub(super) const REFUSAL: Duration = Duration::from_millis(400);
/// Longer than any email address or passphrase.
pub(super) const LONGEST: usize = 1024;

/// The page's own sessions. Where a backend has its own, the page has no views to sign in.
pub(super) fn own(state: &PageState) -> Result<&PassphraseSessions, Refusal> {
    state.sessions.own().ok_or_else(|| Refusal::not_found("page"))
}

/// Redirects, and sets the cookie.
pub(super) fn with_cookie(redirect: Redirect, cookie: &str) -> Response {
    let mut response = redirect.into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}
