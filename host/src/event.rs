//! Events: what changed in an organization, for the backend in the same process, for a webhook, and for receivers of streams.

use async_trait::async_trait;
pub use insomnia_scim_contract::{
    Event, EventDetail, EventStream, IssuedEventStream, NewEventStream, PollRequest, PollResponse, SigningKey,
    StreamEvent, Webhook,
};

use crate::capability::storage::OrganizationId;

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
