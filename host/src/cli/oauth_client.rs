//! `oauth-client`: clients of an organization's OAuth 2.0 authorization server.

use clap::Subcommand;
use serde_json::{Value, json};

use super::config::Settings;
use super::connector::Actor;
use super::member::Of;
use super::{host, output};
use crate::oauth::{IssuedOAuthClient, NewOAuthClient};
use crate::organization::Organization;

/// Commands about OAuth 2.0 clients. A secret is printed once: only its hash is stored.
#[derive(Subcommand)]
pub(super) enum OAuthClientCommand {
    /// Register a client, and print what the identity provider is given: endpoints, client id and secret.
    Create {
        /// What administrators call it, for instance "Okta".
        name: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
        /// It may use the client credentials grant, as Microsoft Entra ID does.
        #[arg(long)]
        client_credentials: bool,
        /// It may use the authorization code grant, as Okta does; codes are sent to this URL only. May be given more
        /// than once.
        #[arg(long, value_name = "URL", id = "redirect_uri")]
        redirect_uri: Vec<String>,
        /// It can't keep a secret: it gets none, and must use PKCE.
        #[arg(long)]
        public: bool,
    },
    /// List the clients.
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Give a client a new secret.
    Rotate {
        /// The client's id.
        client: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
        /// Seconds for which the old secret is accepted too, at most 86400.
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        overlap: u32,
    },
    /// Delete a client with all that was granted and issued to it.
    Delete {
        /// The client's id.
        client: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
    },
}

impl OAuthClientCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &self.of().organization).await?;
        match self {
            Self::Create { name, actor, client_credentials, redirect_uri, public, .. } => {
                let client = NewOAuthClient {
                    name,
                    client_credentials,
                    authorization_code: !redirect_uri.is_empty(),
                    redirect_uris: redirect_uri,
                    public,
                };
                let issued = organization.create_oauth_client(&actor.or_owner(), client).await?;
                print(settings, &organization, &issued);
            }
            Self::List { .. } => {
                let clients = organization.oauth_clients().await?;
                let clients: Vec<Value> = clients.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
                output::table(settings.json, &clients, &["id", "name", "created", "secret_created", "overlap_until"]);
            }
            Self::Rotate { client, actor, overlap, .. } => {
                let actor = actor.or_owner();
                let issued = organization.rotate_oauth_client_secret(&actor, &client, overlap).await?;
                print(settings, &organization, &issued);
            }
            Self::Delete { client, actor, .. } => {
                organization.delete_oauth_client(&actor.or_owner(), &client).await?;
                output::object(settings.json, &json!({"deleted": client}));
            }
        }
        Ok(())
    }

    fn of(&self) -> &Of {
        match self {
            Self::Create { of, .. } | Self::List { of } | Self::Rotate { of, .. } | Self::Delete { of, .. } => of,
        }
    }
}

fn print(settings: &Settings, organization: &Organization, issued: &IssuedOAuthClient) {
    let issuer = organization.oauth_issuer();
    let value = json!({
        "client_id": issued.client.id,
        "client_secret": issued.secret,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "scope": "scim",
        "connector_url": organization.connector_url(),
        "overlap_until": issued.client.overlap_until,
    });
    output::object(settings.json, &value);
}
