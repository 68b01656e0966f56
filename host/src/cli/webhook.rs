//! `webhook` and `event`: manage the URL to which an organization's events are posted, and list the events.

use anyhow::bail;
use clap::Subcommand;
use serde_json::{Value, json};

use super::config::Settings;
use super::member::Of;
use super::pages::PAGE;
use super::{host, output};

/// Commands about the webhook.
#[derive(Subcommand)]
pub(super) enum WebhookCommand {
    /// Post all events from now on to a URL. The command prints the key of the signatures once, and the result of a
    /// test event.
    Set {
        /// An https URL that the server may reach: see --http-permit of `serve`.
        url: String,
        #[command(flatten)]
        of: Of,
    },
    /// Show the webhook and its state.
    Show {
        #[command(flatten)]
        of: Of,
    },
    /// Post a signed event of the type `webhook.test` once, and show the result. The command ends with 1 if the webhook
    /// did not accept it.
    Test {
        #[command(flatten)]
        of: Of,
    },
    /// Remove the webhook, and the events that wait for it.
    Remove {
        #[command(flatten)]
        of: Of,
    },
}

impl WebhookCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        match self {
            Self::Set { url, of } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let secret = organization.set_webhook(&url).await?;
                let mut shown = json!({"url": url, "secret": secret});
                // The key is printed even if the test has no outcome: it is shown only once, and must not be lost.
                if let Ok(webhook) = organization.test_webhook().await {
                    shown["works_since"] = webhook.works_since.into();
                    shown["error"] = webhook.error.into();
                }
                output::object(settings.json, &shown);
            }
            Self::Show { of } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                match organization.webhook().await? {
                    None if !settings.json => output::print("No webhook is set: events are posted nowhere.\n"),
                    webhook => output::object(settings.json, &serde_json::to_value(webhook)?),
                }
            }
            Self::Test { of } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let tested = organization.test_webhook().await?;
                output::object(settings.json, &serde_json::to_value(&tested)?);
                if let Some(error) = tested.error {
                    bail!("the webhook did not take the test event: {error}");
                }
            }
            Self::Remove { of } => {
                host::organization(&provisioner, &of.organization).await?.remove_webhook().await?;
                output::object(settings.json, &json!({"removed": true}));
            }
        }
        Ok(())
    }
}

/// Commands about events.
#[derive(Subcommand)]
pub(super) enum EventCommand {
    /// List the stored events, oldest first. `org set --retention` sets how long events are stored.
    List {
        #[command(flatten)]
        of: Of,
        /// Only events after this position, which the previous list printed.
        #[arg(long, value_name = "POSITION")]
        after: Option<String>,
        /// The number of events.
        #[arg(
            long,
            value_name = "NUMBER",
            default_value_t = 1_000,
            value_parser = clap::value_parser!(u32).range(1..=100_000)
        )]
        limit: u32,
    },
}

impl EventCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let Self::List { of, mut after, limit } = self;
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &of.organization).await?;
        let (mut events, mut left) = (Vec::<Value>::new(), limit);
        loop {
            let page = organization.events(after.as_deref(), left.min(PAGE)).await?;
            left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
            for event in &page.items {
                events.push(serde_json::from_str(&event.document)?);
            }
            after = page.next;
            if after.is_none() || left == 0 {
                break;
            }
        }
        output::table(settings.json, &events, &["time", "type", "subject", "actor"]);
        if let Some(after) = after {
            // This goes to stderr, so that a program that reads the list does not get it.
            output::complain(&format!("there are more: give the same command with --after {after}\n"));
        }
        Ok(())
    }
}
