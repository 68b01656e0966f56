//! An entry of the log.

use serde::Deserialize;
use serde_json::Value;

/// A SCIM request and what became of it, as the component wrote it. What it did not write is empty.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogEntry {
    /// When it came, in milliseconds since the Unix epoch.
    pub time: u64,
    /// As in the answer's `X-Request-Id`, and in the body of an error.
    pub request_id: String,
    /// The HTTP method.
    pub method: String,
    /// Path and query below the connector URL, as sent.
    pub path: String,
    /// The HTTP status of the answer; 0 if the server stopped before it had answered.
    pub status: u16,
    /// The `scimType` of an error.
    pub scim_type: Option<String>,
    /// The `detail` of an error.
    pub detail: Option<String>,
    /// How long it took, in milliseconds.
    pub duration: u64,
    /// Whom it concerned.
    pub subject: Option<LogSubject>,
    /// What was done: `created`, `adopted`, …
    pub action: Option<String>,
    /// Why.
    pub because: Vec<String>,
    /// Which of the connector's tokens the caller had; also an expired one.
    pub token_generation: Option<u32>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The IP address that the request came from; behind a trusted proxy the one that the proxy names.
    pub sender_address: Option<String>,
    /// Length of the request's body, in bytes.
    pub bytes_received: u64,
    /// Length of the answer's body, in bytes.
    pub bytes_sent: u64,
    /// Version of the component.
    pub component: String,
    /// The request's body, redacted.
    pub body: Option<Value>,
}

/// Whom a request concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogSubject {
    /// `User`, `Group`, or another resource type.
    pub resource_type: String,
    /// The SCIM `id`; empty if there is no such resource, because it was refused.
    pub id: String,
    /// The name that people see.
    pub name: String,
}

impl LogEntry {
    /// `None` if it is not what the component writes.
    pub fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}
