//! `setup-link`: manages links with which somebody who administers the identity provider, but is no owner, sets it up.

use clap::Subcommand;
use insomnia_scim_contract::Actor;
use serde_json::json;

use super::arguments::one_of;
use super::config::Settings;
use super::connector::provider;
use super::member::Of;
use super::pages;
use super::{host, output};
use crate::connector::{ExpiryWindow, IdentityProvider, NewSetupLink, guessed};

/// Commands about set-up links. A link works once, and its secret is printed once.
#[derive(Subcommand)]
pub(super) enum SetupLinkCommand {
    /// Create a link and print it. Whoever opens it sees the steps and, once, a new token. That enables SCIM.
    Create {
        #[command(flatten)]
        of: Of,
        /// The identity provider: okta, azure (Entra ID), ping-federate, or the name of another one. [default: the
        /// organization's single sign-on provider]
        #[arg(long, value_name = "PROVIDER")]
        idp: Option<String>,
        /// How long the token will be valid. [default: as long as the present one, or 180d]
        #[arg(long, value_parser = one_of::<ExpiryWindow>(ExpiryWindow::NAMES))]
        expires: Option<ExpiryWindow>,
        /// For how many hours the link works: 1 to 168.
        #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=168))]
        hours: u32,
    },
    /// List the links that work, and some that have been used, have expired or were revoked.
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Revoke a link that still works.
    Revoke {
        /// The id of the link, as `setup-link list` shows it.
        id: String,
        #[command(flatten)]
        of: Of,
    },
}

impl SetupLinkCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let provisioner = host::open(settings).await?;
        let (Self::Create { of, .. } | Self::List { of } | Self::Revoke { of, .. }) = &self;
        let organization = host::organization(&provisioner, &of.organization).await?;
        match self {
            Self::Create { idp, expires, hours, .. } => {
                let identity_provider = match idp {
                    Some(name) => provider(&name),
                    None => {
                        let single_sign_on = organization.get().await?.and_then(|record| record.single_sign_on);
                        guessed(&single_sign_on.unwrap_or_default()).unwrap_or(IdentityProvider::Okta)
                    }
                };
                let link = NewSetupLink { identity_provider, window: expires, valid_seconds: hours * 3_600 };
                let issued = organization.create_setup_link_as_operator(link).await?;
                let mut shown = serde_json::to_value(&issued.link)?;
                shown["url"] = organization.setup_link_url(&issued.token).into();
                output::object(settings.json, &shown);
            }
            Self::List { .. } => {
                let links = pages::values(&organization.setup_links().await?)?;
                if links.is_empty() && !settings.json {
                    output::print("There is no set-up link.\n");
                    return Ok(());
                }
                let columns = ["created", "created_by", "identity_provider", "expires", "used", "revoked", "id"];
                output::table(settings.json, &links, &columns);
            }
            Self::Revoke { id, .. } => {
                organization.revoke_setup_link(Actor::Operator, &id).await?;
                output::object(settings.json, &json!({"revoked": id}));
            }
        }
        provisioner.flush().await?;
        Ok(())
    }
}
