//! The schemas of JSON documents that the host does not read.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A request in the log. Times are milliseconds since the Unix epoch.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "a schema")]
pub(super) struct LogEntry {
    /// When the request came.
    time: u64,
    /// The id of the request, as in the `X-Request-Id` header field and in the detail of an error.
    request_id: String,
    /// The HTTP method that the client sent.
    method: String,
    /// The path and query that the client sent, below the connector URL.
    path: String,
    /// The HTTP status of the answer; 0 if the server stopped before it had answered.
    #[schema(minimum = 0, maximum = 599)]
    status: u16,
    /// The `scimType` of an error.
    #[schema(nullable = false)]
    scim_type: Option<String>,
    /// The `detail` of an error.
    #[schema(nullable = false)]
    detail: Option<String>,
    /// How long the request took, in milliseconds.
    duration: u64,
    /// The member, team or other resource that the request was about.
    #[schema(nullable = false)]
    subject: Option<LogSubject>,
    /// The action: `created`, `adopted`, …
    #[schema(nullable = false)]
    action: Option<String>,
    /// The reasons: the attribute by which a member was matched, the effect on the seat, and so on.
    #[serde(default)]
    because: Vec<String>,
    /// The generation of the caller's token, even if the token has expired.
    #[schema(nullable = false)]
    token_generation: Option<u32>,
    /// The `User-Agent` header field that the client sent.
    #[schema(nullable = false)]
    user_agent: Option<String>,
    /// The IP address that the request came from; behind a trusted proxy the one that the proxy names.
    #[schema(nullable = false)]
    sender_address: Option<String>,
    /// The request's body, with secrets redacted; cut after 16 KiB.
    #[schema(nullable = false)]
    body: Option<String>,
    /// The length of the request's body, in bytes.
    bytes_received: u64,
    /// The length of the answer's body, in bytes.
    bytes_sent: u64,
    /// The version of the component.
    component: String,
}

/// The member, team or other resource that a request was about.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "a schema")]
pub(super) struct LogSubject {
    /// `User`, `Group`, or another resource type.
    resource_type: String,
    /// The SCIM `id`; empty if there is no such resource, because it was refused.
    id: String,
    /// The name that people see.
    name: String,
}

/// A change of the organization.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "a schema")]
pub(super) struct EventDocument {
    /// A UUID: the same in every attempt to deliver the event.
    id: String,
    /// The kind of event, such as `member.created`.
    #[serde(rename = "type")]
    kind: String,
    /// The time of the change, in the form of RFC 3339.
    #[schema(format = DateTime)]
    time: String,
    /// The member, team, connector or token that the change is about.
    subject: EventSubject,
    /// The actor: `scim`, `admin` or `system`.
    actor: String,
    /// The request and the credential that caused the change. It is absent if only time did.
    #[schema(nullable = false)]
    cause: Option<EventCause>,
    /// The changes.
    data: Map<String, Value>,
}

/// The cause of a change.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "a schema")]
pub(super) struct EventCause {
    /// The id of the request, as in its answer's `X-Request-Id`.
    #[schema(nullable = false)]
    request_id: Option<String>,
    /// The caller's credential: `token 3` (the connector's token of this generation), `oauth-client` and its id,
    /// `member` and its id, or the id of an API key.
    #[schema(nullable = false)]
    credential: Option<String>,
    /// The `traceparent` (W3C Trace Context) of the request, if the server makes traces. It shows to which trace the
    /// event belongs.
    #[schema(nullable = false)]
    traceparent: Option<String>,
}

/// The subject of an event.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "a schema")]
pub(super) struct EventSubject {
    /// `member`, `team`, `connector`, `token`, `oauth-client`, `setup-link` or `licences`.
    #[serde(rename = "type")]
    kind: String,
    /// The id of the member, the team, the OAuth client or the set-up link, or the generation of the token.
    #[schema(nullable = false)]
    id: Option<String>,
    /// The name that people see.
    #[schema(nullable = false)]
    name: Option<String>,
}

/// Users as an identity provider will send them: at most 10,000 SCIM Users (RFC 7643 §4.1), such as `[{"userName":
/// "ada@example.com"}]`. For an entry that is no SCIM User, the preview shows a refusal. A response to a SCIM query
/// (RFC 7644 §3.4.2) is accepted as well: its `Resources` are the users.
///
/// The schema describes only the list: generators of clients can't make a type that is a list or an object.
#[derive(ToSchema)]
#[allow(dead_code, reason = "a schema")]
pub(super) struct PreviewUsers(Vec<Value>);
