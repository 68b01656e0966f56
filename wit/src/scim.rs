//! A SCIM request and its response.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// A header field: its name and its value.
pub type Header = (String, String);

/// A request below an organization's connector URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct ScimRequest {
    /// The method as sent, in capital letters: `GET`, `POST`, …
    pub method: String,
    /// The path below the connector URL as sent, percent-encoded, with its leading slash. It is empty for the connector URL
    /// itself.
    pub path: String,
    /// The query as sent, without the question mark.
    pub query: Option<String>,
    /// Header fields. At least those of `accept`, `authorization`, `content-length`, `content-type`, `if-match`,
    /// `if-none-match`, `prefer` and `user-agent` that were sent. The case of names does not matter.
    pub headers: Vec<Header>,
    /// The body; at most 16 MiB.
    pub body: Vec<u8>,
    /// The connector URL as clients see it. `meta.location` begins with it.
    #[cfg_attr(feature = "host", component(name = "base-url"))]
    pub base_url: String,
    /// Identifies the request in logs, errors and the `X-Request-Id` header: 1 to 64 of `[A-Za-z0-9-]`, unique in the
    /// organization. The component replaces an id of another form.
    #[cfg_attr(feature = "host", component(name = "request-id"))]
    pub request_id: String,
    /// The IP address of the client, if it is known.
    #[cfg_attr(feature = "host", component(name = "sender-address"))]
    pub sender_address: Option<String>,
}

impl ScimRequest {
    /// The value of the first header field of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// The request without its body, which may be large.
    #[must_use]
    pub fn clone_head(&self) -> Self {
        Self {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: Vec::new(),
            base_url: self.base_url.clone(),
            request_id: self.request_id.clone(),
            sender_address: self.sender_address.clone(),
        }
    }
}

/// A response. Its body is a SCIM document or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct ScimResponse {
    /// The status code.
    pub status: u16,
    /// Header fields: name in lower case, and value.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
}

impl ScimResponse {
    /// A refusal by the host itself, with a SCIM error body (RFC 7644 §3.12) as the component writes them.
    #[must_use]
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
        Self { status, headers, body: body.to_string().into_bytes() }
    }
}
