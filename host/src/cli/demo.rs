//! `demo`: runs the server with an organization to try.

use anyhow::{Context as _, bail};
use clap::Args;
use insomnia_scim_contract::{Act, Actor, Face, Source};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::config::Settings;
use super::serve::Listen;
use super::{output, passphrase};
use crate::capability::storage::OrganizationId;
use crate::connector::{DEFAULT_EXPIRY, IdentityProvider};
use crate::directory::{Domain, Options, OrganizationRecord, Plan};
use crate::error::ActionError;
use crate::organization::{CreateOrganizationError, NewOrganization, Organization, Owner};
use crate::provisioner::Provisioner;
use crate::registry::RegistryError;

const NAME: &str = "demo";
const DOMAIN: &str = "demo.example";
const OWNER: &str = "owner@demo.example";
const SEATS: u32 = 1_000_000;
/// The name of the note that is written when the organization is complete.
const NOTE: &str = "demo";

/// Arguments of `demo`.
///
/// The first start makes the organization `demo` (Enterprise plan, 1,000,000 seats, a verified domain, single sign-on
/// with Okta, an owner) and enables SCIM. It prints the token and the owner's passphrase, which are shown only once.
/// Later starts serve the same organization.
#[derive(Args)]
pub(super) struct Demo {
    #[command(flatten)]
    listen: Listen,
    /// Issue a new token and print it. The old token stops working at once.
    #[arg(long)]
    new_token: bool,
}

/// The content of the note: what the first start has made.
#[derive(Serialize, Deserialize)]
struct Made {
    organization: String,
    owner: String,
}

/// The secrets, which can be shown only when they are made.
struct Shown {
    token: String,
    passphrase: Option<String>,
}

impl Demo {
    pub(super) async fn run(self, settings: Settings) -> anyhow::Result<()> {
        let server = self.listen.open(&settings).await?;
        let provisioner = &server.provisioner;
        let made = provisioner.registry().note(NOTE).await?;
        let (organization, owner, shown) = match made {
            Some(note) => {
                let made: Made = serde_json::from_str(&note).context("the note about the demo can't be read")?;
                let organization = provisioner.organization(&OrganizationId::parse(&made.organization)?);
                let shown = if self.new_token { Some(renew(&organization).await?) } else { None };
                (organization, made.owner, shown)
            }
            None => {
                let (organization, shown) = make(provisioner).await?;
                (organization, OWNER.to_owned(), Some(shown))
            }
        };
        output::announce(announcement(&self.listen.before(&settings), &organization, &owner, shown.as_ref()));
        server.serve().await
    }
}

/// Makes the organization. If an earlier start was broken off, each step continues with what that start has made.
async fn make(provisioner: &Provisioner) -> anyhow::Result<(Organization, Shown)> {
    let id = OrganizationId::parse(NAME)?;
    let record = OrganizationRecord {
        name: "Demo".into(),
        plan: Plan::Enterprise,
        seats: SEATS,
        domains: vec![Domain { name: DOMAIN.into(), verified: true }],
        single_sign_on: Some("okta".into()),
        options: Options::default(),
    };
    let passphrase = passphrase::generate()?;
    let owner =
        Owner { email: OWNER.into(), display_name: Some("Demo Owner".into()), passphrase: Some(passphrase.clone()) };
    let source = Source::new(Face::CommandLine);
    let by = Act { actor: Actor::Operator, source: source.clone() };
    let new = NewOrganization { owner: Some(owner), by, ..NewOrganization::new(id.clone(), record) };
    let organization = match provisioner.create_organization(new).await {
        Ok(created) => created.organization,
        Err(CreateOrganizationError::Registry(RegistryError::Exists(_))) => {
            let organization = provisioner.organization(&id).coming_from(source);
            organization.set_passphrase(OWNER, &passphrase).await.context("the demo owner has no passphrase")?;
            organization
        }
        Err(error) => return Err(error).context("the demo organization can't be set up"),
    };
    let issued = match organization.enable(OWNER, IdentityProvider::Okta, DEFAULT_EXPIRY).await {
        Err(ActionError::Conflict(_)) => organization.refresh_as_operator(None, 0).await,
        other => other,
    };
    let token = issued.context("SCIM can't be enabled for the demo organization")?.token;
    let note = serde_json::to_string(&Made { organization: NAME.into(), owner: OWNER.into() })?;
    provisioner.registry().set_note(NOTE, &note).await?;
    Ok((organization, Shown { token, passphrase: Some(passphrase) }))
}

async fn renew(organization: &Organization) -> anyhow::Result<Shown> {
    if !organization.status().await?.enabled {
        bail!("SCIM is disabled for the demo organization; run: insomnia-scim connector enable --organization {NAME}");
    }
    let token = organization.refresh_as_operator(None, 0).await?.token;
    Ok(Shown { token, passphrase: None })
}

fn announcement(settings: &Settings, organization: &Organization, owner: &str, shown: Option<&Shown>) -> String {
    let token = shown.map(|shown| &shown.token);
    let passphrase = shown.and_then(|shown| shown.passphrase.as_ref());
    let (connector, id) = (organization.connector_url(), organization.id());
    let page = organization.page_url();
    if settings.json {
        let line = json!({
            "connector_url": connector,
            "token": token,
            "page_url": page,
            "organization": id.as_str(),
            "owner": {"email": owner, "passphrase": passphrase},
        });
        return format!("{line}\n");
    }
    let hint = if shown.is_none() {
        format!(
            "Token and passphrase were shown when they were made. For a new token, run while the server runs:\n  \
             {program} connector refresh --organization {id}{data}\n\
             or stop it, and start it with: {program} demo --new-token{data}\n\
             For another passphrase, by a link in a mail:\n  \
             {program} member reset-passphrase {owner} --organization {id}{data}\n\
             {mails}",
            program = program(),
            data = data(settings),
            mails = match settings.email.smtp {
                Some(_) => "The mail goes to that address.".to_owned(),
                None => format!(
                    "Mails are in the folder {}",
                    settings.email.mail_folder(&settings.data).join(id.as_str()).display()
                ),
            },
        )
    } else {
        "These secrets are shown only once. The passphrase must be changed at the first sign-in.".to_owned()
    };
    format!(
        "organization   {id}
owner          {owner}
passphrase     {passphrase}
page           {page}
connector URL  {connector}
token          {token}

{hint}

Try, in another terminal:

  URL='{connector}'
{set_token}  # create a user
  curl \"$URL/Users\" -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/scim+json' \\
    -d '{{\"schemas\": [\"urn:ietf:params:scim:schemas:core:2.0:User\"], \"userName\": \"ada@{DOMAIN}\"}}'
  # find the user as an identity provider does
  curl -G \"$URL/Users\" -H \"Authorization: Bearer $TOKEN\" --data-urlencode 'filter=userName eq \"ada@{DOMAIN}\"'
  # put the user into a team
  ID=$(curl -sG \"$URL/Users\" -H \"Authorization: Bearer $TOKEN\" --data-urlencode 'filter=userName eq \"ada@{DOMAIN}\"' \\
    | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/')
  curl \"$URL/Groups\" -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/scim+json' \\
    -d '{{\"displayName\": \"Engineering\", \"members\": [{{\"value\": \"'$ID'\"}}]}}'

",
        passphrase = passphrase.map_or("(shown when it was made)", String::as_str),
        set_token = token.map_or_else(
            || {
                format!(
                    "  # set TOKEN to the token, or make a new one: {} connector refresh --organization {id}{}\n",
                    program(),
                    data(settings)
                )
            },
            |token| format!("  TOKEN='{token}'\n")
        ),
        token = token.map_or("(shown when it was made)", String::as_str),
    )
}

/// The name by which this program was called, so that the printed commands can be typed.
fn program() -> String {
    let program = std::env::args_os().next().map(|name| name.to_string_lossy().into_owned());
    program.filter(|name| !name.is_empty()).unwrap_or_else(|| "insomnia-scim".into())
}

/// The flag that names the data directory, for a POSIX shell.
fn data(settings: &Settings) -> String {
    format!(" --data '{}'", settings.data.display().to_string().replace('\'', "'\\''"))
}
