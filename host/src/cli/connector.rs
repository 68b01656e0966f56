//! `connector`: enables, disables and shows an organization's SCIM connector, and refreshes its token.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use insomnia_scim_contract::Actor as By;
use serde_json::{Value, json};

use super::arguments::one_of;
use super::config::Settings;
use super::member::Of;
use super::{host, output, passphrase};
use crate::connector::{DEFAULT_EXPIRY, ExpiryWindow, IdentityProvider, IssuedToken, guessed};
use crate::organization::Organization;

/// Commands about the connector. The token is printed once: only its hash is stored.
#[derive(Subcommand)]
pub(super) enum Connector {
    /// Enable SCIM, and print the connector URL and the token.
    Enable {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
        /// The identity provider: okta, azure (Entra ID), ping-federate, or the name of another one. [default: the
        /// organization's single sign-on provider]
        #[arg(long, value_name = "PROVIDER")]
        idp: Option<String>,
        /// How long the token is valid.
        #[arg(long, value_parser = one_of::<ExpiryWindow>(ExpiryWindow::NAMES), default_value_t = DEFAULT_EXPIRY)]
        expires: ExpiryWindow,
        /// Whether only users of the organization's verified domains may be provisioned: true or false. [default: as it
        /// is now; the command prints it with the domains]
        #[arg(long, value_name = "BOOL")]
        verified_domains_only: Option<bool>,
    },
    /// Disable SCIM. Every SCIM request is then answered with 401. Members and teams stay as they are.
    Disable {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        actor: Actor,
    },
    /// Show the state of the connector.
    Status {
        #[command(flatten)]
        of: Of,
    },
    /// Issue a new token and print it. The operator acts, or --actor, who must give the passphrase.
    Refresh {
        #[command(flatten)]
        of: Of,
        /// Id or email address of the owner or co-owner who acts. [default: the operator]
        #[arg(long, value_name = "MEMBER")]
        actor: Option<String>,
        /// How long the new token is valid. [default: as long as the old one was]
        #[arg(long, value_parser = one_of::<ExpiryWindow>(ExpiryWindow::NAMES))]
        expires: Option<ExpiryWindow>,
        /// For how many seconds the old token still works, at most 86400. This is the time to give the identity
        /// provider the new one.
        #[arg(long, value_name = "SECONDS", default_value_t = 0)]
        overlap: u32,
        /// The actor's passphrase. Prefer the variable: other users can see a flag in the list of processes. [default:
        /// a line of standard input]
        #[arg(long, env = "INSOMNIA_SCIM_PASSPHRASE", hide_env_values = true)]
        passphrase: Option<String>,
    },
}

/// The member who acts.
#[derive(Args)]
pub(super) struct Actor {
    /// Id or email address of the owner or co-owner who acts. [default: the owner]
    #[arg(long, value_name = "MEMBER")]
    actor: Option<String>,
}

impl Connector {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        let organization = host::organization(&provisioner, &self.of().organization).await?;
        match self {
            Self::Enable { actor, idp, expires, verified_domains_only, .. } => {
                let actor = actor.or_owner();
                let idp = match idp {
                    Some(name) => provider(&name),
                    None => {
                        let single_sign_on = organization.get().await?.and_then(|record| record.single_sign_on);
                        // Without single sign-on SCIM can't be enabled, so it makes no difference which provider is
                        // named here.
                        guessed(&single_sign_on.unwrap_or_default()).unwrap_or(IdentityProvider::Okta)
                    }
                };
                let issued = organization.enable(&actor, idp, expires).await?;
                let mut shown = shown(&organization, &issued);
                let rule = organization.decide_domains(verified_domains_only).await;
                if let Ok(rule) = &rule {
                    shown["verified_domains"] = rule.domains.clone().into();
                    shown["verified_domains_only"] = rule.only.into();
                }
                // The token is printed first: it is shown only once, and must not be lost if the rule could not be
                // changed.
                output::object(settings.json, &shown);
                rule.context(
                    "SCIM is enabled, but who may be provisioned could not be changed; see `org set --option`",
                )?;
            }
            Self::Disable { actor, .. } => {
                let actor = actor.or_owner();
                organization.disable(&actor).await?;
                output::object(settings.json, &serde_json::to_value(organization.status().await?)?);
            }
            Self::Status { .. } => {
                let mut status = serde_json::to_value(organization.status().await?)?;
                status["connector_url"] = organization.connector_url().into();
                output::object(settings.json, &status);
            }
            Self::Refresh { actor, expires, overlap, passphrase, .. } => {
                let issued = match actor {
                    Some(actor) => {
                        let passphrase = passphrase::given_or_asked(passphrase)?;
                        organization.refresh(&actor, &passphrase, expires, overlap).await?
                    }
                    None => organization.refresh_as_operator(expires, overlap).await?,
                };
                output::object(settings.json, &shown(&organization, &issued));
            }
        }
        provisioner.flush().await?;
        Ok(())
    }

    fn of(&self) -> &Of {
        match self {
            Self::Enable { of, .. } | Self::Disable { of, .. } | Self::Status { of } | Self::Refresh { of, .. } => of,
        }
    }
}

impl Actor {
    /// The named member, or else the owner: whoever has access to the data may act for the owner.
    pub(super) fn or_owner(self) -> By {
        self.actor.map_or(By::Owner, By::Member)
    }
}

/// The identity provider with this name. A name that is not known here is taken as that of another provider.
pub(super) fn provider(name: &str) -> IdentityProvider {
    match name.to_ascii_lowercase().as_str() {
        "okta" => IdentityProvider::Okta,
        "azure" | "entra" | "entra-id" => IdentityProvider::Azure,
        "ping-federate" | "pingfederate" => IdentityProvider::PingFederate,
        _ => IdentityProvider::Other(name.to_owned()),
    }
}

/// The JSON to print for a new token.
fn shown(organization: &Organization, issued: &IssuedToken) -> Value {
    json!({
        "organization": organization.id().as_str(),
        "connector_url": organization.connector_url(),
        "token": issued.token,
        "expires": issued.expires,
    })
}
