//! A SCIM request and its response, as they cross into the component.

use bytes::Bytes;

use crate::quota::Exceeded;

/// A request below an organization's connector URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScimRequest {
    /// As sent: `GET`, `POST`, …
    pub method: String,
    /// The path below the connector URL as sent, percent-encoded, with its leading slash; empty for the connector URL
    /// itself.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: Option<String>,
    /// Header fields: name in lower case, and value. At least those of `accept`, `authorization`, `content-length`,
    /// `content-type`, `if-match`, `if-none-match`, `user-agent` and `x-forwarded-for` that were sent.
    pub headers: Vec<(String, String)>,
    /// The body; at most [`crate::server::MAX_LARGE_BODY`].
    pub body: Vec<u8>,
    /// The connector URL as clients see it, without a slash at its end: what `meta.location` begins with.
    pub base_url: String,
    /// Names the request in logs, errors and the `X-Request-Id` header: up to 64 of `[A-Za-z0-9-]`.
    pub request_id: String,
}

/// A response; its body is a SCIM document or empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimResponse {
    /// The status code.
    pub status: u16,
    /// Header fields: name in lower case, and value.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl ScimResponse {
    /// A refusal by the host itself, with a SCIM error body (RFC 7644 §3.12) as the component writes them.
    pub fn error(status: u16, detail: &str, request_id: &str) -> Self {
        let body = serde_json::json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": status.to_string(),
            "detail": format!("{detail} [request {request_id}]"),
        });
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![header("x-request-id", request_id), header("content-type", "application/scim+json")];
        if status == 503 {
            headers.push(header("retry-after", "1"));
        }
        Self { status, headers, body: body.to_string().into() }
    }

    /// The refusal of a request for which a quota of the organization is used up.
    pub(crate) fn exceeded(status: u16, exceeded: &Exceeded, request_id: &str) -> Self {
        let text = exceeded.to_string();
        let mut characters = text.chars();
        let detail: String = characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect();
        let mut response = Self::error(status, &format!("{detail}."), request_id);
        response.headers.retain(|(name, _)| name != "retry-after");
        response.headers.push(("retry-after".to_owned(), exceeded.wait.to_string()));
        response
    }

    /// The refusal of a request whose organization was deleted while it was served: what the next one is answered.
    pub(crate) fn deleted(request_id: &str) -> Self {
        let detail = "The token is not valid for this connector URL.";
        let mut response = Self::error(401, detail, request_id);
        let challenge = format!("Bearer realm=\"SCIM\", error=\"invalid_token\", error_description=\"{detail}\"");
        response.headers.push(("www-authenticate".to_owned(), challenge));
        response
    }
}
