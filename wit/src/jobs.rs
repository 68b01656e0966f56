//! The context of the jobs, and deliveries: emails, events and Security Event Tokens.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

/// The host's data for the jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct RunContext {
    /// The address of the organization's SCIM page, to which emails point. Without it, emails name no page.
    #[cfg_attr(feature = "host", component(name = "page-url"))]
    pub page_url: Option<String>,
    /// Whether a subscriber in the host's process takes events.
    pub subscribed: bool,
}

enumeration! {
    /// The queues of deliveries.
    pub enum DeliveryQueue {
        /// Emails to be sent.
        EmailsWaiting = "emails-waiting",
        /// Emails that were refused, that were not accepted in three days, or for which the host has no mail system.
        EmailsParked = "emails-parked",
        /// Events to be delivered to the webhook.
        EventsWaiting = "events-waiting",
        /// Events that the webhook did not accept in three days.
        EventsParked = "events-parked",
        /// Security Event Tokens that streams have not delivered yet.
        SetsWaiting = "sets-waiting",
        /// Security Event Tokens that were refused, or that were not accepted in three days.
        SetsParked = "sets-parked",
    }
}

/// An email, an event or a Security Event Token that is to be delivered, without secrets. Times are milliseconds since the
/// Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Delivery {
    /// The id of the delivery in its queue.
    pub id: String,
    /// The kind of an email, such as `token-expiring`; the id of an event, which is also its `webhook-id`; or the event URIs
    /// of a Security Event Token, without their common beginning.
    pub what: String,
    /// The recipient of an email, or the name of a stream.
    pub to: Option<String>,
    /// When it was written.
    pub created: u64,
    /// When the next attempt is planned, if that is known.
    pub due: Option<u64>,
    /// How often an email has been tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: Option<String>,
}
