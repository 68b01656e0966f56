//! The answer of an endpoint, before it becomes an HTTP response.

use serde_json::Value;

use crate::protocol::error::ScimError;
use crate::protocol::message::Response;

/// The media type of every body (RFC 7644 §3.1).
const MEDIA_TYPE: &str = "application/scim+json";

/// An endpoint's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// A SCIM document, or empty.
    pub body: Vec<u8>,
    /// The media type of the body if it is no SCIM document.
    pub media_type: Option<&'static str>,
    /// The resource's version, as its `ETag`.
    pub etag: Option<String>,
    /// The resource's URL.
    pub location: Option<String>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// An answer of 200 with this document.
    #[must_use]
    pub fn document(body: &Value) -> Self {
        Self { status: 200, body: encode(body), ..Self::default() }
    }

    /// Encoded JSON with a status.
    #[must_use]
    pub fn json(status: u16, body: Vec<u8>) -> Self {
        Self { status, body, ..Self::default() }
    }

    /// An answer of 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: 204, ..Self::default() }
    }

    /// An answer that reports an error. Its detail ends with the request's id, by which the request is found in the
    /// SCIM log.
    #[must_use]
    pub fn refusal(error: &ScimError, request_id: &str) -> Self {
        let detail = format!("{} [request {request_id}]", error.detail);
        let body = encode(&ScimError { detail, ..error.clone() }.body());
        let headers = error.retry_after.map(|seconds| ("retry-after", seconds.to_string())).into_iter().collect();
        Self { status: error.status, body, headers, ..Self::default() }
    }

    /// The HTTP response, with the headers that every response has.
    #[must_use]
    pub fn into_response(self, request_id: &str) -> Response {
        let mut headers = vec![("x-request-id".to_owned(), request_id.to_owned())];
        if !self.body.is_empty() {
            headers.push(("content-type".to_owned(), self.media_type.unwrap_or(MEDIA_TYPE).to_owned()));
        }
        headers.extend(self.etag.map(|etag| ("etag".to_owned(), etag)));
        if let Some(location) = self.location {
            if self.status != 201 {
                headers.push(("content-location".to_owned(), location.clone()));
            }
            // In a 304, `Location` would name another URL to go to (RFC 9110 §15.4).
            if self.status != 304 {
                headers.push(("location".to_owned(), location));
            }
        }
        headers.extend(self.headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        Response { status: self.status, headers, body: self.body }
    }
}

/// Encodes a JSON value. This can't fail, because all keys are strings.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
