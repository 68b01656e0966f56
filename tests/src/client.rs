//! An HTTP/1.1 client that sends exactly the bytes it is given, over one kept-alive connection.
//!
//! Ready-made clients tidy up URLs and headers, but identity providers do not. This client sends a trailing `&`, a trailing
//! `?`, doubled slashes, a missing `Content-Type` and bodies that are no JSON as they are.

use std::fmt::{self, Write as _};
use std::io;
use std::net::TcpStream;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::wire::{Answer, Broken, exchange};

/// How long one read or write may stall before the request counts as failed.
const STALL: Duration = Duration::from_secs(60);

/// The media type of RFC 7644 §8.1.
pub const SCIM_JSON: &str = "application/scim+json";

/// Sends requests below one connector URL, over one connection. A clone has a connection of its own.
pub struct Client {
    authority: String,
    base: String,
    headers: Vec<(String, String)>,
    content_type: Option<String>,
    connection: Mutex<Option<TcpStream>>,
}

impl Client {
    /// A client for a connector URL (`http://host:port/path`) that sends no headers of its own except `Host`.
    #[must_use]
    pub fn bare(connector_url: &str) -> Self {
        let rest = connector_url
            .strip_prefix("http://")
            .unwrap_or_else(|| panic!("the connector URL is not an http URL: {connector_url}"));
        let (authority, base) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, ""),
        };
        Self {
            authority: authority.to_owned(),
            base: base.trim_end_matches('/').to_owned(),
            headers: Vec::new(),
            content_type: None,
            connection: Mutex::new(None),
        }
    }

    /// A client with a bearer token that asks for SCIM and sends bodies as SCIM.
    #[must_use]
    pub fn new(connector_url: &str, token: &str) -> Self {
        Self::bare(connector_url)
            .header("Authorization", &format!("Bearer {token}"))
            .header("Accept", SCIM_JSON)
            .content_type(SCIM_JSON)
    }

    /// Adds a header to every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes a header away from every request.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Sets the `Content-Type` of requests that have a body and do not name one.
    #[must_use]
    pub fn content_type(mut self, value: &str) -> Self {
        self.content_type = Some(value.to_owned());
        self
    }

    /// The same host and headers, with paths from the server's root instead of the connector URL.
    #[must_use]
    pub fn at_root(&self) -> Self {
        let mut root = self.clone();
        root.base.clear();
        root
    }

    /// The connector URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.authority, self.base)
    }

    /// `GET` of a path below the connector URL.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.send(&Request::new("GET", path))
    }

    /// `POST` with a body.
    #[track_caller]
    pub fn post(&self, path: &str, body: impl Into<Body>) -> Response {
        self.send(&Request::new("POST", path).body(body))
    }

    /// `PUT` with a body.
    #[track_caller]
    pub fn put(&self, path: &str, body: impl Into<Body>) -> Response {
        self.send(&Request::new("PUT", path).body(body))
    }

    /// `PATCH` with a body.
    #[track_caller]
    pub fn patch(&self, path: &str, body: impl Into<Body>) -> Response {
        self.send(&Request::new("PATCH", path).body(body))
    }

    /// `DELETE` without a body.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Response {
        self.send(&Request::new("DELETE", path))
    }

    /// Sends the request and reads the whole response. The test fails if there is none.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Response {
        match self.try_send(request) {
            Ok(response) => response,
            Err(error) => panic!("{} {}{}: no response: {error}", request.method, self.base, request.path),
        }
    }

    /// Sends the request and reads the whole response.
    ///
    /// # Errors
    /// The server can't be reached, or the connection breaks. The request may have taken effect then.
    pub fn try_send(&self, request: &Request) -> io::Result<Response> {
        let bytes = self.bytes(request);
        let mut slot = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // A server may close an idle connection at any time. Only then a second try is right.
        if let Some(mut stream) = slot.take() {
            match exchange(&mut stream, &bytes, &request.method) {
                Ok(answer) => {
                    *slot = answer.keep.then_some(stream);
                    return Ok(Response::new(answer, &bytes));
                }
                Err(Broken { error, answered: true }) => return Err(error),
                Err(Broken { answered: false, .. }) => {}
            }
        }
        let mut stream = TcpStream::connect(&self.authority)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(STALL))?;
        stream.set_write_timeout(Some(STALL))?;
        let answer = exchange(&mut stream, &bytes, &request.method).map_err(|broken| broken.error)?;
        *slot = answer.keep.then_some(stream);
        Ok(Response::new(answer, &bytes))
    }

    fn bytes(&self, request: &Request) -> Vec<u8> {
        let mut head =
            format!("{} {}{} HTTP/1.1\r\nHost: {}\r\n", request.method, self.base, request.path, self.authority);
        for (name, value) in &self.headers {
            if !request.has(name) {
                let _ = write!(head, "{name}: {value}\r\n");
            }
        }
        for (name, value) in &request.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if let Some(body) = &request.body {
            if let Some(content_type) = &self.content_type
                && !request.has("Content-Type")
            {
                let _ = write!(head, "Content-Type: {content_type}\r\n");
            }
            if !request.has("Content-Length") {
                let _ = write!(head, "Content-Length: {}\r\n", body.len());
            }
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(request.body.as_deref().unwrap_or_default());
        bytes
    }
}

impl Clone for Client {
    fn clone(&self) -> Self {
        Self {
            authority: self.authority.clone(),
            base: self.base.clone(),
            headers: self.headers.clone(),
            content_type: self.content_type.clone(),
            connection: Mutex::new(None),
        }
    }
}

/// One request, sent as it stands.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request {
    /// A request for a path and query below the connector URL, which are sent unchanged.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: None }
    }

    /// Adds a header; it replaces the client's header of the same name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Gives it a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = Some(body.into().0);
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

/// A request's body. Text and bytes are sent unchanged, and a JSON value in its compact form.
pub struct Body(Vec<u8>);

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        Self::from(&value)
    }
}

impl From<&Value> for Body {
    fn from(value: &Value) -> Self {
        Self(value.to_string().into_bytes())
    }
}

/// One response with its request.
#[derive(Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields in the order received; names as sent.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from its transfer coding and from gzip.
    pub body: Vec<u8>,
    asked: String,
}

impl Response {
    fn new(answer: Answer, request: &[u8]) -> Self {
        let shown = request.len().min(3_000);
        let asked = String::from_utf8_lossy(&request[..shown]).into_owned();
        Self { status: answer.status, headers: answer.headers, body: answer.body, asked }
    }

    /// The value of the first header field of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl fmt::Display for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "--- request\n{}\n--- response {}", self.asked, self.status)?;
        for (name, value) in &self.headers {
            writeln!(formatter, "{name}: {value}")?;
        }
        let text = self.text();
        let shown: String = text.chars().take(4_000).collect();
        write!(formatter, "\n{shown}")
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Percent-encodes everything except RFC 3986's unreserved characters, for a value in a query or a path segment.
#[must_use]
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
