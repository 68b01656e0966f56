//! The types of the capabilities besides storage: email, HTTP, secrets.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Header;

/// A message to one recipient, with a text and an HTML part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Message {
    /// The left part of the Message-ID: the same for every attempt at the same message.
    pub id: String,
    /// The Date header, in milliseconds since the Unix epoch.
    pub date: u64,
    /// The recipient's address (RFC 5321 Mailbox).
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// Why a message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum EmailError {
    /// The host has no mail system configured.
    #[error("no email is configured")]
    #[cfg_attr(feature = "host", component(name = "not-configured"))]
    NotConfigured,
    /// The recipient or the message was refused for good (SMTP 5xx). Another try is of no use.
    #[error("refused: {0}")]
    #[cfg_attr(feature = "host", component(name = "rejected"))]
    Rejected(String),
    /// The mail system accepts nothing now (no connection, connection lost, timeout, SMTP 4xx except for recipients). The
    /// message is tried again later, and until then no other.
    #[error("not now: {0}")]
    #[cfg_attr(feature = "host", component(name = "unavailable"))]
    Unavailable(String),
    /// Any other error, such as a recipient who is refused for now (SMTP 450 to 452 to `RCPT`). The message is tried again
    /// later, and other messages are not delayed.
    #[error("{0}")]
    #[cfg_attr(feature = "host", component(name = "other"))]
    Other(String),
}

/// An outgoing HTTP request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct HttpRequest {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`; not checked yet.
    pub method: String,
    /// An absolute URL; not checked yet.
    pub url: String,
    /// Header fields: name and value; not checked yet.
    pub headers: Vec<Header>,
    /// The body; may be empty.
    pub body: Vec<u8>,
    /// How long the request may take. The host's own limit applies as well.
    #[cfg_attr(feature = "host", component(name = "timeout-milliseconds"))]
    pub timeout_milliseconds: Option<u32>,
}

/// A response, of whatever status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header fields: name in lower case, and value.
    pub headers: Vec<Header>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum HttpError {
    /// The host has no HTTP client configured.
    #[error("no HTTP client is configured")]
    #[cfg_attr(feature = "host", component(name = "not-configured"))]
    NotConfigured,
    /// The egress policy forbids the destination.
    #[error("the destination is not allowed: {0}")]
    #[cfg_attr(feature = "host", component(name = "not-allowed"))]
    NotAllowed(String),
    /// The URL, the method or a header field is not valid.
    #[error("not a valid request: {0}")]
    #[cfg_attr(feature = "host", component(name = "invalid"))]
    Invalid(String),
    /// The time limit was reached. The request may have taken effect.
    #[error("no answer in time")]
    #[cfg_attr(feature = "host", component(name = "timeout"))]
    Timeout,
    /// The response is larger than the host takes.
    #[error("the answer is too large")]
    #[cfg_attr(feature = "host", component(name = "too-large"))]
    TooLarge,
    /// There was no connection, or it broke. The request may have taken effect.
    #[error("not reachable: {0}")]
    #[cfg_attr(feature = "host", component(name = "unreachable"))]
    Unreachable(String),
    /// Any other error; the text is for the host's log.
    #[error("{0}")]
    #[cfg_attr(feature = "host", component(name = "other"))]
    Other(String),
}

/// Why a secret could not be sealed or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum SecretsError {
    /// The host has no key configured.
    #[error("the host has no key for secrets configured")]
    #[cfg_attr(feature = "host", component(name = "not-configured"))]
    NotConfigured,
    /// The sealed text was altered, or was not sealed by this host for this organization.
    #[error("the sealed secret is not authentic")]
    #[cfg_attr(feature = "host", component(name = "not-authentic"))]
    NotAuthentic,
    /// Any other error; the text is for the host's log.
    #[error("{0}")]
    #[cfg_attr(feature = "host", component(name = "other"))]
    Other(String),
}
