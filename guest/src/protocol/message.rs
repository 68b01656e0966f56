//! A SCIM request and its response, as the HTTP binding of RFC 7644 has them.

/// A request below the connector URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// As sent: `GET`, `POST`, …
    pub method: String,
    /// The path below the connector URL, percent-encoded, with its leading slash.
    pub path: String,
    /// The query without the question mark.
    pub query: Option<String>,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The connector URL as clients see it, without a slash at its end.
    pub base_url: String,
    /// Names the request in logs, errors and the `X-Request-Id` header.
    pub request_id: String,
}

impl Request {
    /// The value of the first header of this lower-case name.
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
        }
    }
}

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// A SCIM document, or empty.
    pub body: Vec<u8>,
}
