//! `team`: teams of an organization, and who is in them.

use clap::{Args, Subcommand};
use serde_json::json;

use super::config::Settings;
use super::member::Of;
use super::pages::{self, PAGE};
use super::{host, output};
use crate::directory::Listing;

/// Commands about teams. A team is named by id or name, a member by id, userName or email address.
#[derive(Subcommand)]
pub(super) enum TeamCommand {
    /// List teams of either origin.
    List {
        #[command(flatten)]
        of: Of,
        /// Only teams whose name begins with this.
        #[arg(long)]
        prefix: Option<String>,
    },
    /// Show a team.
    Show {
        /// The team.
        team: String,
        #[command(flatten)]
        of: Of,
    },
    /// List the members of a team.
    Members {
        /// The team.
        team: String,
        #[command(flatten)]
        of: Of,
        /// Only members whose name or email address begins with this.
        #[arg(long)]
        prefix: Option<String>,
    },
    /// Add a team by hand.
    Add {
        /// Its name.
        name: String,
        /// Its members.
        members: Vec<String>,
        #[command(flatten)]
        of: Of,
    },
    /// Add members to a team by hand.
    AddMembers(Members),
    /// Remove members from a team by hand. They stay in the organization.
    RemoveMembers(Members),
    /// Remove a team. Its members stay in the organization.
    Remove {
        /// The team.
        team: String,
        #[command(flatten)]
        of: Of,
    },
}

/// A team, and whose membership changes.
#[derive(Args)]
pub(super) struct Members {
    /// The team.
    team: String,
    /// The members.
    #[arg(required = true)]
    members: Vec<String>,
    #[command(flatten)]
    of: Of,
}

impl TeamCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &self.of().organization).await?;
        match self {
            Self::List { prefix, .. } => {
                let teams = pages::all(async |after: Option<String>| {
                    organization.teams(Listing { prefix: prefix.clone(), after, limit: PAGE }).await
                });
                output::table(settings.json, &pages::values(&teams.await?)?, &["name", "members", "origin", "id"]);
            }
            Self::Show { team, .. } => {
                output::object(settings.json, &serde_json::to_value(organization.team(&team).await?)?);
            }
            Self::Members { team, prefix, .. } => {
                let members = pages::all(async |after: Option<String>| {
                    organization.team_members(&team, Listing { prefix: prefix.clone(), after, limit: PAGE }).await
                });
                let columns = ["email", "display_name", "role", "origin", "active", "id"];
                output::table(settings.json, &pages::values(&members.await?)?, &columns);
            }
            Self::Add { name, members, .. } => {
                let added = organization.add_team(&name, &members).await?;
                output::object(settings.json, &serde_json::to_value(added)?);
            }
            Self::AddMembers(Members { team, members, .. }) => {
                let changed = organization.change_team_members(&team, &members, &[]).await?;
                output::object(settings.json, &serde_json::to_value(changed)?);
            }
            Self::RemoveMembers(Members { team, members, .. }) => {
                let changed = organization.change_team_members(&team, &[], &members).await?;
                output::object(settings.json, &serde_json::to_value(changed)?);
            }
            Self::Remove { team, .. } => {
                organization.remove_team(&team).await?;
                output::object(settings.json, &json!({"removed": team}));
            }
        }
        provisioner.flush().await?;
        Ok(())
    }

    fn of(&self) -> &Of {
        match self {
            Self::List { of, .. }
            | Self::Show { of, .. }
            | Self::Members { of, .. }
            | Self::Add { of, .. }
            | Self::AddMembers(Members { of, .. })
            | Self::RemoveMembers(Members { of, .. })
            | Self::Remove { of, .. } => of,
        }
    }
}
