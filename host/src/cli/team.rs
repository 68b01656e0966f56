//! `team`: teams of an organization.

use clap::Subcommand;
use serde_json::Value;

use super::config::Settings;
use super::member::Of;
use super::{host, output};
use crate::directory::Listing;

/// Commands about teams.
#[derive(Subcommand)]
pub(super) enum TeamCommand {
    /// List teams of either origin.
    List {
        #[command(flatten)]
        of: Of,
        /// Only those whose name begins with this.
        #[arg(long)]
        prefix: Option<String>,
    },
}

impl TeamCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let Self::List { of, prefix } = self;
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &of.organization).await?;
        let mut teams: Vec<Value> = Vec::new();
        let mut listing = Listing { prefix, after: None, limit: 500 };
        loop {
            let page = organization.teams(listing.clone()).await?;
            for team in page.items {
                teams.push(serde_json::to_value(team)?);
            }
            listing.after = page.next;
            if listing.after.is_none() {
                break;
            }
        }
        output::table(settings.json, &teams, &["name", "members", "origin", "id"]);
        Ok(())
    }
}
