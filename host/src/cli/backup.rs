//! `backup`, `restore` and `migrate`: all organizations, and the host key, from one place to another.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::config::Settings;
use super::data::{DATABASE, INSTANCE, KEY, private_directory, write_whole};
use super::output;
use crate::storage::copy::{Copied, CopyError, Source, Target, copy};
use crate::storage::{PostgresConfig, PostgresSource, PostgresTarget, SqliteSource, SqliteTarget};

/// Arguments of `backup`.
///
/// What --data and --storage name is read as it is at one moment, and copied with the host key into a data directory that a
/// server can be started on. What was copied is read again and compared. Emails in the folder `mail` are not copied. If the
/// copy is broken off, give the command again.
#[derive(Args)]
pub(super) struct Backup {
    /// The data directory to make.
    directory: PathBuf,
}

/// Arguments of `restore`.
///
/// Where --data and --storage point must be empty. No server may run there.
#[derive(Args)]
pub(super) struct Restore {
    /// The data directory that `backup` has made.
    directory: PathBuf,
}

/// Arguments of `migrate`.
///
/// Stop the servers first: what they write after the beginning is not moved. The source stays as it is. With a PostgreSQL
/// the host key stays in the data directory. Out of a PostgreSQL it is copied from --data.
#[derive(Args)]
pub(super) struct Migrate {
    /// A data directory, or the URL of a PostgreSQL.
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// A data directory without data, or the URL of a PostgreSQL without any.
    #[arg(long, value_name = "DIR|URL")]
    to: String,
}

impl Backup {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let to = Place { database: None, directory: self.directory };
        transfer(settings, &Place::of(settings), &to, "backed up to").await
    }
}

impl Restore {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let from = Place { database: None, directory: self.directory };
        transfer(settings, &from, &Place::of(settings), "restored to").await
    }
}

impl Migrate {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let from = Place::named(settings, &self.from, &settings.data)?;
        // A PostgreSQL has no place for the key: it stays where it is.
        let to = Place::named(settings, &self.to, &from.directory)?;
        transfer(settings, &from, &to, "moved to").await
    }
}

/// Where organizations are: in a PostgreSQL or in the directory's database. The host key is in the directory in any case.
struct Place {
    database: Option<PostgresConfig>,
    directory: PathBuf,
}

impl Place {
    fn of(settings: &Settings) -> Self {
        Self { database: settings.storage.clone(), directory: settings.data.clone() }
    }

    /// What `--from` or `--to` says; `key` is the directory with the host key, where it says a PostgreSQL.
    fn named(settings: &Settings, text: &str, key: &Path) -> anyhow::Result<Self> {
        if !text.contains("://") {
            return Ok(Self { database: None, directory: text.into() });
        }
        let mut config = PostgresConfig::from_url(text)?;
        if let Some(path) = &settings.storage_password_file {
            config = config.password_file(path)?;
        }
        Ok(Self { database: Some(config), directory: key.to_owned() })
    }

    fn name(&self) -> String {
        match &self.database {
            Some(config) => config.to_string(),
            None => self.directory.display().to_string(),
        }
    }

    async fn source(&self) -> anyhow::Result<Box<dyn Source>> {
        if let Some(config) = &self.database {
            return Ok(Box::new(PostgresSource::open(config.clone()).await?));
        }
        let path = self.directory.join(DATABASE);
        ensure!(path.exists(), "there is no database in {}", self.directory.display());
        Ok(Box::new(spawn_blocking(move || SqliteSource::open(&path)).await??))
    }

    async fn target(&self) -> anyhow::Result<Box<dyn Target>> {
        if let Some(config) = &self.database {
            return Ok(Box::new(PostgresTarget::open(config.clone()).await?));
        }
        let path = self.directory.join(DATABASE);
        Ok(Box::new(spawn_blocking(move || SqliteTarget::open(&path)).await??))
    }
}

async fn transfer(settings: &Settings, from: &Place, to: &Place, done: &str) -> anyhow::Result<()> {
    let begun = Instant::now();
    let source = from.source().await?;
    private_directory(&to.directory)
        .with_context(|| format!("the directory {} can't be made", to.directory.display()))?;
    check_key(&from.directory, &to.directory)?;
    let mut target = to.target().await?;
    ensure!(!target.serves().await?, CopyError::NotEmpty);
    if from.directory != to.directory {
        // Before the data: a server refuses to start where they name a database that is not there yet.
        for name in [KEY, INSTANCE] {
            bring(&from.directory.join(name), &to.directory.join(name))?;
        }
    }
    let Copied { organizations, items, bytes } = copy(source, &mut *target)
        .await
        .with_context(|| format!("what {} has can't be copied to {}", from.name(), to.name()))?;
    if from.directory != to.directory {
        let same = fs::read(from.directory.join(KEY)).ok() == fs::read(to.directory.join(KEY)).ok();
        ensure!(same, "the host key was rotated meanwhile, so the copy may lack the one that it needs: make another");
    }
    let seconds = begun.elapsed().as_secs_f64();
    if settings.json {
        let report = json!({
            "organizations": organizations,
            "items": items,
            "bytes": bytes,
            "to": to.name(),
            "host_key": to.directory.join(KEY),
            "seconds": (seconds * 1_000.0).round() / 1_000.0,
        });
        output::object(true, &report);
    } else {
        output::print(&format!(
            "{organizations} organizations ({items} items, {bytes} bytes) are {done} {}, read again and compared\n\
             the host key is {}\n",
            to.name(),
            to.directory.join(KEY).display()
        ));
    }
    Ok(())
}

/// Refuses to replace a host key by another one.
fn check_key(from: &Path, to: &Path) -> anyhow::Result<()> {
    let read = |directory: &Path| match fs::read(directory.join(KEY)) {
        Ok(key) => Ok(Some(key)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("the host key in {} can't be read", directory.display())),
    };
    match (read(from)?, read(to)?) {
        (None, _) => {
            bail!("the host key is not in {}: what was sealed with it could not be opened again", from.display())
        }
        (Some(one), Some(other)) if one != other => {
            bail!("{} has another host key already: name an empty directory", to.display())
        }
        _ => Ok(()),
    }
}

/// Copies a file of the data directory, if it is there, for its owner only.
fn bring(from: &Path, to: &Path) -> anyhow::Result<()> {
    let content = match fs::read(from) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("{} can't be read", from.display())),
    };
    write_whole(to, &content).with_context(|| format!("{} can't be written", to.display()))
}
