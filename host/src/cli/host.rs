//! The standalone host: opens the data for commands and for the server.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use insomnia_scim_contract::{Actor, Face, Source};

use super::arguments::WrongArguments;
use super::config::Settings;
use super::data::{self, Purpose};
use super::mail::Mail;
use crate::capability::email::NoMailer;
use crate::capability::storage::OrganizationId;
use crate::host_key::Keeper;
use crate::organization::Organization;
use crate::provisioner::Provisioner;
use crate::registry::Registry;
use crate::server::TrustedProxies;
use crate::traces::Traces;

/// The name of the note with the base URL of the last server. Commands need it to print connector URLs.
const BASE_URL: &str = "base-url";
/// The name of the note with the rules of --http-permit of the last server, as a JSON array. Commands need it to check
/// the URL of a webhook and to test a webhook.
const HTTP_PERMIT: &str = "http-permit";
/// The base URL if no server has run yet.
const DEFAULT_BASE_URL: &str = "http://127.0.0.1:8080";

/// The error that the organization that a command names does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no organization {0}; `insomnia-scim org list` shows those that are there")]
pub(super) struct NoOrganization(pub(super) String);

/// Opens the data for one command. There is no scheduler, since only the server runs jobs. The data must exist.
pub(super) async fn open(settings: &Settings) -> anyhow::Result<Provisioner> {
    Ok(build(settings, Purpose::Use, None, Traces::default()).await?.0)
}

/// Opens the data as [`open`] does, for a command that may be the first on it.
pub(super) async fn open_or_begin(settings: &Settings) -> anyhow::Result<Provisioner> {
    Ok(build(settings, Purpose::Begin, None, Traces::default()).await?.0)
}

/// Opens the data for a server. Its base URL is `listening` unless the settings name another.
pub(super) async fn open_server(
    settings: &Settings,
    listening: String,
    traces: Traces,
) -> anyhow::Result<(Provisioner, Keeper)> {
    let (provisioner, keeper) = build(settings, Purpose::Begin, Some(listening), traces).await?;
    if let Ok(Some(before)) = provisioner.registry().note(BASE_URL).await
        && before != provisioner.base_url()
    {
        tracing::warn!(
            "the last server on this data was reached at {before}, and this one is at {}: the connector URLs that it \
             shows are others now. Start every server on this data with the same --base-url",
            provisioner.base_url()
        );
    }
    note(&provisioner, BASE_URL, provisioner.base_url(), "commands print connector URLs with an earlier base URL")
        .await;
    let permitted = serde_json::to_string(&settings.http.permit)?;
    note(&provisioner, HTTP_PERMIT, &permitted, "commands know earlier rules of --http-permit").await;
    Ok((provisioner, keeper))
}

/// The base URL of the last server on the data, if there was one.
pub(super) async fn noted_base_url(provisioner: &Provisioner) -> Option<String> {
    provisioner.registry().note(BASE_URL).await.ok().flatten()
}

/// Stores a note for commands, if it differs from the stored one. If it can't be stored, for instance on a full disk,
/// the server serves nevertheless: what is stored can still be read. `otherwise` says in the log what commands do
/// without the note.
async fn note(provisioner: &Provisioner, name: &str, text: &str, otherwise: &str) {
    let registry = provisioner.registry();
    let noted = match registry.note(name).await {
        Ok(Some(noted)) if noted == text => Ok(()),
        Ok(_) => registry.set_note(name, text).await,
        Err(error) => Err(error),
    };
    if let Err(error) = noted {
        tracing::warn!("{otherwise}, since the database takes no note: {error}");
    }
}

/// The organization, which must exist.
pub(super) async fn organization(provisioner: &Provisioner, name: &str) -> anyhow::Result<Organization> {
    let id = OrganizationId::parse(name)?;
    match provisioner.find_organization(&id).await? {
        Some(organization) => Ok(organization.coming_from(Source::new(Face::CommandLine)).acting_as(Actor::Operator)),
        None => Err(NoOrganization(id.to_string()).into()),
    }
}

/// Adds to the operator's own audit trail what a command has done, such as `component.remove` with the component `id`.
pub(super) async fn record(provisioner: &Provisioner, what: &str, kind: &str, id: Option<&str>, name: Option<&str>) {
    provisioner.record_operator_act(what, Source::new(Face::CommandLine), kind, id, name).await;
}

async fn build(
    settings: &Settings,
    purpose: Purpose,
    listening: Option<String>,
    traces: Traces,
) -> anyhow::Result<(Provisioner, Keeper)> {
    // A password without a PostgreSQL shows that the name of the variable for the storage was mistyped. Without this
    // check, an empty database would be made in the data directory.
    if purpose == Purpose::Begin
        && settings.storage.is_none()
        && let Some(path) = &settings.storage_password_file
    {
        bail!(
            "the password in {} is for a PostgreSQL, but none is named: set --storage, or leave out \
             --storage-password-file",
            path.display()
        );
    }
    let (postgres, checkpoints) = (settings.storage.as_ref(), settings.checkpoints);
    let (storage, keyring) =
        data::open(&settings.data, postgres, checkpoints, purpose, &settings.go_on_without).await?;
    let keyring = Arc::new(keyring);
    let keeper = Keeper::new(Arc::clone(&storage), Arc::clone(&keyring));
    let serves = listening.is_some();
    let registry = Registry::new(Arc::clone(&storage));
    let base_url = match (&settings.base_url, listening) {
        (Some(url), _) => url.clone(),
        (None, Some(listening)) => listening,
        (None, None) => {
            let noted = registry.note(BASE_URL).await?;
            noted.unwrap_or_else(|| DEFAULT_BASE_URL.into())
        }
    };
    let mut http = settings.http.clone();
    if !serves && let Some(noted) = registry.note(HTTP_PERMIT).await? {
        http.permit.extend(serde_json::from_str::<Vec<String>>(&noted)?);
    }
    let mut builder = Provisioner::builder()
        .storage(storage)
        .secrets(keyring)
        .isolation(settings.isolation.into())
        .quotas(settings.quotas)
        .operator_clients(settings.operator_clients.clone())
        .cache_dir(&settings.cache)
        .base_url(base_url)
        .trusted_proxies(TrustedProxies::parse(&settings.trusted_proxy).map_err(|error| WrongArguments(error.into()))?)
        .traces(traces)
        .scheduler(serves);
    // Only the server runs jobs, and only jobs send emails.
    let mailer = if serves { settings.email.mailer(&settings.data)? } else { Arc::new(NoMailer) };
    builder = builder
        .mailer(Arc::new(Mail::new(mailer, &settings.email, &settings.data)))
        .http(Arc::new(http.client().map_err(|error| WrongArguments(error.into()))?));
    if let Some(path) = &settings.component {
        let wasm = fs::read(path).with_context(|| format!("the component {} can't be read", path.display()))?;
        builder = builder.component(wasm);
    }
    Ok((builder.build().await?, keeper))
}
