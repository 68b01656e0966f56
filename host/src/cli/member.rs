//! `member`: lists, adds, imports, changes, removes and erases members of an organization.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::arguments::one_of;
use super::config::Settings;
use super::pages::{self, PAGE};
use super::{host, input, output, passphrase};
use crate::directory::{
    DescribedMember, ImportOutcome, ImportedMember, MemberQuery, NewMember, Origin, Role, TeamQuery,
};
use crate::organization::Organization;
use crate::organization::export::DirectoryExport;

/// Commands about members. A member is named by id, userName or email address.
#[derive(Subcommand)]
pub(super) enum MemberCommand {
    /// List members, whether people or the identity provider manage them.
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        filter: Filter,
    },
    /// Show all attributes of a member, and the member's teams.
    Show {
        /// Id, userName or email address of the member.
        member: String,
        #[command(flatten)]
        of: Of,
    },
    /// Write members to standard output, as CSV.
    Export {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        filter: Filter,
    },
    /// Count members and teams by state and origin.
    Count {
        #[command(flatten)]
        of: Of,
    },
    /// List the members without a seat: the identity provider wants them to be active, but no seat was free.
    WithoutSeat {
        #[command(flatten)]
        of: Of,
    },
    /// Add a member by hand. The command generates a passphrase and prints it once; the member must change it at the
    /// first sign-in.
    Add {
        /// Email address.
        email: String,
        #[command(flatten)]
        of: Of,
        /// The member's name. [default: the email address]
        #[arg(long)]
        name: Option<String>,
        /// The member's role.
        #[arg(long, value_parser = one_of::<Role>(Role::NAMES), default_value_t = Role::Member)]
        role: Role,
        /// Email the passphrase to the member instead of printing it.
        #[arg(long)]
        email_passphrase: bool,
    },
    /// Import members of another system under the ids that they have there. No email is sent. A member whose id exists
    /// already is not changed. Members who were removed (also by the identity provider) or erased meanwhile are added
    /// again. The command prints the result for each member, and exits with 1 if any was refused.
    Import {
        /// File with a JSON array. Each object has "id" (a UUID in lower case) and "email", and may have "displayName"
        /// (or "display_name"), "role" and "active". `-` or no file is standard input.
        file: Option<PathBuf>,
        #[command(flatten)]
        of: Of,
    },
    /// Remove a member from the organization and every team.
    Remove {
        /// Id, userName or email address of the member.
        member: String,
        #[command(flatten)]
        of: Of,
    },
    /// Erase a person: remove the member, and everything about the person from log, events, audit trail and emails.
    /// Only the id remains.
    ///
    /// This can't be undone. If the identity provider still has the person, it adds a new member at its next sync.
    Erase {
        /// Id, userName or email address of a member, the id of a deleted member, or a name or address of somebody who
        /// never was a member.
        person: String,
        #[command(flatten)]
        of: Of,
        /// Another name or address of the same person. May be given more than once.
        #[arg(long, value_name = "NAME")]
        known_as: Vec<String>,
    },
    /// Email a member a link to choose a new passphrase. The link works once, within 24 hours. Without a mail server
    /// the email is written to the mail folder, and the command prints its path.
    ResetPassphrase {
        /// Id, userName or email address of the member.
        member: String,
        #[command(flatten)]
        of: Of,
    },
    /// Change the role of a member.
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

/// The members to list or export. They must meet every condition that is given.
#[derive(Args)]
pub(super) struct Filter {
    /// Only members whose name, userName or email addresses contain this text, in upper or lower case.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Only members whose name, userName or email address begins with this text.
    #[arg(long)]
    prefix: Option<String>,
    /// Only members that people manage (manual), or only members that the identity provider manages (scim).
    #[arg(long, value_parser = one_of::<Origin>(Origin::NAMES))]
    origin: Option<Origin>,
    /// Only members with access (active), or only members without (deactivated).
    #[arg(long)]
    state: Option<State>,
}

/// Whether a member has access.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// The member has access, and takes a seat.
    Active,
    /// The member has no access.
    Deactivated,
}

impl Filter {
    /// The query for all members, or for those of a team.
    pub(super) fn query(self, team: Option<String>) -> MemberQuery {
        let Self { text, prefix, origin, state } = self;
        let active = state.map(|state| state == State::Active);
        MemberQuery { text, prefix, origin, active, team, cursor: None, limit: PAGE }
    }
}

/// The organization to which a command applies.
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
            Self::List { filter, .. } => list(settings, &organization, filter.query(None)).await?,
            Self::Show { member, .. } => {
                let DescribedMember { member, attributes } = organization.describe_member(&member).await?;
                let teams = pages::all_found(async |cursor| {
                    let member = Some(member.id.clone());
                    organization.find_teams(TeamQuery { member, cursor, limit: PAGE, ..TeamQuery::default() }).await
                });
                let record = organization.get().await?.unwrap_or_default();
                let mark = record.mark(&member.email, &member.user_name).map(|mark| mark.to_string());
                let mut shown = serde_json::to_value(&member)?;
                shown["mark"] = mark.into();
                shown["teams"] = teams.await?.into_iter().map(|team| team.name).collect::<Vec<_>>().into();
                shown["attributes"] = serde_json::from_str(&attributes)?;
                output::object(settings.json, &shown);
            }
            Self::Export { filter, .. } => {
                pages::write(DirectoryExport::members(organization, filter.query(None))).await?;
            }
            Self::Count { .. } => output::object(settings.json, &serde_json::to_value(organization.census().await?)?),
            Self::WithoutSeat { .. } => {
                let found = organization.without_seat().await?;
                if found.people.is_empty() && !settings.json {
                    output::print("Nobody waits for a seat.\n");
                    return Ok(());
                }
                let columns = ["last", "since", "refusals", "user_name", "email", "display_name", "request_id"];
                output::table(settings.json, &pages::values(&found.people)?, &columns);
                if found.is_full && !settings.json {
                    output::print("There may be more: the log of requests has everybody.\n");
                }
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
            Self::Import { file, .. } => {
                // If somebody was refused, the command fails, although it has added the others. Their changes are
                // stored first.
                let done = import(settings, &organization, file.as_deref()).await;
                provisioner.flush().await?;
                return done;
            }
            Self::Remove { member, .. } => {
                organization.remove_member(&member).await?;
                output::object(settings.json, &json!({"removed": member}));
            }
            Self::Erase { person, known_as, .. } => {
                let erased = organization.erase_person(&person, &known_as).await?;
                if erased.done && erased.erased == 0 && erased.emails == 0 {
                    output::complain(
                        "note: nothing here names this id; check it, unless the person was erased before\n",
                    );
                }
                output::object(settings.json, &serde_json::to_value(erased)?);
            }
            Self::ResetPassphrase { member, .. } => {
                let member = organization.member(&member).await?;
                let page = format!("{}/reset", organization.page_url());
                organization.request_passphrase_reset(&member.id, &page).await?;
                let folder = settings.email.mail_folder(&settings.data).join(organization.id().as_str());
                let mut sent = json!({"member": member.id, "to": member.email});
                if settings.email.smtp.is_none() {
                    sent["mail_folder"] = folder.display().to_string().into();
                }
                output::object(settings.json, &sent);
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
            Self::List { of, .. }
            | Self::Show { of, .. }
            | Self::Export { of, .. }
            | Self::Count { of }
            | Self::WithoutSeat { of }
            | Self::Add { of, .. }
            | Self::Import { of, .. }
            | Self::Remove { of, .. }
            | Self::Erase { of, .. }
            | Self::ResetPassphrase { of, .. }
            | Self::SetRole { of, .. } => of,
        }
    }
}

/// Imports the members in the file, and prints the outcome for each of them.
async fn import(settings: &Settings, organization: &Organization, file: Option<&Path>) -> anyhow::Result<()> {
    let members: Vec<ImportedMember> =
        serde_json::from_str(&input::read(file)?).context("the members can't be read: a JSON array is expected")?;
    let outcomes = organization.import_members(&members).await?;
    let row = |(member, outcome): (&ImportedMember, &ImportOutcome)| {
        let (outcome, reason) = match outcome {
            ImportOutcome::Added => ("added", ""),
            ImportOutcome::Present => ("present", ""),
            ImportOutcome::Refused(why) => ("refused", why.as_str()),
        };
        json!({"id": member.id, "email": member.email, "outcome": outcome, "reason": reason})
    };
    let rows: Vec<_> = members.iter().zip(&outcomes).map(row).collect();
    output::table(settings.json, &rows, &["id", "email", "outcome", "reason"]);
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, ImportOutcome::Refused(_))).count();
    anyhow::ensure!(
        refused == 0,
        "{refused} of {} members were refused; those who fit were taken over",
        outcomes.len()
    );
    Ok(())
}

/// Prints the members whom the query finds.
pub(super) async fn list(settings: &Settings, organization: &Organization, query: MemberQuery) -> anyhow::Result<()> {
    let members =
        pages::all_found(async |cursor| organization.find_members(MemberQuery { cursor, ..query.clone() }).await);
    let columns = ["email", "display_name", "role", "origin", "active", "id"];
    output::table(settings.json, &pages::values(&members.await?)?, &columns);
    Ok(())
}
