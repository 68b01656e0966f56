//! What a server does about rotations while it runs: it follows the note, says which key it seals with, and seals again.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::keyring::Keyring;
use super::note::Note;
use super::reseal::reseal;
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, KeyRange, Storage, StorageError};
use crate::hourly::error_hourly;
use crate::registry::Registry;

/// How often a server looks at the note.
const EVERY: Duration = Duration::from_secs(2);
/// How often it says that it is there, while a rotation is under way, and after which time it looks again for what was left, in
/// milliseconds.
const SAYS: u64 = 10_000;
/// After which time it looks again if nothing was left, in milliseconds: another server may have sealed something since.
const RESTS: u64 = 10 * 60 * 1_000;
/// How long it counts as being there after it last said so, in milliseconds.
const THERE: u64 = 3 * SAYS;
/// Where servers say it, in the host's own space.
const SERVERS: &str = "host-key/";

/// What a server says of itself.
#[derive(Serialize, Deserialize)]
struct Said {
    /// The fingerprint of the key that it seals with.
    seals: String,
    /// When it said so, in milliseconds since the Unix epoch.
    at: u64,
}

/// Follows the rotations of the host key, for a server.
pub(crate) struct Keeper {
    storage: Arc<dyn Storage>,
    registry: Registry,
    keyring: Arc<Keyring>,
    /// Names this server.
    id: String,
    /// When it last said something.
    said: u64,
    /// From when on it seals again, and after which rotation that is.
    next: (u64, u64),
    /// The key that it was told of and has not.
    lacks: Option<String>,
}

impl Keeper {
    pub(crate) fn new(storage: Arc<dyn Storage>, keyring: Arc<Keyring>) -> Self {
        let mut id = [0; 8];
        // Where there is no random number, servers that say the same are told apart less well.
        let _ = getrandom::fill(&mut id);
        let registry = Registry::new(Arc::clone(&storage));
        Self { storage, registry, keyring, id: hex::encode(id), said: 0, next: (0, 0), lacks: None }
    }

    /// Keeps at it. `now` is the time in milliseconds since the Unix epoch.
    pub(crate) async fn run(mut self, now: impl Fn() -> u64 + Send) {
        loop {
            if let Err(error) = self.look(now()).await {
                tracing::warn!("the host key can't be looked after: {error}");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Looks at the note once, and does what is to be done.
    pub(super) async fn look(&mut self, now: u64) -> Result<(), StorageError> {
        let Some(note) = Note::read(&self.registry).await? else { return Ok(()) };
        let before = self.keyring.sealing();
        self.follow(&note);
        if note.older.is_empty() {
            return Ok(());
        }
        if before != self.keyring.sealing() || now.saturating_sub(self.said) >= SAYS {
            self.say(now).await?;
            self.said = now;
        }
        let (rotation, next) = self.next;
        if self.keyring.sealing() == note.key && (rotation != note.since || now >= next) {
            // Also where it fails: what can't be read now is tried again after a pause.
            self.next = (note.since, now.saturating_add(SAYS));
            let sealed = reseal(&*self.storage, &self.registry, &self.keyring).await?;
            if sealed.again > 0 || rotation != note.since {
                let (again, left) = (sealed.again, sealed.older);
                tracing::info!(again, left, "what an older host key has sealed is sealed again");
            }
            self.next = (note.since, now.saturating_add(if sealed.older > 0 { SAYS } else { RESTS }));
        }
        Ok(())
    }

    /// Seals with the key that the note names, if this host has it.
    fn follow(&mut self, note: &Note) {
        match self.keyring.seal_with(&note.key) {
            Ok(true) => self.lacks = None,
            // Said once.
            Ok(false) if self.lacks.as_ref() == Some(&note.key) => {}
            Ok(false) => {
                tracing::error!(
                    "the host key was rotated, and this server's secret.key does not hold the new one: copy the file from \
                     the server where `key rotate` was run"
                );
                self.lacks = Some(note.key.clone());
            }
            Err(error) => error_hourly!("host-key"; "the host key was rotated, and can't be read: {error}"),
        }
    }

    async fn say(&self, now: u64) -> Result<(), StorageError> {
        let said = Said { seals: self.keyring.sealing(), at: now };
        let value = serde_json::to_vec(&said).map_err(|error| StorageError::Other(error.to_string()))?;
        HostSpace(&*self.storage).change(vec![Change::put(format!("{SERVERS}{}", self.id).into(), value)]).await
    }

    /// How many servers that are there seal with another key than this.
    pub(crate) async fn sealing_otherwise(storage: &dyn Storage, key: &str, now: u64) -> Result<usize, StorageError> {
        let scanned = HostSpace(storage).scan(KeyRange::beginning_with(SERVERS), 1_000).await?;
        let said = scanned.entries.iter().filter_map(|entry| serde_json::from_slice::<Said>(&entry.value).ok());
        Ok(said.filter(|said| said.seals != key && now.saturating_sub(said.at) < THERE).count())
    }

    /// Forgets what servers have said, when a rotation is at its end.
    pub(crate) async fn forget(storage: &dyn Storage) -> Result<(), StorageError> {
        HostSpace(storage).change(vec![Change::DeleteRange(KeyRange::beginning_with(SERVERS))]).await
    }
}
