//! `audit`: shows what people, API keys and the operator have done.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::config::Settings;
use super::pages::PAGE;
use super::request_log::Period;
use super::{host, output};
use crate::capability::storage::OrganizationId;
use crate::journal::AuditQuery;
use crate::organization::Organization;

/// Commands about the audit trail.
#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// List the newest entries of an organization, or those about the operator's acts beyond single organizations
    /// (deleted organizations, the operator's own keys, components).
    List {
        /// List the entries of this organization.
        #[arg(long, value_name = "ID", env = "INSOMNIA_SCIM_ORGANIZATION", required_unless_present = "operator")]
        organization: Option<String>,
        /// List the operator's own entries.
        #[arg(long)]
        operator: bool,
        #[command(flatten)]
        filter: Filter,
        /// The number of entries.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
    },
    /// Write entries to standard output as JSON Lines, newest first. Without --organization or --operator, the entries
    /// of all organizations follow each other, and the operator's own come last.
    Export {
        /// Export only the entries of this organization. [default: all organizations]
        #[arg(long, value_name = "ID", env = "INSOMNIA_SCIM_ORGANIZATION")]
        organization: Option<String>,
        /// Export only the operator's own entries.
        #[arg(long)]
        operator: bool,
        #[command(flatten)]
        filter: Filter,
    },
}

/// The entries to list or export. They must meet every condition that is given.
#[derive(Args, Clone)]
pub(super) struct Filter {
    #[command(flatten)]
    period: Period,
    /// Only entries that contain this text, in upper or lower case: an act, an address, or the id of a member or key.
    #[arg(long)]
    text: Option<String>,
}

impl Filter {
    fn page(&self, after: Option<String>, limit: u32) -> AuditQuery {
        let (since, until) = self.period.ends();
        AuditQuery { since, until, text: self.text.clone(), after, limit }
    }
}

impl AuditCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        match self {
            Self::List { organization, operator, filter, limit } => {
                let query = filter.page(None, limit);
                let page = match organization.filter(|_| !operator) {
                    Some(named) => host::organization(&provisioner, &named).await?.audit(query).await?,
                    None => provisioner.audit(query).await?,
                };
                let entries: Vec<Value> =
                    page.entries.iter().map(|json| serde_json::from_str(json)).collect::<Result<_, _>>()?;
                output::table(settings.json, &entries, &["time", "act", "by", "face", "address", "subject", "refused"]);
            }
            Self::Export { operator: true, filter, .. } => export(&provisioner.operator_trail(), None, &filter).await?,
            Self::Export { organization: Some(named), filter, .. } => {
                let organization = host::organization(&provisioner, &named).await?;
                export(&organization, Some(organization.id()), &filter).await?;
            }
            Self::Export { organization: None, filter, .. } => {
                let (mut after, mut failed) = (None::<OrganizationId>, 0);
                loop {
                    let found = provisioner.organizations(after.as_ref(), PAGE).await?;
                    let Some(last) = found.last() else { break };
                    for registered in &found {
                        // An organization that is being deleted at this moment, or whose component fails, must not keep
                        // the entries of the others back.
                        let organization = provisioner.organization(&registered.id);
                        if let Err(error) = export(&organization, Some(&registered.id), &filter).await {
                            tracing::error!(organization = %registered.id, "the audit trail can't be read: {error}");
                            failed += 1;
                        }
                    }
                    after = Some(last.id.clone());
                }
                export(&provisioner.operator_trail(), None, &filter).await?;
                if failed > 0 {
                    bail!("the audit trails of {failed} organizations could not be read: the log says which");
                }
            }
        }
        Ok(())
    }
}

/// Prints all entries of a trail. If it is the trail of an organization, each entry gets the organization's id.
async fn export(trail: &Organization, organization: Option<&OrganizationId>, filter: &Filter) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = trail.audit(filter.page(after, PAGE)).await?;
        let mut lines = String::new();
        for entry in &page.entries {
            let mut entry: Value = serde_json::from_str(entry)?;
            if let (Some(entry), Some(id)) = (entry.as_object_mut(), organization) {
                entry.insert("organization".into(), json!(id.as_str()));
            }
            lines.push_str(&format!("{entry}\n"));
        }
        output::print(&lines);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
