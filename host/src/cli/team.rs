//! `team`: lists, adds, changes and removes teams of an organization.

use clap::{Args, Subcommand};
use serde_json::json;

use super::arguments::one_of;
use super::config::Settings;
use super::member::{self, Filter as MemberFilter, Of};
use super::pages::{self, PAGE};
use super::{host, output};
use crate::directory::{DescribedTeam, Origin, TeamQuery};
use crate::organization::export::DirectoryExport;

/// Commands about teams. A team is named by id or name, a member by id, userName or email address.
#[derive(Subcommand)]
pub(super) enum TeamCommand {
    /// List teams, whether people or the identity provider manage them.
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        filter: Filter,
    },
    /// Write teams to standard output, as CSV.
    Export {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        filter: Filter,
    },
    /// Show all attributes of a team.
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
        #[command(flatten)]
        filter: MemberFilter,
    },
    /// Add a team by hand.
    Add {
        /// The name of the team.
        name: String,
        /// The members of the team.
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

/// The teams to list or export. They must meet every condition that is given.
#[derive(Args)]
pub(super) struct Filter {
    /// Only teams whose name contains this text, in upper or lower case.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only teams whose name begins with this text.
    #[arg(long)]
    prefix: Option<String>,
    /// Only teams that people manage (manual), or only teams that the identity provider manages (scim).
    #[arg(long, value_parser = one_of::<Origin>(Origin::NAMES))]
    origin: Option<Origin>,
    /// Only teams with this member.
    #[arg(long)]
    member: Option<String>,
}

impl Filter {
    fn query(self) -> TeamQuery {
        let Self { text, prefix, origin, member } = self;
        TeamQuery { text, prefix, origin, member, cursor: None, limit: PAGE }
    }
}

/// A team, and the members that are added to it or removed from it.
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
            Self::List { filter, .. } => {
                let query = filter.query();
                let teams = pages::all_found(async |cursor| {
                    organization.find_teams(TeamQuery { cursor, ..query.clone() }).await
                });
                output::table(settings.json, &pages::values(&teams.await?)?, &["name", "members", "origin", "id"]);
            }
            Self::Export { filter, .. } => {
                pages::write(DirectoryExport::teams(organization, filter.query())).await?;
            }
            Self::Show { team, .. } => {
                let DescribedTeam { team, attributes } = organization.describe_team(&team).await?;
                let mut shown = serde_json::to_value(team)?;
                shown["attributes"] = serde_json::from_str(&attributes)?;
                output::object(settings.json, &shown);
            }
            Self::Members { team, filter, .. } => {
                member::list(settings, &organization, filter.query(Some(team))).await?;
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
            | Self::Export { of, .. }
            | Self::Show { of, .. }
            | Self::Members { of, .. }
            | Self::Add { of, .. }
            | Self::AddMembers(Members { of, .. })
            | Self::RemoveMembers(Members { of, .. })
            | Self::Remove { of, .. } => of,
        }
    }
}
