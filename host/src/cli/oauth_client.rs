//! `oauth-client`: manages the clients of an organization's OAuth 2.0 authorization server.

use clap::Subcommand;
use serde_json::json;

use super::config::Settings;
use super::connector::Actor;
use super::member::Of;
use super::{host, output, pages};
use crate::oauth::{ClientAssertion, IssuedOAuthClient, NewOAuthClient, SecretWindow};
use crate::organization::Organization;

/// Commands about OAuth 2.0 clients. A secret is printed once: only its hash is stored.
#[derive(Subcommand)]
pub(super) enum OAuthClientCommand {
    /// Register a client, and print the settings for the identity provider: endpoints, client id and secret.
    Create {
        /// A name for administrators, for instance "Okta".
        name: String,
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
        /// Allow the client credentials grant, which Microsoft Entra ID uses.
        #[arg(long)]
        client_credentials: bool,
        /// Allow the authorization code grant, which Okta uses, with this redirect URI. May be given more than once.
        #[arg(long, value_name = "URL", id = "redirect_uri")]
        redirect_uri: Vec<String>,
        /// A public client, which can't keep a secret: it gets none, and must use PKCE.
        #[arg(long)]
        public: bool,
        /// How long the secret is valid: 1y, 2y, 3y or never. Administrators are warned before it expires.
        #[arg(long, value_name = "WINDOW", default_value_t)]
        expires: SecretWindow,
        /// For how many minutes an access token is valid: 60 to 360.
        #[arg(long, value_name = "MINUTES", default_value_t = 120)]
        access_token_minutes: u32,
        /// The client has no secret, but signs a JWT (RFC 7523) with a key of the key set at this URL, as Microsoft
        /// Entra ID does with workload identity federation.
        #[arg(long, value_name = "URL", conflicts_with = "public")]
        jwks_url: Option<String>,
        /// The issuer (iss) of the JWT. [default: the client's id]
        #[arg(long, value_name = "TEXT", requires = "jwks_url")]
        issuer: Option<String>,
        /// The subject (sub) of the JWT. [default: the client's id]
        #[arg(long, value_name = "TEXT", requires = "jwks_url")]
        subject: Option<String>,
        /// The audience (aud) of the JWT. [default: the issuer or the token endpoint of this server]
        #[arg(long, value_name = "TEXT", requires = "jwks_url")]
        audience: Option<String>,
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
        /// How long the new secret is valid: 1y, 2y, 3y or never. [default: as long as the old one was]
        #[arg(long, value_name = "WINDOW")]
        expires: Option<SecretWindow>,
        /// For how many seconds the old secret still works, at most 7776000 (90 days).
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        overlap: u32,
    },
    /// Delete a client with all its grants and tokens.
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
            Self::Create {
                name,
                actor,
                client_credentials,
                redirect_uri,
                public,
                expires,
                access_token_minutes,
                jwks_url,
                issuer,
                subject,
                audience,
                ..
            } => {
                let client = NewOAuthClient {
                    name,
                    client_credentials,
                    authorization_code: !redirect_uri.is_empty(),
                    redirect_uris: redirect_uri,
                    public,
                    assertion: jwks_url.map(|jwks_url| ClientAssertion { issuer, subject, audience, jwks_url }),
                    secret_window: expires,
                    access_token_minutes: Some(access_token_minutes),
                };
                let issued = organization.create_oauth_client(&actor.or_owner(), client).await?;
                print(settings, &organization, &issued);
            }
            Self::List { .. } => {
                let clients = pages::values(&organization.oauth_clients().await?)?;
                output::table(
                    settings.json,
                    &clients,
                    &["id", "name", "created", "secret_expires", "overlap_until", "keys_problem"],
                );
            }
            Self::Rotate { client, actor, expires, overlap, .. } => {
                let actor = actor.or_owner();
                let issued = organization.rotate_oauth_client_secret(&actor, &client, expires, overlap).await?;
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
        "secret_expires": issued.client.secret_expires,
        "overlap_until": issued.client.overlap_until,
    });
    output::object(settings.json, &value);
}
