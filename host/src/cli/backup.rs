//! `backup`, `restore` and `migrate`: copy all organizations and the host key from one place to another.

use std::fs;
use std::future::ready;
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::config::Settings;
use super::data_files::{DATABASE, INSTANCE, KEY, write_whole};
use super::moved::Move;
use super::{moved, output, presence};
use crate::host_key::{Keyring, NOTE, Note};
use crate::private_files::create_directory;
use crate::registry::note_key;
use crate::storage::copy::{Copied, CopyError, LastLook, Look, Source, Target, compare, copy};
use crate::storage::{
    Checkpoints, PostgresConfig, PostgresSource, PostgresStorage, PostgresTarget, SqliteSource, SqliteTarget,
    while_alone,
};

/// Arguments of `backup`.
///
/// The command copies the data that --data and --storage name, as it is at one moment, and the host key into a data
/// directory on which a server can be started. Then it reads the copy again and compares it with the source. Emails in
/// the folder `mail` are not copied. If the copy is broken off, the same command can be given again: it keeps the items
/// that have arrived and are still the same.
#[derive(Args)]
pub(super) struct Backup {
    /// The new data directory.
    directory: PathBuf,
}

/// Arguments of `restore`.
///
/// The command writes into the PostgreSQL that --storage, its variable or the configuration file names, and copies the
/// host key into --data. Without a PostgreSQL, everything goes into --data. The command says where it writes before it
/// begins. There must be no organizations in that place, and no server may run on it. If the command is broken off, it
/// can be given again: it keeps what has arrived.
#[derive(Args)]
pub(super) struct Restore {
    /// The data directory that `backup` made.
    directory: PathBuf,
}

/// Arguments of `migrate`.
///
/// All servers must be stopped first: the command is refused while one runs. On a PostgreSQL, only servers of this
/// release or a later one are noticed; older servers, and backends that contain SCIM, are not. The organizations stay
/// in the source as well. A data directory as the source gets a mark, the file `moved`. Because of it, servers and
/// commands refuse the old database and name the new place; who deletes the file can use the old database again. If the
/// target is a PostgreSQL, the host key stays in the data directory. If the source is a PostgreSQL, the host key is
/// copied from --data. If the command is broken off, it can be given again: it keeps the items that have arrived and
/// are still the same.
#[derive(Args)]
pub(super) struct Migrate {
    /// A data directory, or the URL of a PostgreSQL.
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// An empty data directory, or the URL of a PostgreSQL without data of this server.
    #[arg(long, value_name = "DIR|URL")]
    to: String,
}

impl Backup {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let to = Place { database: None, directory: self.directory, checkpoints: Checkpoints::Own };
        let from = Place::of(settings);
        // A copy of a database from which the organizations were moved away would be no backup. It must be refused,
        // since nobody reads what a nightly backup prints.
        from.check_moved()?;
        let copied = transfer(&from, &to, nothing()).await?;
        copied.say(settings, "backed up to");
        Ok(())
    }
}

impl Restore {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let from = Place { database: None, directory: self.directory, checkpoints: Checkpoints::Own };
        let to = Place::of(settings);
        if !settings.json {
            output::complain(&format!("restoring {} into {}\n", from.name(), to.full_name()));
        }
        let copied = transfer(&from, &to, nothing()).await?;
        copied.say(settings, "restored to");
        Ok(())
    }
}

impl Migrate {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let from = Place::named(settings, &self.from, &settings.data)?;
        // A PostgreSQL has no place for the host key, so the key stays in the directory of the source.
        let to = Place::named(settings, &self.to, &from.directory)?;
        from.check_there()?;
        let copied = match &from.database {
            Some(config) => {
                let storage = PostgresStorage::open_existing(config.clone()).await?;
                let looked = presence::look(&storage).await?;
                from.check_stopped(&looked.running)?;
                // A PostgreSQL has no mark that keeps servers from starting during the copy. So they are looked for
                // once more before the last commit.
                let last = async {
                    let running = looked.since(&storage).await?;
                    from.check_stopped(&running).map_err(|used| CopyError::InUse(used.to_string()))
                };
                transfer(&from, &to, Box::pin(last)).await?
            }
            None => {
                let mut moves = from.begin_move(&to).await?;
                let transferred = transfer(&from, &to, nothing()).await;
                let copied = transferred.map_err(|error| moves.broken_off(error))?;
                moves.arrived()?;
                copied
            }
        };
        copied.say(settings, "moved to");
        Ok(())
    }
}

/// The place of organizations: a PostgreSQL, or the database in the directory. The host key is in the directory in
/// either case.
struct Place {
    database: Option<PostgresConfig>,
    directory: PathBuf,
    /// Who moves SQLite's write-ahead log into the database, if the database is in the directory.
    checkpoints: Checkpoints,
}

impl Place {
    fn of(settings: &Settings) -> Self {
        Self { database: settings.storage.clone(), directory: settings.data.clone(), checkpoints: settings.checkpoints }
    }

    /// The place that `--from` or `--to` names. If it is a PostgreSQL, the host key is in the directory `key`.
    fn named(settings: &Settings, text: &str, key: &Path) -> anyhow::Result<Self> {
        if !text.contains("://") {
            return Ok(Self { database: None, directory: text.into(), checkpoints: settings.checkpoints });
        }
        let mut config = PostgresConfig::from_url(text)?;
        if let Some(path) = &settings.storage_password_file {
            config = config.password_file(path)?;
        }
        Ok(Self { database: Some(config), directory: key.to_owned(), checkpoints: settings.checkpoints })
    }

    fn name(&self) -> String {
        match &self.database {
            Some(config) => config.to_string(),
            None => self.directory.display().to_string(),
        }
    }

    /// The name as in [`Place::name`], and where the host key goes.
    fn full_name(&self) -> String {
        match &self.database {
            Some(config) => format!("{config}, and the host key into {}", self.directory.display()),
            None => self.name(),
        }
    }

    /// The name as in [`Place::name`], with an absolute path, so that it stays right when it is read in another
    /// directory.
    fn lasting_name(&self) -> String {
        match &self.database {
            None => absolute(&self.directory).map_or_else(|_| self.name(), |path| path.display().to_string()),
            Some(_) => self.name(),
        }
    }

    /// Refuses a data directory whose organizations were moved to another place, or are being moved.
    fn check_moved(&self) -> anyhow::Result<()> {
        if self.database.is_none() { moved::check(&self.directory) } else { Ok(()) }
    }

    /// Refuses a directory without a database.
    fn check_there(&self) -> anyhow::Result<()> {
        let is_there = self.database.is_some() || self.directory.join(DATABASE).exists();
        ensure!(is_there, "there is no database in {}", self.directory.display());
        Ok(())
    }

    /// Marks a data directory as moved to the other place. If somebody uses its database, the directory is refused
    /// without a mark, since what is written there from now on would be missing in the copy.
    async fn begin_move(&self, to: &Self) -> anyhow::Result<Move> {
        let (directory, to, checkpoints) = (self.directory.clone(), to.lasting_name(), self.checkpoints);
        let begun = spawn_blocking(move || {
            while_alone(&directory.join(DATABASE), checkpoints, || Move::begin(&directory, &to))
        });
        let who = if checkpoints == Checkpoints::External { ", and what replicates its log" } else { "" };
        match begun.await?? {
            Some(begun) => begun,
            None => Err(InUse { place: self.name(), by: format!("stop its server{who}") }.into()),
        }
    }

    /// Refuses a place if these servers run on it, for the same reason as [`Place::begin_move`].
    fn check_stopped(&self, running: &[String]) -> Result<(), InUse> {
        if running.is_empty() {
            return Ok(());
        }
        Err(InUse { place: self.name(), by: format!("stop the servers: {}", running.join(", ")) })
    }

    async fn source(&self) -> anyhow::Result<Box<dyn Source>> {
        if let Some(config) = &self.database {
            return Ok(Box::new(PostgresSource::open(config.clone()).await?));
        }
        self.check_there()?;
        let path = self.directory.join(DATABASE);
        let checkpoints = self.checkpoints;
        Ok(Box::new(spawn_blocking(move || SqliteSource::open(&path, checkpoints)).await??))
    }

    async fn target(&self) -> anyhow::Result<Box<dyn Target>> {
        if let Some(config) = &self.database {
            return Ok(Box::new(PostgresTarget::open(config.clone()).await?));
        }
        let path = self.directory.join(DATABASE);
        let checkpoints = self.checkpoints;
        Ok(Box::new(spawn_blocking(move || SqliteTarget::open(&path, checkpoints)).await??))
    }
}

/// The error that a server or another program uses the place that is to be moved.
#[derive(Debug, thiserror::Error)]
#[error("{place} is in use, and what is written there meanwhile would be missing: {by}; then give the command again")]
pub(super) struct InUse {
    place: String,
    /// What the operator has to stop.
    by: String,
}

/// The result of a copy.
struct Report {
    copied: Copied,
    to: String,
    host_key: PathBuf,
    seconds: f64,
}

impl Report {
    fn say(&self, settings: &Settings, done: &str) {
        let Self { copied: Copied { organizations, items, bytes, kept }, to, host_key, seconds } = self;
        if settings.json {
            let report = json!({
                "organizations": organizations,
                "items": items,
                "bytes": bytes,
                "items_of_earlier_copy": kept,
                "to": to,
                "host_key": host_key,
                "seconds": (seconds * 1_000.0).round() / 1_000.0,
            });
            output::object(true, &report);
            return;
        }
        let earlier = match kept {
            0 => String::new(),
            _ => format!("{kept} of the items had arrived before the copy was broken off\n"),
        };
        output::print(&format!(
            "{organizations} organizations ({items} items, {bytes} bytes) are {done} {to}, read again and compared\n\
             {earlier}the host key is {}\n",
            host_key.display()
        ));
    }
}

/// A check before the last commit that checks nothing.
fn nothing() -> LastLook<'static> {
    Box::pin(ready(Ok(())))
}

async fn transfer(from: &Place, to: &Place, last: LastLook<'_>) -> anyhow::Result<Report> {
    let begun = Instant::now();
    let source = from.source().await?;
    create_directory(&to.directory)
        .with_context(|| format!("the directory {} can't be made", to.directory.display()))?;
    check_key(&from.directory, &to.directory)?;
    let mut target = to.target().await?;
    let check = Box::new(|note: Option<&[u8]>| right_key(&from.directory, &to.directory, note));
    let look = Look { at: note_key(NOTE), check, last };
    let copied = if target.serves().await? {
        // The target may hold what this very command had copied before it was killed, so that only the mark of the move
        // is still to be deleted. So it is compared with the source instead of being refused.
        let may_be_this = to.database.is_none() && moved::is_returning(&to.directory)? && !is_same(from, to);
        let compared = if may_be_this { compare(source, &mut *target, look).await } else { Err(CopyError::NotEmpty) };
        compared.with_context(|| format!("nothing was written into {}", to.name()))?
    } else {
        if to.database.is_none() {
            moved::begin_return(&to.directory)?;
        }
        if from.directory != to.directory {
            // These files are copied before the data. A server refuses to start in a directory with these files and
            // without a database, so it does not begin a new one beside the copy.
            for name in [KEY, INSTANCE] {
                bring(&from.directory.join(name), &to.directory.join(name))?;
            }
        }
        copy(source, &mut *target, look)
            .await
            .with_context(|| format!("what {} has can't be copied to {}", from.name(), to.name()))?
    };
    // If the source has no organization, the target does not serve, even now.
    if to.database.is_none() && target.serves().await? {
        // The target is still open, so nobody can have begun to move the organizations away again that have just
        // arrived.
        moved::forget(&to.directory).context("all has arrived: give the command again, to end the mark of the move")?;
    }
    let (to, host_key) = (to.name(), to.directory.join(KEY));
    Ok(Report { copied, to, host_key, seconds: begun.elapsed().as_secs_f64() })
}

/// Whether both places are the database in the same directory.
fn is_same(one: &Place, other: &Place) -> bool {
    let canonical = |place: &Place| fs::canonicalize(&place.directory).ok();
    one.database.is_none() && other.database.is_none() && canonical(one) == canonical(other)
}

/// Refuses to replace a file with host keys by one that lacks one of them. The target may have a file of an earlier
/// copy that was broken off; since then, the servers of the source may have added a key.
fn check_key(from: &Path, to: &Path) -> anyhow::Result<()> {
    let keys = |directory: &Path| {
        let path = directory.join(KEY);
        let is_there =
            path.try_exists().with_context(|| format!("the host key in {} can't be read", directory.display()))?;
        anyhow::Ok(if is_there { Some(Keyring::in_file(&path)?.fingerprints()) } else { None })
    };
    match (keys(from)?, keys(to)?) {
        (None, _) => {
            bail!("the host key is not in {}; without it the secrets in the copy can't be decrypted", from.display())
        }
        (Some(one), Some(other)) if !other.iter().all(|key| one.contains(key)) => {
            bail!("{} has another host key already: name an empty directory", to.display())
        }
        _ => Ok(()),
    }
}

/// Checks whether the host key that was copied is the one with which the secrets in the copy are sealed. The database
/// notes the fingerprint of that key in `note`.
fn right_key(from: &Path, to: &Path, note: Option<&[u8]>) -> Result<(), CopyError> {
    let path = to.join(KEY);
    let failed = |error: &dyn std::fmt::Display| CopyError::Key(format!("the host key can't be checked: {error}"));
    if fs::read(from.join(KEY)).map_err(|error| failed(&error))? != fs::read(&path).map_err(|error| failed(&error))? {
        return Err(CopyError::Key("the host key was rotated meanwhile: give the command again".into()));
    }
    let Some(note) = note else { return Ok(()) };
    let note: Note = serde_json::from_slice(note).map_err(|error| failed(&error))?;
    let keys = Keyring::in_file(&path).map_err(|error| failed(&error))?.fingerprints();
    if std::iter::once(&note.key).chain(&note.older).all(|key| keys.contains(key)) {
        return Ok(());
    }
    let text = format!("{} is not the host key that the database is sealed with", from.join(KEY).display());
    Err(CopyError::Key(format!("{text}: name the data directory of one of its servers by --data")))
}

/// Copies a file of the data directory, if it exists. Only its owner has access to the copy.
fn bring(from: &Path, to: &Path) -> anyhow::Result<()> {
    let content = match fs::read(from) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("{} can't be read", from.display())),
    };
    write_whole(to, &content).with_context(|| format!("{} can't be written", to.display()))
}
