//! `delivery`: emails and events on their way.

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::arguments::one_of;
use super::config::Settings;
use super::member::Of;
use super::pages::{self, PAGE};
use super::{host, output};
use crate::delivery::DeliveryQueue;

/// Commands about emails and events on their way.
#[derive(Subcommand)]
pub(super) enum DeliveryCommand {
    /// List what waits or could not be delivered.
    List {
        /// Which queue.
        #[arg(value_parser = one_of::<DeliveryQueue>(DeliveryQueue::NAMES))]
        queue: DeliveryQueue,
        #[command(flatten)]
        of: Of,
    },
    /// Deliver again what could not be delivered.
    Retry {
        /// Which queue.
        #[arg(value_enum)]
        queue: ParkedQueue,
        /// Only the emails or events with these ids, as `delivery list` shows them. [default: all]
        ids: Vec<String>,
        #[command(flatten)]
        of: Of,
    },
}

/// A queue of what could not be delivered.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ParkedQueue {
    /// Emails that could not be sent.
    Emails,
    /// Events that the webhook did not take.
    Events,
}

impl DeliveryCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        match self {
            Self::List { queue, of } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let page = async |after: Option<String>| organization.deliveries(queue, after.as_deref(), PAGE).await;
                let deliveries = pages::values(&pages::all(page).await?)?;
                if deliveries.is_empty() && !settings.json {
                    output::print("This queue is empty.\n");
                    return Ok(());
                }
                output::table(settings.json, &deliveries, &["created", "what", "to", "attempts", "error", "id"]);
            }
            Self::Retry { queue, ids, of } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let queue = match queue {
                    ParkedQueue::Emails => DeliveryQueue::EmailsParked,
                    ParkedQueue::Events => DeliveryQueue::EventsParked,
                };
                let mut retried = 0;
                loop {
                    let count = organization.retry_deliveries(queue, &ids).await?;
                    retried += count;
                    if count == 0 || !ids.is_empty() {
                        break;
                    }
                }
                output::object(settings.json, &json!({"retried": retried}));
            }
        }
        Ok(())
    }
}
