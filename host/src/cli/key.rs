//! `key`: rotates the host key.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::config::Settings;
use super::data::{self, Purpose};
use super::data_files::KEY;
use super::output;
use crate::capability::clock::{Clock as _, SystemClock};
use crate::capability::storage::Storage;
use crate::host_key::{Keeper, Keyring, Note, count, reseal};
use crate::registry::Registry;

/// How long the former key is kept after a rotation, in seconds, unless the operator says otherwise. A call that began
/// before the rotation may have sealed something with the former key, and may take a minute.
const SETTLED: u64 = 70;

/// Commands about the host key, which seals what must be replayed to others: access to identity providers, the keys of
/// webhooks and streams, emails that wait.
#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// Make a new host key and encrypt with it. Running servers encrypt stored secrets again; until then the old key
    /// still decrypts them.
    ///
    /// With several servers on one PostgreSQL, the first call only writes the key into the file secret.key. Copy the
    /// file to the data directories of the other servers, and give the command again with --copied. No server has to be
    /// restarted.
    Rotate {
        /// The file secret.key with the new key is on every other server of this PostgreSQL.
        #[arg(long)]
        copied: bool,
    },
    /// Show the keys, and how many stored secrets still need an old one.
    Status,
    /// Remove the old key, once every server uses the new one and no stored secret needs the old one. Secrets that
    /// still need it are encrypted again first.
    ///
    /// With several servers, copy the file secret.key again afterwards, or give this command on each of them.
    Retire {
        /// Wait until this many seconds have passed since the rotation. Requests that began before it may still use the
        /// old key, and have ended by then.
        #[arg(
            long,
            value_name = "SECONDS",
            default_value_t = SETTLED,
            value_parser = clap::value_parser!(u64).range(..=3_600)
        )]
        after: u64,
    },
}

/// The reason why a key is not rotated or retired.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    /// A rotation is under way.
    #[error("a rotation is under way: `insomnia-scim key status` says how far it is, and `key retire` ends it")]
    UnderWay,
    /// The flag --copied was given, but no key was made yet that could have been copied.
    #[error(
        "secret.key here has no new key that the other servers could have: run `insomnia-scim key rotate` on one of \
         them without --copied, and copy its file"
    )]
    NotCopied,
    /// Sealed items still need the old key.
    #[error(
        "{items} sealed items still need the old host key ({places}): try again when the server has sealed them again"
    )]
    Needed {
        /// The number of these items.
        items: u64,
        /// The places where they are stored.
        places: String,
    },
    /// Servers still seal with the old key.
    #[error(
        "{0} running servers still seal with the old host key: copy the file secret.key to their data directories, and \
         try again half a minute later"
    )]
    Servers(usize),
}

/// The host key and the database, opened.
struct Opened {
    storage: Arc<dyn Storage>,
    registry: Registry,
    keyring: Keyring,
    note: Note,
}

impl KeyCommand {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let (postgres, checkpoints) = (settings.storage.as_ref(), settings.checkpoints);
        let (storage, keyring) =
            data::open(&settings.data, postgres, checkpoints, Purpose::Use, &settings.go_on_without).await?;
        let registry = Registry::new(Arc::clone(&storage));
        let note = Note::read(&registry).await?;
        let note = note.context("the database has no note about its host key: start a server on it once")?;
        let opened = Opened { storage, registry, keyring, note };
        match self {
            Self::Rotate { copied } => opened.rotate(settings, copied).await,
            Self::Status => opened.status(settings).await,
            Self::Retire { after } => opened.retire(settings, after * 1_000).await,
        }
    }
}

impl Opened {
    async fn rotate(self, settings: &Settings, copied: bool) -> anyhow::Result<()> {
        if !self.note.older.is_empty() {
            return Err(KeyError::UnderWay.into());
        }
        // A key may have been made before that seals nothing yet: an earlier command was broken off, or waits until the
        // other servers have the key.
        let prepared = self.keyring.fingerprints().into_iter().next().filter(|key| *key != self.note.key);
        if copied && prepared.is_none() && settings.storage.is_some() {
            return Err(KeyError::NotCopied.into());
        }
        let is_everywhere = settings.storage.is_none() || (copied && prepared.is_some());
        let new = match prepared {
            Some(prepared) => prepared,
            None => self.keyring.add()?,
        };
        let file = settings.data.join(KEY);
        if !is_everywhere {
            let next = format!(
                "copy {} to the data directory of every other server, then run: insomnia-scim key rotate --copied",
                file.display()
            );
            output::object(settings.json, &json!({"new": new, "sealing": self.note.key, "next": next}));
            return Ok(());
        }
        let note = Note { key: new, older: vec![self.note.key.clone()], since: SystemClock.now(), id: self.note.id };
        note.write(&self.registry).await?;
        let next = "when `insomnia-scim key status` says that nothing needs the old key: insomnia-scim key retire";
        output::object(settings.json, &json!({"sealing": note.key, "old": note.older, "next": next}));
        Ok(())
    }

    async fn status(self, settings: &Settings) -> anyhow::Result<()> {
        let sealed = count(&*self.storage, &self.registry, &self.keyring).await?;
        let otherwise = Keeper::sealing_otherwise(&*self.storage, &self.note.key, SystemClock.now()).await?;
        let status = json!({
            "sealing": self.note.key,
            "old": self.note.older,
            "keys": self.keyring.fingerprints(),
            "since": Some(self.note.since).filter(|since| *since > 0),
            "items": sealed.items,
            "items_of_old": sealed.older,
            "where": sealed.places,
            "servers_with_old": otherwise,
        });
        output::object(settings.json, &status);
        Ok(())
    }

    async fn retire(self, settings: &Settings, after: u64) -> anyhow::Result<()> {
        if !self.note.older.is_empty() {
            let settled = self.note.since.saturating_add(after).saturating_sub(SystemClock.now()).min(after);
            if settled > 0 && !settings.json {
                let seconds = settled.div_ceil(1_000);
                output::complain(&format!(
                    "waiting for {seconds} seconds, until all that began before the rotation has ended\n"
                ));
            }
            tokio::time::sleep(Duration::from_millis(settled)).await;
            let otherwise = Keeper::sealing_otherwise(&*self.storage, &self.note.key, SystemClock.now()).await?;
            if otherwise > 0 {
                return Err(KeyError::Servers(otherwise).into());
            }
            // All servers seal with the new key by now, so no item is added behind this that needs the old one.
            reseal(&*self.storage, &self.registry, &self.keyring).await?;
            let left = count(&*self.storage, &self.registry, &self.keyring).await?;
            if left.older > 0 {
                let places = left.places.into_iter().collect::<Vec<_>>().join(", ");
                return Err(KeyError::Needed { items: left.older, places }.into());
            }
            let note = Note { older: Vec::new(), ..self.note.clone() };
            note.write(&self.registry).await?;
            Keeper::forget(&*self.storage).await?;
        }
        let retired = self.keyring.retire()?;
        output::object(settings.json, &json!({"sealing": self.note.key, "retired": retired}));
        Ok(())
    }
}
