//! `schema`: puts, shows and removes the schemas and resource types that an organization declares.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::{Value, json};

use super::config::Settings;
use super::{host, input, output};

/// Commands about what an organization declares beside the built-in schemas: further attributes of users and groups,
/// and further resource types.
#[derive(Subcommand)]
pub(super) enum SchemaCommand {
    /// Declare schemas and resource types. They replace the present declarations. Stored resources stay as they are.
    Put {
        /// The organization's id.
        organization: String,
        /// File with a JSON object that has `schemas` (RFC 7643 §7) and `resourceTypes` (RFC 7643 §6). A resource type
        /// named `User` or `Group` adds its `schemaExtensions` to the built-in one. [default: -, that is standard
        /// input]
        file: Option<PathBuf>,
    },
    /// Show the declarations, in the form that `put` takes.
    Show {
        /// The organization's id.
        organization: String,
    },
    /// Remove all declarations. Stored resources stay, and are served again when their type is declared again.
    Remove {
        /// The organization's id.
        organization: String,
    },
}

impl SchemaCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        let (Self::Put { organization, .. } | Self::Show { organization } | Self::Remove { organization }) = &self;
        let organization = host::organization(&provisioner, organization).await?;
        match &self {
            Self::Put { file, .. } => organization.put_schemas(input::read(file.as_deref())?).await?,
            Self::Show { .. } => {}
            Self::Remove { .. } => organization.remove_schemas().await?,
        }
        if matches!(self, Self::Remove { .. }) {
            output::object(settings.json, &json!({"removed": true}));
        } else {
            // This is JSON even without --json, since only JSON can be put again.
            let declared = organization.schemas().await?;
            let declared: Value = serde_json::from_str(&declared).context("the declaration can't be read")?;
            output::print(&format!("{declared:#}\n"));
        }
        provisioner.flush().await?;
        Ok(())
    }
}
