//! `delivery`: lists emails, events and Security Event Tokens on their way, sends them again or gives them up.

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::arguments::one_of;
use super::config::Settings;
use super::member::Of;
use super::pages::{self, PAGE};
use super::{host, output};
use crate::delivery::DeliveryQueue;

/// Commands about emails, events and Security Event Tokens on their way.
#[derive(Subcommand)]
pub(super) enum DeliveryCommand {
    /// List the items that wait, or that could not be delivered.
    List {
        /// The queue.
        #[arg(value_parser = one_of::<DeliveryQueue>(DeliveryQueue::NAMES))]
        queue: DeliveryQueue,
        #[command(flatten)]
        of: Of,
    },
    /// Try again to deliver items that could not be delivered.
    Retry {
        /// The queue.
        #[arg(value_enum)]
        queue: ParkedQueue,
        /// Only the items with these ids, as `delivery list` shows them. [default: all]
        ids: Vec<String>,
        #[command(flatten)]
        of: Of,
    },
    /// Give up items that could not be delivered. Emails and tokens are deleted; events stay in the list of events.
    Dismiss {
        /// The queue.
        #[arg(value_enum)]
        queue: ParkedQueue,
        /// The items with these ids, as `delivery list` shows them.
        #[arg(required_unless_present = "all")]
        ids: Vec<String>,
        /// All items of the queue.
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        #[command(flatten)]
        of: Of,
    },
    /// Send an email that could not be delivered to another address. The member's own address does not change.
    Readdress {
        /// The id of the email, as `delivery list` shows it.
        id: String,
        /// The email address.
        to: String,
        #[command(flatten)]
        of: Of,
    },
}

/// A queue of items that could not be delivered.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ParkedQueue {
    /// Emails that could not be sent.
    Emails,
    /// Events that the webhook did not take.
    Events,
    /// Security Event Tokens that receivers of streams did not take.
    Sets,
}

impl From<ParkedQueue> for DeliveryQueue {
    fn from(queue: ParkedQueue) -> Self {
        match queue {
            ParkedQueue::Emails => Self::EmailsParked,
            ParkedQueue::Events => Self::EventsParked,
            ParkedQueue::Sets => Self::SetsParked,
        }
    }
}

impl DeliveryCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        match self {
            Self::List { queue, of } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let page = async |after: Option<String>| organization.deliveries(queue, after.as_deref(), PAGE).await;
                let deliveries = pages::values(&pages::all(page).await?)?;
                if queue == DeliveryQueue::EventsWaiting
                    && !settings.json
                    && let Some(webhook) = organization.webhook().await?
                    && webhook.failing_since.is_some()
                {
                    // All items wait for the same webhook, so its error is printed once and not with each item.
                    let failing = json!({"failing_since": webhook.failing_since, "error": webhook.error});
                    output::object(false, &json!({"webhook": failing}));
                    output::print("\n");
                }
                if deliveries.is_empty() && !settings.json {
                    output::print("This queue is empty.\n");
                    return Ok(());
                }
                output::table(settings.json, &deliveries, &["created", "what", "to", "attempts", "error", "id"]);
            }
            Self::Retry { queue, ids, of } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let mut retried = 0;
                loop {
                    let count = organization.retry_deliveries(queue.into(), &ids).await?;
                    retried += count;
                    if count == 0 || !ids.is_empty() {
                        break;
                    }
                }
                output::object(settings.json, &json!({"retried": retried}));
            }
            Self::Dismiss { queue, ids, of, .. } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let mut dismissed = 0;
                loop {
                    let count = organization.dismiss_deliveries(queue.into(), &ids).await?;
                    dismissed += count;
                    if count == 0 || !ids.is_empty() {
                        break;
                    }
                }
                output::object(settings.json, &json!({"dismissed": dismissed}));
            }
            Self::Readdress { id, to, of } => {
                host::organization(&provisioner, &of.organization).await?.readdress_email(&id, &to).await?;
                output::object(settings.json, &json!({"id": id, "to": to}));
            }
        }
        Ok(())
    }
}
