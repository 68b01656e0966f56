//! `api-key`: what opens the admin API.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::config::Settings;
use super::{host, output};
use crate::api_keys::{ApiKey, ApiKeyScope};
use crate::provisioner::Provisioner;

/// Commands about API keys. A key is printed once: only its hash is stored.
#[derive(Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key and print it.
    Create {
        /// What it is called, such as who uses it.
        name: String,
        #[command(flatten)]
        of: Whose,
    },
    /// List the keys, without the keys themselves; the revoked ones too.
    List {
        #[command(flatten)]
        of: Whose,
    },
    /// Revoke a key: from now on no request is accepted with it.
    Revoke {
        /// Its id, as the list has it.
        id: String,
        #[command(flatten)]
        of: Whose,
    },
}

/// Whose keys.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whose {
    /// For keys of this organization, which open what concerns it.
    #[arg(long, value_name = "ID", env = "INSOMNIA_SCIM_ORGANIZATION")]
    organization: Option<String>,
    /// For keys of the operator, which open everything, for all organizations.
    #[arg(long)]
    operator: bool,
}

impl Whose {
    async fn scope(self, provisioner: &Provisioner) -> anyhow::Result<ApiKeyScope> {
        Ok(match self.organization {
            Some(name) => ApiKeyScope::Organization(host::organization(provisioner, &name).await?.id().clone()),
            None => ApiKeyScope::Operator,
        })
    }
}

impl ApiKeyCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = match &self {
            Self::Create { .. } => host::open_or_begin(settings).await?,
            _ => host::open(settings).await?,
        };
        let keys = provisioner.api_keys();
        match self {
            Self::Create { name, of } => {
                let scope = of.scope(&provisioner).await?;
                let issued = keys.create(&scope, &name).await?;
                record(&provisioner, &scope, "api-key.create", &issued.key).await?;
                let mut printed = json!({"secret": issued.secret});
                if let (Some(printed), Value::Object(key)) =
                    (printed.as_object_mut(), serde_json::to_value(issued.key)?)
                {
                    printed.extend(key);
                }
                output::object(settings.json, &printed);
            }
            Self::List { of } => {
                let listed = keys.list(&of.scope(&provisioner).await?).await?;
                let listed: Vec<Value> = listed.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
                output::table(settings.json, &listed, &["id", "name", "created", "last_used", "revoked"]);
            }
            Self::Revoke { id, of } => {
                let scope = of.scope(&provisioner).await?;
                let revoked = keys.revoke(&scope, &id).await?;
                record(&provisioner, &scope, "api-key.revoke", &revoked).await?;
                output::object(settings.json, &serde_json::to_value(revoked)?);
            }
        }
        provisioner.flush().await?;
        Ok(())
    }
}

/// Keeps in the audit trail of the organization what was done to one of its keys.
async fn record(provisioner: &Provisioner, scope: &ApiKeyScope, act: &str, key: &ApiKey) -> anyhow::Result<()> {
    if let ApiKeyScope::Organization(id) = scope {
        host::organization(provisioner, id.as_str()).await?.record_api_key(act, key).await;
    }
    Ok(())
}
