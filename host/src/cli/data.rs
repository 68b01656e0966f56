//! The data directory: which of its files belong together, and which are missing.
//!
//! The database and the host key are made together. The database notes a random id and the fingerprint of the key, and
//! the file `instance` beside them has the same id. So a lost database or key, or one of another directory, can be told
//! from a first start. With a PostgreSQL it is the same, except that the database is elsewhere and each host has a
//! directory of its own with a copy of the one key. After a rotation, the database also notes the former key, until
//! nothing needs it any more ([`crate::host_key`]).

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;

use super::data_files::{DATABASE, INSTANCE, KEY, write_whole};
use super::moved;
use crate::capability::storage::Storage;
use crate::host_key::{Keyring, NOTE, Note};
use crate::private_files::create_directory;
use crate::registry::Registry;
use crate::storage::{Checkpoints, PostgresConfig, PostgresStorage, SqliteStorage};

const DATABASE_LOG: &str = "insomnia-scim.db-wal";
/// The size of the header of a SQLite database, in bytes. A shorter file can't be a database.
const HEADER: u64 = 100;

/// What may be missing when a server starts, if the operator says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Lost {
    /// Start with an empty database, or with the database of another data directory.
    Database,
    /// Start with another host key. Secrets that were encrypted with the old one can't be read any more.
    Key,
}

/// What a command may do with a directory without data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nothing: the command reads data or changes data that is there.
    Use,
    /// The command may begin with an empty database.
    Begin,
}

/// What was found in the data directory.
struct Found<'a> {
    path: &'a Path,
    /// The name of the database in messages.
    name: String,
    /// Whether there is a database that is not empty.
    database: bool,
    key: bool,
    /// Whether there is a write-ahead log of the database. It holds what was written last, but not the rest.
    database_log: bool,
    instance: Option<String>,
}

/// Opens the database, which is in the directory or is the PostgreSQL, and the host keys.
pub(super) async fn open(
    path: &Path,
    postgres: Option<&PostgresConfig>,
    checkpoints: Checkpoints,
    purpose: Purpose,
    without: &[Lost],
) -> anyhow::Result<(Arc<dyn Storage>, Keyring)> {
    let unusable = || format!("the data directory {} can't be used", path.display());
    let mut found = Found::look(path).with_context(unusable)?;
    let storage: Arc<dyn Storage> = match postgres {
        None => {
            moved::check(path)?;
            found.check(purpose, without)?;
            create_directory(path).with_context(unusable)?;
            let database = path.join(DATABASE);
            let opened = tokio::task::spawn_blocking(move || SqliteStorage::open_with(&database, checkpoints)).await?;
            // The mark is checked again, since somebody may have begun to move the database away meanwhile. It says
            // more than the error that the database is locked.
            moved::check(path)?;
            Arc::new(opened?)
        }
        Some(config) => {
            let storage = Arc::new(match purpose {
                Purpose::Begin => PostgresStorage::open(config.clone()).await?,
                Purpose::Use => PostgresStorage::open_existing(config.clone()).await?,
            });
            let is_empty = Registry::new(storage.clone()).is_empty().await?;
            ensure!(
                !(is_empty && storage.holds_organizations().await?),
                "{config} holds a copy that was broken off: give the command that made it (`migrate` or `restore`) \
                 again"
            );
            found = Found { name: config.to_string(), database: !is_empty, database_log: false, ..found };
            found.check(purpose, without)?;
            create_directory(path).with_context(unusable)?;
            storage
        }
    };
    let registry = Registry::new(Arc::clone(&storage));
    loop {
        let noted = Note::read(&registry).await?;
        let is_new = noted.is_none() && registry.is_empty().await?;
        let key = found.key(noted.as_ref(), is_new, without)?;
        if purpose == Purpose::Use {
            return Ok((storage, key));
        }
        let instance = match &noted {
            Some(noted) if noted.key == key.sealing() => {
                // A noted key that is missing in the file is not noted again: the server was started without it by
                // --go-on-without.
                let known = key.fingerprints();
                let older = noted.older.iter().filter(|older| known.contains(older)).cloned().collect();
                Note { older, ..noted.clone() }
            }
            // The noted key is lost, and so is everything that it has sealed.
            Some(noted) => Note { id: noted.id.clone(), key: key.sealing(), older: Vec::new(), since: 0 },
            None => Note { id: random_id()?, key: key.sealing(), older: Vec::new(), since: 0 },
        };
        // If another host has begun at the same moment and written its note first, the database is sealed with that
        // host's key. So everything is read again.
        if note(&registry, &found, noted.as_ref(), &instance).await {
            return Ok((storage, key));
        }
    }
}

/// Writes the note into the database and the id into the file `instance`, where they are not written yet. A full disk
/// is no reason not to start: then they are written at a later start. Returns `false` if another host has written
/// another note meanwhile.
async fn note(registry: &Registry, found: &Found<'_>, noted: Option<&Note>, instance: &Note) -> bool {
    if noted.is_some_and(|noted| noted.key != instance.key) {
        tracing::warn!(
            "the host key is another one: set access to identity providers' APIs and webhooks' keys again, and let \
             `stream rotate-key` make new keys for SCIM events"
        );
    }
    let text = serde_json::to_string(instance).unwrap_or_default();
    let written = match noted {
        Some(noted) if noted == instance => Ok(true),
        Some(_) => registry.set_note(NOTE, &text).await.map(|()| true),
        None => registry.add_note(NOTE, &text).await,
    };
    match written {
        Ok(true) => {}
        Ok(false) => return false,
        Err(error) => {
            tracing::warn!("the database's note about itself can't be written: {error}");
            return true;
        }
    }
    if found.instance.as_ref() != Some(&instance.id)
        && let Err(error) = write_whole(&found.path.join(INSTANCE), format!("{}\n", instance.id).as_bytes())
    {
        tracing::warn!("the file {INSTANCE} in the data directory can't be written: {error}");
    }
    true
}

impl<'a> Found<'a> {
    fn look(path: &'a Path) -> io::Result<Self> {
        let length = |name: &str| match fs::metadata(path.join(name)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        };
        let instance = match fs::read_to_string(path.join(INSTANCE)) {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            path,
            name: DATABASE.to_owned(),
            database: length(DATABASE)?.is_some_and(|length| length >= HEADER),
            key: length(KEY)?.is_some(),
            database_log: length(DATABASE_LOG)?.is_some_and(|length| length > 0),
            instance,
        })
    }

    /// Refuses a directory without a database if the command needs data, or if other files show that a database was
    /// lost.
    fn check(&self, purpose: Purpose, without: &[Lost]) -> anyhow::Result<()> {
        if self.database || without.contains(&Lost::Database) {
            return Ok(());
        }
        let left = match (self.key, self.database_log, self.instance.is_some()) {
            (true, ..) => "a host key",
            (_, true, _) => "the log of a database",
            (_, _, true) => "the note of a database",
            _ if purpose == Purpose::Use => bail!(
                "there is no data in {}: `insomnia-scim serve`, `demo` or `org create` begins there, and --data DIR \
                 names another directory",
                self.path.display()
            ),
            _ => return Ok(()),
        };
        bail!(
            "{} has {left}, but its database, {}, is missing or empty: restore it from a backup, or name another \
             --data DIR. If it is lost, start the server with --go-on-without database: it begins with an empty one, \
             and no identity provider's token is valid any more",
            self.path.display(),
            self.name
        );
    }

    /// The host keys. Those that the database notes must be among them. If the database is new and there is no file
    /// yet, a key is made.
    fn key(&self, noted: Option<&Note>, is_new: bool, without: &[Lost]) -> anyhow::Result<Keyring> {
        let (path, name) = (self.path.join(KEY), &self.name);
        let may_go_without_key = without.contains(&Lost::Key);
        if !path.exists() && self.database && !is_new && !may_go_without_key {
            bail!(
                "the host key {} is missing, and what {name} holds is sealed with it: restore it from a backup, or \
                 copy the {KEY} of another server on this database. If it is lost, start the server with \
                 --go-on-without key: access to identity providers' APIs and the webhook's key must then be set \
                 again",
                path.display()
            );
        }
        let key = Keyring::in_file(&path)?;
        let known = key.fingerprints();
        let is_sealing = match noted {
            Some(noted) => key.seal_with(&noted.key)?,
            None => true,
        };
        if let Some(noted) = noted
            && is_sealing
            && noted.older.iter().any(|older| !known.contains(older))
            && !may_go_without_key
        {
            bail!(
                "{} holds the host key, but not the one before, which some of what {name} holds is still sealed with: \
                 restore the file from a backup, or copy the {KEY} of another server on this database. `insomnia-scim \
                 key retire` takes the key before away when nothing needs it. If it is lost, start the server with \
                 --go-on-without key: what it has sealed must then be set again",
                path.display()
            );
        }
        if !is_sealing && !may_go_without_key {
            bail!(
                "{} is not the host key that {name} is sealed with: restore the right one from a backup, or copy the \
                 {KEY} of another server on this database. If it is lost, start the server with --go-on-without key: \
                 access to identity providers' APIs and the webhook's key must then be set again",
                path.display()
            );
        }
        if let Some(instance) = &self.instance
            && noted.is_none_or(|noted| noted.id != *instance)
            && !without.contains(&Lost::Database)
        {
            bail!(
                "{name} is not the database that belongs to {}: the file {INSTANCE} there names another. Restore the \
                 right one from a backup, or start the server with --go-on-without database to go on with the one that \
                 is here",
                self.path.display()
            );
        }
        Ok(key)
    }
}

fn random_id() -> anyhow::Result<String> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).context("the system has no random numbers")?;
    Ok(hex::encode(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::while_alone;

    async fn opened(path: &Path, purpose: Purpose, without: &[Lost]) -> Result<(), String> {
        // The database is closed again at once, as at the end of a process.
        open(path, None, Checkpoints::Own, purpose, without).await.map(drop).map_err(|error| format!("{error:#}"))
    }

    async fn begun() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        opened(directory.path(), Purpose::Begin, &[]).await.unwrap();
        directory
    }

    #[tokio::test]
    async fn what_was_begun_is_opened_again_by_every_command() {
        let directory = begun().await;
        for purpose in [Purpose::Use, Purpose::Begin, Purpose::Use] {
            opened(directory.path(), purpose, &[]).await.unwrap();
        }
    }

    #[test]
    fn p9_that_all_was_moved_away_is_told_also_while_another_is_alone_with_the_database() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let directory = runtime.block_on(begun());
        let path = directory.path();
        for name in ["returning", "arrived"] {
            let times = format!(r#""began": "2026-01-01T00:00:00Z", "{name}": "2026-01-01T00:00:01Z""#);
            fs::write(path.join("moved"), format!(r#"{{"to": "there", {times}}}"#)).unwrap();
            let open = || runtime.block_on(opened(path, Purpose::Use, &[])).unwrap_err();
            let refused = while_alone(&path.join(DATABASE), Checkpoints::Own, open).unwrap().unwrap();
            assert!(refused.contains("was moved to there"), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_command_that_uses_data_makes_none() {
        let directory = tempfile::tempdir().unwrap();
        let typo = directory.path().join("typo");
        let refused = opened(&typo, Purpose::Use, &[]).await.unwrap_err();
        assert!(refused.contains("there is no data in"), "{refused}");
        assert!(!typo.exists());
        fs::create_dir(&typo).unwrap();
        opened(&typo, Purpose::Use, &[]).await.unwrap_err();
        assert_eq!(fs::read_dir(&typo).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn f16_a_database_that_is_missing_or_empty_is_refused_where_there_was_one() {
        for content in [None, Some(&b""[..]), Some(b"x")] {
            for lost in [&[][..], &[KEY]] {
                let directory = begun().await;
                let database = directory.path().join(DATABASE);
                fs::remove_file(&database).unwrap();
                for name in lost {
                    fs::remove_file(directory.path().join(name)).unwrap();
                }
                if let Some(content) = content {
                    fs::write(&database, content).unwrap();
                }
                for purpose in [Purpose::Use, Purpose::Begin] {
                    let refused = opened(directory.path(), purpose, &[]).await.unwrap_err();
                    assert!(refused.contains("is missing or empty: restore it"), "{refused}");
                    assert_eq!(fs::read(&database).ok().as_deref(), content, "it is left as it was");
                }
                opened(directory.path(), Purpose::Begin, &[Lost::Database]).await.unwrap();
                opened(directory.path(), Purpose::Begin, &[]).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn f16_a_key_that_is_missing_or_another_is_refused() {
        for content in [None, Some([7; 32])] {
            let directory = begun().await;
            let key = directory.path().join(KEY);
            fs::remove_file(&key).unwrap();
            if let Some(content) = content {
                fs::write(&key, content).unwrap();
                #[cfg(unix)]
                fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            }
            for purpose in [Purpose::Use, Purpose::Begin] {
                let refused = opened(directory.path(), purpose, &[]).await.unwrap_err();
                assert!(refused.contains("--go-on-without key"), "{refused}");
                assert_eq!(key.exists(), content.is_some(), "no key is made");
            }
            opened(directory.path(), Purpose::Begin, &[Lost::Key]).await.unwrap();
            opened(directory.path(), Purpose::Begin, &[]).await.unwrap();
        }
    }

    #[tokio::test]
    async fn f16_the_database_of_another_directory_is_refused() {
        let (one, two) = (begun().await, begun().await);
        for name in [DATABASE, KEY] {
            fs::copy(two.path().join(name), one.path().join(name)).unwrap();
        }
        let refused = opened(one.path(), Purpose::Begin, &[]).await.unwrap_err();
        assert!(refused.contains("is not the database that belongs to"), "{refused}");
        opened(one.path(), Purpose::Begin, &[Lost::Database]).await.unwrap();
        opened(one.path(), Purpose::Use, &[]).await.unwrap();
    }

    #[tokio::test]
    async fn a_first_start_that_was_broken_off_is_taken_up() {
        // The start was broken off after each of its steps: the empty file, the tables, the key, the note, and the file
        // with the id.
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(DATABASE), b"").unwrap();
        opened(directory.path(), Purpose::Begin, &[]).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        drop(SqliteStorage::open(&directory.path().join(DATABASE)).unwrap());
        opened(directory.path(), Purpose::Begin, &[]).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        drop(SqliteStorage::open(&directory.path().join(DATABASE)).unwrap());
        Keyring::in_file(&directory.path().join(KEY)).unwrap();
        opened(directory.path(), Purpose::Begin, &[]).await.unwrap();
        fs::remove_file(directory.path().join(INSTANCE)).unwrap();
        opened(directory.path(), Purpose::Begin, &[]).await.unwrap();
        assert!(directory.path().join(INSTANCE).exists());
    }
}
