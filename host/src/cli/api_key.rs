//! `api-key`: what opens the admin API.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::config::Settings;
use super::{host, output};
use crate::api_keys::{ApiKey, ApiKeyExpiry, ApiKeyHolder, ApiScope, NewApiKey};
use crate::provisioner::Provisioner;

/// Commands about API keys. A key is printed once: only its hash is stored.
#[derive(Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key and print it.
    Create {
        /// What it is called, such as who uses it.
        name: String,
        /// What the key may do, such as `members:read`: a resource, and `read` or `write`, which includes `read`. Without one it
        /// may do everything (`all:write`). The resources are organizations, components, connector, automatic-refresh,
        /// oauth-clients, members, teams, schemas, guard, logs, events, streams, api-keys, and all.
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<ApiScope>,
        /// When the key expires: after some days or years (`90d`, `1y`), at a time such as `2027-01-31T00:00:00Z`, or `never`.
        #[arg(long, value_name = "WHEN", default_value = "never")]
        expires: ApiKeyExpiry,
        #[command(flatten)]
        of: Whose,
    },
    /// List the keys, without the keys themselves; those that have expired or were revoked too.
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
    async fn holder(self, provisioner: &Provisioner) -> anyhow::Result<ApiKeyHolder> {
        Ok(match self.organization {
            Some(name) => ApiKeyHolder::Organization(host::organization(provisioner, &name).await?.id().clone()),
            None => ApiKeyHolder::Operator,
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
            Self::Create { name, scopes, expires, of } => {
                let holder = of.holder(&provisioner).await?;
                let scopes = if scopes.is_empty() { vec![ApiScope::EVERYTHING] } else { scopes };
                let new = NewApiKey { name, scopes, expires: expires.end(provisioner.clock().now()) };
                let issued = keys.create(&holder, new).await?;
                record(&provisioner, &holder, "api-key.create", &issued.key).await?;
                let mut printed = json!({"secret": issued.secret});
                if let (Some(printed), Value::Object(key)) =
                    (printed.as_object_mut(), serde_json::to_value(issued.key)?)
                {
                    printed.extend(key);
                }
                output::object(settings.json, &printed);
            }
            Self::List { of } => {
                let listed = keys.list(&of.holder(&provisioner).await?).await?;
                let listed: Vec<Value> = listed.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
                let columns = ["id", "name", "status", "scopes", "created", "expires", "last_used", "revoked"];
                output::table(settings.json, &listed, &columns);
            }
            Self::Revoke { id, of } => {
                let holder = of.holder(&provisioner).await?;
                let revoked = keys.revoke(&holder, &id).await?;
                record(&provisioner, &holder, "api-key.revoke", &revoked).await?;
                output::object(settings.json, &serde_json::to_value(revoked)?);
            }
        }
        provisioner.flush().await?;
        Ok(())
    }
}

/// Keeps in the audit trail of its holder what was done to a key.
async fn record(provisioner: &Provisioner, holder: &ApiKeyHolder, act: &str, key: &ApiKey) -> anyhow::Result<()> {
    match holder {
        ApiKeyHolder::Organization(id) => {
            host::organization(provisioner, id.as_str()).await?.record_api_key(act, key).await;
        }
        ApiKeyHolder::Operator => host::record(provisioner, act, "api-key", Some(&key.id), Some(&key.name)).await,
    }
    Ok(())
}
