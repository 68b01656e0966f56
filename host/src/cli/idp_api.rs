//! `idp-api`: manages the access to the identity provider's API, through which tokens are refreshed automatically.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};

use insomnia_scim_contract::Actor as By;

use super::config::Settings;
use super::connector::Actor;
use super::member::Of;
use super::{host, input, output};
use crate::oauth::{EntraApi, IdpApi, OktaApi, OktaApiToken, OktaCredentials, OktaPrivateKey};
use crate::organization::Organization;

/// Commands about the identity provider's API. Its secrets are encrypted before they are stored, and never shown.
#[derive(Subcommand)]
pub(super) enum IdpApiCommand {
    /// Refresh the token through Microsoft Graph, with an application that may set the secrets of this provisioning.
    Entra {
        /// The tenant's id or domain.
        #[arg(long)]
        tenant: String,
        /// The application (client) id.
        #[arg(long)]
        client_id: String,
        /// The object id of the enterprise application's service principal.
        #[arg(long)]
        service_principal: String,
        #[command(flatten)]
        secret: SecretFile,
        /// The login URL of a national cloud, in place of <https://login.microsoftonline.com>.
        #[arg(long, value_name = "URL")]
        login_url: Option<String>,
        /// The Graph URL of a national cloud, in place of <https://graph.microsoft.com>.
        #[arg(long, value_name = "URL")]
        graph_url: Option<String>,
        /// The query string that follows the connector URL in Entra's Tenant URL, without the question mark, for
        /// instance `aadOptscim062020`.
        #[arg(long)]
        query: Option<String>,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
    },
    /// Refresh the token through Okta's Application Connections API.
    Okta {
        /// The URL of the Okta organization, for instance <https://example.okta.com>.
        #[arg(long, value_name = "URL")]
        org_url: String,
        /// The application's id.
        #[arg(long)]
        app: String,
        /// The id of a service application with the scope `okta.apps.manage`. The secret is then its private key, a JWK
        /// of the curve P-256. [default: the secret is an administrator's API token]
        #[arg(long)]
        client_id: Option<String>,
        #[command(flatten)]
        secret: SecretFile,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
    },
    /// Show the configuration, and the state of the refresh.
    Show {
        #[command(flatten)]
        of: Of,
    },
    /// Let the running server refresh the token within a second, to see whether the access works.
    Try {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
    },
    /// Remove the access and its secret. The token stays as it is.
    Remove {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
    },
}

/// The file with the secret. A secret is never a flag, since other users can see flags in the list of processes.
#[derive(Args)]
pub(super) struct SecretFile {
    /// File with the client secret, API token or private key; `-` is standard input.
    #[arg(long, value_name = "FILE", default_value = "-", env = "INSOMNIA_SCIM_SECRET_FILE")]
    secret_file: PathBuf,
}

impl SecretFile {
    fn read(&self) -> anyhow::Result<String> {
        let text = input::read(Some(&self.secret_file))?;
        let secret = text.trim();
        if secret.is_empty() {
            bail!("no secret: write it to standard input, or name a file by --secret-file");
        }
        Ok(secret.to_owned())
    }
}

impl IdpApiCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &self.of().organization).await?;
        match self {
            Self::Entra {
                tenant, client_id, service_principal, secret, login_url, graph_url, query, actor, ..
            } => {
                let api = IdpApi::Entra(EntraApi {
                    tenant_id: tenant,
                    client_id,
                    client_secret: secret.read()?,
                    service_principal_id: service_principal,
                    login_url,
                    graph_url,
                });
                let actor = actor.or_owner();
                organization.configure_idp_api(&actor, api, query.as_deref()).await?;
                attempt(&organization, actor).await?;
                show(settings, &organization).await
            }
            Self::Okta { org_url, app, client_id, secret, actor, .. } => {
                let secret = secret.read()?;
                let credentials = match client_id {
                    Some(client_id) => OktaCredentials::PrivateKey(OktaPrivateKey { client_id, private_key: secret }),
                    None => OktaCredentials::ApiToken(OktaApiToken { token: secret }),
                };
                let api = IdpApi::Okta(OktaApi { org_url, app_id: app, credentials });
                let actor = actor.or_owner();
                organization.configure_idp_api(&actor, api, None).await?;
                attempt(&organization, actor).await?;
                show(settings, &organization).await
            }
            Self::Show { .. } => show(settings, &organization).await,
            Self::Try { actor, .. } => {
                organization.refresh_by_idp_api(&actor.or_owner()).await?;
                show(settings, &organization).await
            }
            Self::Remove { actor, .. } => {
                organization.remove_idp_api(&actor.or_owner()).await?;
                show(settings, &organization).await
            }
        }
    }

    fn of(&self) -> &Of {
        match self {
            Self::Entra { of, .. }
            | Self::Okta { of, .. }
            | Self::Show { of }
            | Self::Try { of, .. }
            | Self::Remove { of, .. } => of,
        }
    }
}

/// Makes a refresh due, which shows whether the access works. Does nothing while SCIM is disabled.
async fn attempt(organization: &Organization, actor: By) -> anyhow::Result<()> {
    if organization.status().await?.enabled {
        organization.refresh_by_idp_api(actor).await?;
    }
    Ok(())
}

async fn show(settings: &Settings, organization: &Organization) -> anyhow::Result<()> {
    output::object(settings.json, &serde_json::to_value(organization.refresh_status().await?)?);
    Ok(())
}
