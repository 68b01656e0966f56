//! What time makes due: the context of the jobs, and emails and events on their way.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

/// What the host tells the jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct RunContext {
    /// The address of the organization's SCIM page, for emails that point to it; without one they don't.
    #[cfg_attr(feature = "host", component(name = "page-url"))]
    pub page_url: Option<String>,
    /// Whether somebody in the host's process takes events.
    pub subscribed: bool,
}

enumeration! {
    /// Where deliveries stand.
    pub enum DeliveryQueue {
        /// Emails to be sent.
        EmailsWaiting = "emails-waiting",
        /// Emails that were refused, were not taken for three days, or that the host has no way to send.
        EmailsParked = "emails-parked",
        /// Events to be delivered to the webhook.
        EventsWaiting = "events-waiting",
        /// Events that the webhook did not take for three days.
        EventsParked = "events-parked",
        /// Security Event Tokens that streams have not delivered yet.
        SetsWaiting = "sets-waiting",
        /// Security Event Tokens that were refused, or that were not taken for three days.
        SetsParked = "sets-parked",
    }
}

/// An email, an event or a Security Event Token on its way; nothing of it is secret. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Delivery {
    /// Names it in its queue.
    pub id: String,
    /// Which email, such as `token-expiring`; of an event its id, which is also its `webhook-id`; of a Security Event Token its
    /// event URIs, without what all of them begin with.
    pub what: String,
    /// The recipient of an email, or the name of a stream.
    pub to: Option<String>,
    /// When it was written.
    pub created: u64,
    /// When it is tried next, if that is known.
    pub due: Option<u64>,
    /// How often an email was tried.
    pub attempts: u32,
    /// Why it was not taken the last time.
    pub error: Option<String>,
}
