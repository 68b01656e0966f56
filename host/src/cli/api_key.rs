//! `api-key`: manages the keys of the admin API.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::config::Settings;
use super::{host, output, pages};
use crate::api_keys::{ApiKey, ApiKeyExpiry, ApiKeyHolder, ApiScope, NewApiKey};
use crate::provisioner::Provisioner;

/// Commands about API keys. A key is printed once: only its hash is stored.
#[derive(Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Create a key and print it.
    Create {
        /// A name for the key, such as the program that uses it.
        name: String,
        /// What the key may do, for instance `members:read`: a resource, and `read` or `write`. `write` includes
        /// `read`. Without a scope the key may do everything (`all:write`). Resources: organizations, components,
        /// connector, automatic-refresh, oauth-clients, members, teams, schemas, guard, logs, events, streams,
        /// api-keys, all.
        #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
        scopes: Vec<ApiScope>,
        /// When the key expires: after a number of days or years (`90d`, `1y`), at a time such as
        /// `2027-01-31T00:00:00Z`, or `never`.
        #[arg(long, value_name = "WHEN", default_value = "never")]
        expires: ApiKeyExpiry,
        #[command(flatten)]
        of: Whose,
    },
    /// List the keys, also expired and revoked ones. The secrets are not shown.
    List {
        #[command(flatten)]
        of: Whose,
    },
    /// Revoke a key. No request is accepted with it any more.
    Revoke {
        /// The id of the key, as `api-key list` shows it.
        id: String,
        #[command(flatten)]
        of: Whose,
    },
}

/// The holder of the keys.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whose {
    /// Keys of this organization, which give access to this organization only.
    #[arg(long, value_name = "ID", env = "INSOMNIA_SCIM_ORGANIZATION")]
    organization: Option<String>,
    /// Keys of the operator, which give access to all organizations.
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
                let listed = pages::values(&keys.list(&of.holder(&provisioner).await?).await?)?;
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

/// Notes in the holder's audit trail what was done to a key.
async fn record(provisioner: &Provisioner, holder: &ApiKeyHolder, act: &str, key: &ApiKey) -> anyhow::Result<()> {
    match holder {
        ApiKeyHolder::Organization(id) => {
            host::organization(provisioner, id.as_str()).await?.record_api_key(act, key).await;
        }
        ApiKeyHolder::Operator => host::record(provisioner, act, "api-key", Some(&key.id), Some(&key.name)).await,
    }
    Ok(())
}
