//! Events: what changed in an organization, for the backend in the same process and for a webhook.

use async_trait::async_trait;
use serde::Serialize;
use utoipa::ToSchema;

use crate::capability::storage::OrganizationId;

/// A change of an organization, written in the commit of the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Where it stands among all events of the organization.
    pub position: String,
    /// A JSON object: `id` (a UUID, the same in every attempt to deliver it), `type` (such as `member.created`), `time`
    /// (RFC 3339), `subject` (`type`, `id`, `name`), `actor` (`scim`, `admin` or `system`) and `data` (what changed).
    pub document: Vec<u8>,
}

/// Where an organization's events are posted to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Webhook {
    /// The receiver.
    pub url: String,
    /// When it was set, in milliseconds since the Unix epoch.
    pub created: u64,
    /// Since when deliveries fail, in milliseconds since the Unix epoch.
    pub failing_since: Option<u64>,
    /// The last failure.
    pub error: Option<String>,
}

/// Takes events in the host's process.
#[async_trait]
pub trait EventSubscriber: Send + Sync + 'static {
    /// Events of an organization, in the order of their commits. Each comes at least once: those that were not taken, or
    /// that a crash made uncertain, come again with the same ids.
    ///
    /// # Errors
    /// Any text: the events come again later.
    async fn take(&self, organization: &OrganizationId, events: &[Event]) -> Result<(), String>;
}
