//! The head of a request: its media types, and the tolerance rules that reading it has needed.

use crate::protocol::error::ScimError;
use crate::protocol::message::Request;
use crate::protocol::mode::Mode;
use crate::protocol::route::Route;
use crate::protocol::tolerance::Tolerance;

/// Every media type that a body may have (RFC 7644 §3.1; T17).
const MEDIA_TYPES: [&str; 2] = ["application/scim+json", "application/json"];

/// An `Accept` header can be met if it names at least one of these media types. A request with another `Accept` header
/// is answered as well (T17).
const ACCEPTED: [&str; 4] = ["application/scim+json", "application/json", "application/*", "*/*"];

/// Notes which tolerance rules the request line and the header fields have needed.
pub(super) fn note_head(request: &Request, route: &Result<Route, ScimError>, mode: Mode<'_>) {
    let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
    if token.is_none_or(|token| token.trim() != token) {
        mode.note(Tolerance::Authorization);
    }
    if request.path.contains("//") || (request.path.len() > 1 && request.path.ends_with('/')) {
        mode.note(Tolerance::Url);
    }
    let is_named_so = request.path.trim_end_matches('/').to_ascii_lowercase().ends_with("/serviceproviderconfig");
    if matches!(route, Ok(Route::ServiceProviderConfig)) && !is_named_so {
        mode.note(Tolerance::Alias);
    }
    let accept = request.header("accept").map(str::to_ascii_lowercase);
    let is_taken = accept.is_none_or(|accept| ACCEPTED.iter().any(|known| accept.contains(known)));
    let has_type = request.header("content-type").is_some_and(|content_type| !content_type.trim().is_empty());
    if !is_taken || !(has_type || request.body.is_empty()) {
        mode.note(Tolerance::MediaType);
    }
}

/// Refuses a body of another media type with 415; a body without a media type is taken for JSON (T17). This is asked
/// only if the body is read.
pub(super) fn require_json(request: &Request) -> Result<(), ScimError> {
    let Some(content_type) = request.header("content-type").filter(|_| !request.body.is_empty()) else { return Ok(()) };
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.is_empty() || MEDIA_TYPES.iter().any(|known| known.eq_ignore_ascii_case(media_type)) {
        return Ok(());
    }
    Err(ScimError::status(415, format!("A body must be {}, not {media_type}", MEDIA_TYPES.join(" or "))))
}
