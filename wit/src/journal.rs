//! The log of SCIM requests, the audit trail, and events.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// Selects entries of the log. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct LogQuery {
    /// The entry is not older than this.
    pub since: Option<u64>,
    /// The entry is older than this.
    pub until: Option<u64>,
    /// The first digit of the status: 1 to 5.
    #[cfg_attr(feature = "host", component(name = "status-class"))]
    pub status_class: Option<u8>,
    /// The request's method.
    pub method: Option<String>,
    /// `User`, `Group`, or another resource type.
    #[cfg_attr(feature = "host", component(name = "resource-type"))]
    pub resource_type: Option<String>,
    /// A text that occurs anywhere in the entry, in any case.
    pub text: Option<String>,
    /// `next` of the previous page.
    pub after: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

impl Default for LogQuery {
    /// The newest 100.
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            status_class: None,
            method: None,
            resource_type: None,
            text: None,
            after: None,
            limit: 100,
        }
    }
}

/// A page of the log, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct LogPage {
    /// The entries. Each is a JSON object. An absent member is unknown or does not apply; later versions may add members.
    ///
    /// | member | what it is |
    /// |---|---|
    /// | `time` | when the request came, in milliseconds since the Unix epoch |
    /// | `requestId` | as in the header field `X-Request-Id` of the answer, and in the detail of an error |
    /// | `method`, `path` | what the client sent; the path has its query, and is relative to the connector URL |
    /// | `status` | the status of the answer; 0 if the server stopped before it had answered |
    /// | `scimType`, `detail` | those of an error |
    /// | `duration` | the milliseconds until the answer |
    /// | `subject` | `resourceType`, `id` (empty if the resource was refused and does not exist) and `name` |
    /// | `action`, `because` | what was done, such as `created` or `adopted`, and the reasons as a list of texts |
    /// | `tokenGeneration` | which of the connector's tokens the caller had |
    /// | `userAgent`, `senderAddress` | the client |
    /// | `body` | the body of the request without secrets, cut after 16 KiB; absent if the caller was not authenticated |
    /// | `bytesReceived`, `bytesSent` | the sizes of both bodies |
    /// | `component` | the component's version and its name |
    pub entries: Vec<String>,
    /// For [`LogQuery::after`]; `None` on the last page. Only this tells whether it is the last page: one call looks at 20,000
    /// entries at most, so a page may have fewer entries than asked for, or none.
    pub next: Option<String>,
}

/// Selects entries of the audit trail. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct AuditQuery {
    /// The entry is not older than this.
    pub since: Option<u64>,
    /// The entry is older than this.
    pub until: Option<u64>,
    /// A text that occurs anywhere in the entry, in any case.
    pub text: Option<String>,
    /// `next` of the previous page.
    pub after: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

impl Default for AuditQuery {
    /// The newest 100.
    fn default() -> Self {
        Self { since: None, until: None, text: None, after: None, limit: 100 }
    }
}

/// A page of the audit trail, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct AuditPage {
    /// The entries. Each is a JSON object.
    pub entries: Vec<String>,
    /// For [`AuditQuery::after`]; `None` on the last page.
    pub next: Option<String>,
}

/// A change of an organization, written in the commit of the change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Event {
    /// Identifies the event within the organization. It begins with the time at which the change was begun. Events are
    /// delivered in the order of their commits, so positions do not always grow.
    pub position: String,
    /// A JSON object with `id` (a UUID, the same in every attempt to deliver it), `type` (such as `member.created`), `time`
    /// (RFC 3339), `subject` (`type`, `id`, `name`), `actor` (`scim`, `admin` or `system`), `cause` (`requestId`,
    /// `credential`, `traceparent`) and `data` (the change; `wit/journal.wit` describes it for each type).
    pub document: String,
}

/// The webhook to which an organization's events are posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Webhook {
    /// The URL of the receiver.
    pub url: String,
    /// When it was set, in milliseconds since the Unix epoch.
    pub created: u64,
    /// Since when every post has succeeded, in milliseconds since the Unix epoch. If this and `failing_since` are null,
    /// nothing has been tried yet.
    #[cfg_attr(feature = "host", component(name = "works-since"))]
    pub works_since: Option<u64>,
    /// Since when posts have failed, in milliseconds since the Unix epoch.
    #[cfg_attr(feature = "host", component(name = "failing-since"))]
    pub failing_since: Option<u64>,
    /// The last failure.
    pub error: Option<String>,
}
