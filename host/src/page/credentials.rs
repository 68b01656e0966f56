//! The code that all views share in which somebody enters an email address or a passphrase.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};

use super::passphrase_sessions::PassphraseSessions;
use super::refusal::Refusal;
use super::state::PageState;
use crate::capability::storage::OrganizationId;
use crate::directory::Member;

/// Every refusal takes at least this long, so that an unknown organization does not answer faster than a wrong
/// passphrase.
pub(super) const REFUSAL: Duration = Duration::from_millis(400);
/// The longest text that is read: longer than any email address or passphrase.
pub(super) const LONGEST: usize = 1024;

/// The page's own sessions. If the backend has its own sessions, the page has no views to sign in.
pub(super) fn own(state: &PageState) -> Result<&PassphraseSessions, Refusal> {
    state.sessions.own().ok_or_else(|| Refusal::not_found("page"))
}

/// Redirects, and sets the cookies.
pub(super) fn with_cookies<'c>(redirect: Redirect, cookies: impl IntoIterator<Item = &'c str>) -> Response {
    let mut response = redirect.into_response();
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

/// The `Set-Cookie` field that makes the browser known as the member's. If this fails, the member is signed in
/// nevertheless.
pub(super) async fn remember(
    sessions: &PassphraseSessions,
    organization: &OrganizationId,
    member: &Member,
    request: &HeaderMap,
) -> Option<String> {
    match sessions.remember_device(organization, member, request).await {
        Ok(cookie) => Some(cookie),
        Err(error) => {
            tracing::warn!("the browser of a member can't be remembered: {error}");
            None
        }
    }
}
