//! `member`: members of an organization.

use clap::{Args, Subcommand};
use serde_json::json;

use super::arguments::one_of;
use super::config::Settings;
use super::pages::{self, PAGE};
use super::{host, output, passphrase};
use crate::directory::{Listing, NewMember, Role};

/// Commands about members. A member is named by id, userName or email address.
#[derive(Subcommand)]
pub(super) enum MemberCommand {
    /// List members of either origin.
    List {
        #[command(flatten)]
        of: Of,
        /// Only those whose name or email address begins with this.
        #[arg(long)]
        prefix: Option<String>,
    },
    /// Add a member by hand. A passphrase is generated and printed, once; it must be changed at the first sign-in.
    Add {
        /// Email address.
        email: String,
        #[command(flatten)]
        of: Of,
        /// Name. [default: the email address]
        #[arg(long)]
        name: Option<String>,
        /// What the member may do.
        #[arg(long, value_parser = one_of::<Role>(Role::NAMES), default_value_t = Role::Member)]
        role: Role,
        /// Email the passphrase to the member instead of printing it.
        #[arg(long)]
        email_passphrase: bool,
    },
    /// Remove a member from the organization and every team.
    Remove {
        /// Id, userName or email address of the member.
        member: String,
        #[command(flatten)]
        of: Of,
    },
    /// Change what a member may do.
    SetRole {
        /// Id, userName or email address of the member.
        member: String,
        /// The new role.
        #[arg(value_parser = one_of::<Role>(Role::NAMES))]
        role: Role,
        #[command(flatten)]
        of: Of,
    },
}

/// Which organization.
#[derive(Args)]
pub(super) struct Of {
    /// The organization's id.
    #[arg(long, value_name = "ID", env = "INSOMNIA_SCIM_ORGANIZATION")]
    pub(super) organization: String,
}

impl MemberCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &self.of().organization).await?;
        match self {
            Self::List { prefix, .. } => {
                let members = pages::all(async |after: Option<String>| {
                    organization.members(Listing { prefix: prefix.clone(), after, limit: PAGE }).await
                });
                let columns = ["email", "display_name", "role", "origin", "active", "id"];
                output::table(settings.json, &pages::values(&members.await?)?, &columns);
            }
            Self::Add { email, name, role, email_passphrase, .. } => {
                let passphrase = if email_passphrase { None } else { Some(passphrase::generate()?) };
                let new = NewMember::new(email, name, role, passphrase.clone());
                let mut added = serde_json::to_value(organization.add_member(new).await?)?;
                if let Some(passphrase) = passphrase {
                    added["passphrase"] = passphrase.into();
                }
                output::object(settings.json, &added);
            }
            Self::Remove { member, .. } => {
                organization.remove_member(&member).await?;
                output::object(settings.json, &json!({"removed": member}));
            }
            Self::SetRole { member, role, .. } => {
                let changed = organization.set_role(&member, role).await?;
                output::object(settings.json, &serde_json::to_value(changed)?);
            }
        }
        provisioner.flush().await?;
        Ok(())
    }

    fn of(&self) -> &Of {
        match self {
            Self::List { of, .. } | Self::Add { of, .. } | Self::Remove { of, .. } | Self::SetRole { of, .. } => of,
        }
    }
}
