//! The types of emails and events on their way.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where deliveries stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryQueue {
    /// Emails to be sent.
    EmailsWaiting,
    /// Emails that were refused, were not taken for three days, or that the host has no way to send.
    EmailsParked,
    /// Events to be delivered to the webhook.
    EventsWaiting,
    /// Events that the webhook did not take for three days.
    EventsParked,
}

/// An email or an event on its way; nothing of it is secret. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Delivery {
    /// Names it in its queue.
    pub id: String,
    /// Which email, such as `token-expiring`; of an event its id, which is also its `webhook-id`.
    pub what: String,
    /// The recipient of an email.
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
