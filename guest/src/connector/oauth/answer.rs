//! The answers of the token and revocation endpoints (RFC 6749 §5).

use insomnia_scim_contract::OAuthResponse;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::store::{Retry, StoreError};

/// The `error` code of an error answer (RFC 6749 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }
}

/// The reason for an error answer. Nothing was issued.
#[derive(Debug, Error)]
pub(super) enum OAuthError {
    /// An error of RFC 6749 §5.2. As that section requires, the text has neither quotation marks nor backslashes.
    #[error("{1}")]
    Refused(Code, &'static str),
    /// Another server that the answer depends on can't be reached. The text follows the same rule.
    #[error("{0}")]
    Unavailable(&'static str),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Retry for OAuthError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

/// 200 with a JSON object.
pub(super) fn object(object: Map<String, Value>) -> OAuthResponse {
    response(200, Some(object))
}

/// 200 without a body.
pub(super) fn empty() -> OAuthResponse {
    response(200, None)
}

fn response(status: u16, object: Option<Map<String, Value>>) -> OAuthResponse {
    let mut headers =
        vec![("cache-control".to_owned(), "no-store".to_owned()), ("pragma".to_owned(), "no-cache".to_owned())];
    let body = object.map(|object| Value::Object(object).to_string().into_bytes()).unwrap_or_default();
    if !body.is_empty() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    OAuthResponse { status, headers, body }
}

impl From<OAuthError> for OAuthResponse {
    fn from(error: OAuthError) -> Self {
        let (status, code, description) = match &error {
            OAuthError::Refused(Code::InvalidClient, text) => (401, Code::InvalidClient.as_str(), *text),
            OAuthError::Refused(code, text) => (400, code.as_str(), *text),
            OAuthError::Unavailable(text) => (503, "temporarily_unavailable", *text),
            OAuthError::Store(StoreError::Broken(text)) => {
                eprintln!("an OAuth request failed: {text}");
                (500, "server_error", "An internal error occurred")
            }
            OAuthError::Store(_) => (503, "temporarily_unavailable", "The storage is unavailable for the moment"),
        };
        let mut object = Map::new();
        object.insert("error".into(), code.into());
        object.insert("error_description".into(), description.into());
        let mut response = response(status, Some(object));
        match status {
            401 => response.headers.push(("www-authenticate".into(), "Basic realm=\"SCIM\"".into())),
            503 => response.headers.push(("retry-after".into(), "5".into())),
            _ => {}
        }
        response
    }
}
