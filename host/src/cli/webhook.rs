//! `webhook` and `event`: an organization's events, and where they are posted to.

use clap::Subcommand;
use serde_json::{Value, json};

use super::config::Settings;
use super::member::Of;
use super::pages::{self, PAGE};
use super::{host, output};

/// Commands about the webhook.
#[derive(Subcommand)]
pub(super) enum WebhookCommand {
    /// Post all events from now on to a URL. Prints the key of the signatures, once, and how a test event went.
    Set {
        /// An https URL that the server may reach: see --http-permit of `serve`.
        url: String,
        #[command(flatten)]
        of: Of,
    },
    /// Show where events are posted to, and how that goes.
    Show {
        #[command(flatten)]
        of: Of,
    },
    /// Post a signed event of the type `webhook.test`, once, and show how that went.
    Test {
        #[command(flatten)]
        of: Of,
    },
    /// Post no events any more, and forget what waits.
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
                // The key must not be lost because the test has no outcome.
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
                output::object(settings.json, &serde_json::to_value(organization.test_webhook().await?)?);
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
    /// List the events that are kept (see `org set --retention`), oldest first.
    List {
        #[command(flatten)]
        of: Of,
    },
}

impl EventCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let Self::List { of } = self;
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &of.organization).await?;
        let page = async |after: Option<String>| organization.events(after.as_deref(), PAGE).await;
        let events = pages::all(page).await?;
        let events: Vec<Value> =
            events.iter().map(|event| serde_json::from_str(&event.document)).collect::<Result<_, _>>()?;
        output::table(settings.json, &events, &["time", "type", "subject", "actor"]);
        Ok(())
    }
}
