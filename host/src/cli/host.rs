//! The standalone host: the data directory, opened.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use insomnia_scim_contract::{Actor, Face, Source};

use super::config::Settings;
use crate::capability::secrets::SecretKey;
use crate::capability::storage::{OrganizationId, Storage};
use crate::organization::Organization;
use crate::provisioner::Provisioner;
use crate::registry::Registry;
use crate::storage::SqliteStorage;

/// The note with the base URL of the last server, for commands that print connector URLs.
const BASE_URL: &str = "base-url";
/// The base URL where no server has run yet.
const DEFAULT_BASE_URL: &str = "http://127.0.0.1:8080";

/// Opens the data directory for one command: no scheduler, since that is the server's.
pub(super) async fn open(settings: &Settings) -> anyhow::Result<Provisioner> {
    build(settings, None).await
}

/// Opens the data directory for a server that is reached at `listening` unless the settings say otherwise.
pub(super) async fn open_server(settings: &Settings, listening: String) -> anyhow::Result<Provisioner> {
    let provisioner = build(settings, Some(listening)).await?;
    provisioner.registry().set_note(BASE_URL, provisioner.base_url()).await?;
    Ok(provisioner)
}

/// The organization, which must exist.
pub(super) async fn organization(provisioner: &Provisioner, name: &str) -> anyhow::Result<Organization> {
    let id = OrganizationId::parse(name)?;
    if !provisioner.has_organization(&id).await? {
        bail!("there is no organization {id}; `insomnia-scim org list` shows those that are there");
    }
    Ok(provisioner.organization(&id).coming_from(Source::new(Face::CommandLine)).acting_as(Actor::Operator))
}

async fn build(settings: &Settings, listening: Option<String>) -> anyhow::Result<Provisioner> {
    private_directory(&settings.data)
        .with_context(|| format!("the data directory {} can't be used", settings.data.display()))?;
    let database = settings.data.join("insomnia-scim.db");
    let storage = tokio::task::spawn_blocking(move || SqliteStorage::open(&database)).await??;
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let serves = listening.is_some();
    let base_url = match (&settings.base_url, listening) {
        (Some(url), _) => url.clone(),
        (None, Some(listening)) => listening,
        (None, None) => {
            let noted = Registry::new(Arc::clone(&storage)).note(BASE_URL).await?;
            noted.unwrap_or_else(|| DEFAULT_BASE_URL.into())
        }
    };
    let mut builder = Provisioner::builder()
        .storage(storage)
        .secrets(Arc::new(SecretKey::in_file(&settings.data.join("secret.key"))?))
        .isolation(settings.isolation.into())
        .cache_dir(&settings.cache)
        .base_url(base_url)
        .scheduler(serves);
    // Only the server runs jobs, and only jobs send.
    if serves {
        builder = builder.mailer(settings.email.mailer(&settings.data)?).http(Arc::new(settings.http.client()?));
    }
    if let Some(path) = &settings.component {
        let wasm = fs::read(path).with_context(|| format!("the component {} can't be read", path.display()))?;
        builder = builder.component(wasm);
    }
    Ok(builder.build().await?)
}

/// Makes the directory, if it is not there, for its owner only: it holds people's names and addresses.
fn private_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
