//! `guard` and `preview`: the mass-deprovisioning guard, and a preview of what provisioning a list of users would do.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::config::Settings;
use super::connector::Actor;
use super::member::Of;
use super::pages::{self, PAGE};
use super::{host, input, output};
use crate::guard::{Decision, Guard};

/// Commands about the mass-deprovisioning guard.
#[derive(Subcommand)]
pub(super) enum GuardCommand {
    /// Set how many deactivations and deletions pass within an hour. The guard holds all others. --off switches the
    /// guard off.
    Set {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        limits: Limits,
    },
    /// Show the guard, and the removals that it holds.
    Show {
        #[command(flatten)]
        of: Of,
    },
    /// Allow held removals. They happen when the identity provider tries them again.
    Allow(Decide),
    /// Refuse held removals. For a week the identity provider is answered with 403.
    Refuse(Decide),
}

/// The removals that pass within an hour. At least one flag must be given, so that a command line that was cut short
/// does not switch the guard off.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(super) struct Limits {
    /// The number of removals that pass within an hour: 1 or more.
    #[arg(long)]
    number: Option<u32>,
    /// The percentage of the active members managed by SCIM that may be removed within an hour: 1 to 99.
    #[arg(long)]
    share: Option<u8>,
    /// Switch the guard off. Every removal then passes, and the guard forgets the removals that it holds.
    #[arg(long, conflicts_with_all = ["number", "share"])]
    off: bool,
}

/// The removals about which an owner decides.
#[derive(Args)]
pub(super) struct Decide {
    /// Only the removals of these members, by id. [default: all]
    members: Vec<String>,
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    actor: Actor,
}

impl GuardCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        match self {
            Self::Set { of, limits: Limits { number, share, off: false } } => {
                let guard = Some(Guard { number, share });
                host::organization(&provisioner, &of.organization).await?.set_guard(guard).await?;
                output::object(settings.json, &json!({"guard": guard}));
            }
            Self::Set { of, limits: Limits { off: true, .. } } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let counts = organization.held(None, 1).await?.counts;
                let forgotten = counts.deactivations.saturating_add(counts.deletions);
                organization.set_guard(None).await?;
                if settings.json {
                    output::object(true, &json!({"guard": null, "forgotten": forgotten}));
                    return Ok(());
                }
                let at_least = if counts.at_least { "at least " } else { "" };
                output::print("The guard is off: every deactivation and deletion passes.\n");
                match forgotten {
                    0 => {}
                    1 => output::print(
                        "It has forgotten 1 held removal: it passes when the identity provider tries it again.\n",
                    ),
                    _ => output::print(&format!(
                        "It has forgotten {at_least}{forgotten} held removals: they pass when the identity provider \
                         tries them again.\n"
                    )),
                }
            }
            Self::Show { of } => {
                let organization = host::organization(&provisioner, &of.organization).await?;
                let status = organization.guard(None, 1).await?;
                let mut page = organization.held(None, PAGE).await?;
                while let Some(after) = page.next.take() {
                    let more = organization.held(Some(&after), PAGE).await?;
                    page.items.extend(more.items);
                    page.next = more.next;
                }
                // People read the removal and its member as one row, so the fields of both are put together.
                let mut held = pages::values(&page.items)?;
                for held in &mut held {
                    let removal = held["removal"].take();
                    if let (Some(held), Value::Object(removal)) = (held.as_object_mut(), removal) {
                        held.extend(removal);
                    }
                }
                let head = json!({
                    "guard": status.guard, "holding_since": status.holding_since, "counts": page.counts,
                });
                if settings.json {
                    let mut whole = head;
                    whole["held"] = held.into();
                    output::object(true, &whole);
                } else {
                    output::object(false, &head);
                    output::table(false, &held, &["name", "email", "removal", "decision", "time", "member"]);
                }
            }
            Self::Allow(decide) => decide.run(settings, &provisioner, Decision::Allowed).await?,
            Self::Refuse(decide) => decide.run(settings, &provisioner, Decision::Refused).await?,
        }
        Ok(())
    }
}

impl Decide {
    async fn run(
        self,
        settings: &Settings,
        provisioner: &crate::Provisioner,
        decision: Decision,
    ) -> anyhow::Result<()> {
        let organization = host::organization(provisioner, &self.of.organization).await?;
        let actor = self.actor.or_owner();
        let decided = organization.decide_held(&actor, decision, &self.members).await?;
        output::object(settings.json, &json!({"decided": decided}));
        Ok(())
    }
}

/// Show what provisioning a list of users would do with each of them. Nothing is changed.
#[derive(Args)]
pub(super) struct Preview {
    /// A JSON array of SCIM Users, or an object with such an array `Resources`. [default: standard input]
    file: Option<PathBuf>,
    #[command(flatten)]
    of: Of,
}

impl Preview {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let users = input::read(self.file.as_deref())?;
        let provisioner = host::open(settings).await?;
        let preview = host::organization(&provisioner, &self.of.organization).await?.preview(users).await?;
        if settings.json {
            output::object(true, &serde_json::to_value(preview)?);
            return Ok(());
        }
        let users = pages::values(&preview.users)?;
        output::table(false, &users, &["user_name", "outcome", "reason", "member"]);
        let summary = json!({
            "left manual": preview.left_manual_count,
            "seats": preview.seats,
            "taken": preview.taken,
            "taken after": preview.taken_after,
            "seats missing": preview.seats_missing,
        });
        output::object(false, &summary);
        Ok(())
    }
}
