//! The keys of a host: one seals, all of them open.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use async_trait::async_trait;

use crate::capability::secrets::{KeyFileError, SecretKey, Secrets, SecretsError, read_keys, write_keys};
use crate::capability::storage::OrganizationId;

/// The keys in the key file, as a host uses them.
pub(crate) struct Keyring {
    path: PathBuf,
    keys: RwLock<Arc<Keys>>,
}

struct Keys {
    /// Newest first.
    all: Vec<SecretKey>,
    /// The place of the one that seals.
    sealing: usize,
    /// The file when it was read: its time and its length.
    read: Option<(SystemTime, u64)>,
}

/// What was sealed, and whether it was by a key other than the one that seals now.
pub(crate) struct Opened {
    pub(crate) plain: Vec<u8>,
    pub(crate) is_older: bool,
}

impl Keys {
    fn read(path: &Path) -> Result<Self, KeyFileError> {
        // Looked at before: a change in between is seen later.
        let read = stamp(path);
        let all = read_keys(path)?.iter().map(SecretKey::new).collect();
        Ok(Self { all, sealing: 0, read })
    }

    /// With the key of this fingerprint as the one that seals.
    fn sealing_with(mut self, fingerprint: &str) -> Option<Self> {
        self.sealing = self.all.iter().position(|key| key.fingerprint() == fingerprint)?;
        Some(self)
    }

    fn sealing(&self) -> Result<&SecretKey, SecretsError> {
        self.all.get(self.sealing).ok_or(SecretsError::NotConfigured)
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

impl Keyring {
    /// The keys in this file, of which the newest seals. A file that is absent is made with one random key.
    pub(crate) fn in_file(path: &Path) -> Result<Self, KeyFileError> {
        if !path.exists() {
            SecretKey::in_file(path)?;
        }
        Ok(Self { path: path.to_owned(), keys: RwLock::new(Arc::new(Keys::read(path)?)) })
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The fingerprint of the key that seals.
    pub(crate) fn sealing(&self) -> String {
        self.keys().sealing().map(SecretKey::fingerprint).unwrap_or_default()
    }

    /// The fingerprints of all keys, newest first.
    pub(crate) fn fingerprints(&self) -> Vec<String> {
        self.keys().all.iter().map(SecretKey::fingerprint).collect()
    }

    /// Seals with the key of this fingerprint from now on. Returns whether the file holds it; if not, all stays as it is.
    pub(crate) fn seal_with(&self, fingerprint: &str) -> Result<bool, KeyFileError> {
        if self.sealing() == fingerprint {
            return Ok(true);
        }
        let found = Keys::read(&self.path)?.sealing_with(fingerprint);
        let is_there = found.is_some();
        if let Some(keys) = found {
            self.replace(keys);
        }
        Ok(is_there)
    }

    /// Puts a new random key into the file, which seals nothing yet. Returns its fingerprint.
    pub(crate) fn add(&self) -> Result<String, KeyFileError> {
        let failed = |error: getrandom::Error| KeyFileError::Io {
            path: self.path.clone(),
            source: std::io::Error::other(error.to_string()),
        };
        let mut new = [0; 32];
        getrandom::fill(&mut new).map_err(failed)?;
        let mut all = read_keys(&self.path)?;
        all.insert(0, new);
        write_keys(&self.path, &all)?;
        self.read_again()?;
        Ok(SecretKey::new(&new).fingerprint())
    }

    /// Takes the keys that are older than the one that seals out of the file; newer ones are prepared, and stay. Returns the fingerprints of those that are gone.
    pub(crate) fn retire(&self) -> Result<Vec<String>, KeyFileError> {
        let sealing = self.sealing();
        let mut kept = read_keys(&self.path)?;
        // The newest stands first.
        let place = kept.iter().position(|key| SecretKey::new(key).fingerprint() == sealing);
        let gone = place.map_or_else(Vec::new, |place| kept.split_off(place + 1));
        if !gone.is_empty() {
            write_keys(&self.path, &kept)?;
            self.read_again()?;
        }
        Ok(gone.iter().map(|key| SecretKey::new(key).fingerprint()).collect())
    }

    /// Reads the file again; the key that seals stays, if it is still there.
    fn read_again(&self) -> Result<(), KeyFileError> {
        let sealing = self.sealing();
        let read = Keys::read(&self.path)?;
        if let Some(keys) = read.sealing_with(&sealing) {
            self.replace(keys);
        }
        Ok(())
    }

    /// Opens what was sealed with any of the keys. Of a file that has changed, the keys are read again first.
    pub(crate) async fn open_any(&self, organization: &OrganizationId, sealed: &[u8]) -> Result<Opened, SecretsError> {
        let keys = self.keys();
        let mut tried = self.try_all(&keys, organization, sealed).await;
        if matches!(tried, Err(SecretsError::NotAuthentic)) && stamp(&self.path) != keys.read {
            self.read_again().map_err(|error| SecretsError::Other(error.to_string()))?;
            tried = self.try_all(&self.keys(), organization, sealed).await;
        }
        tried
    }

    async fn try_all(&self, keys: &Keys, organization: &OrganizationId, sealed: &[u8]) -> Result<Opened, SecretsError> {
        // Most is sealed with the one that seals.
        let first = keys.all.iter().enumerate().filter(|(place, _)| *place == keys.sealing);
        let others = keys.all.iter().enumerate().filter(|(place, _)| *place != keys.sealing);
        for (place, key) in first.chain(others) {
            match key.open(organization, sealed.to_vec()).await {
                Err(SecretsError::NotAuthentic) => {}
                opened => return opened.map(|plain| Opened { plain, is_older: place != keys.sealing }),
            }
        }
        Err(SecretsError::NotAuthentic)
    }
}

#[async_trait]
impl Secrets for Keyring {
    async fn seal(&self, organization: &OrganizationId, plain: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        self.keys().sealing()?.seal(organization, plain).await
    }

    async fn open(&self, organization: &OrganizationId, sealed: Vec<u8>) -> Result<Vec<u8>, SecretsError> {
        self.open_any(organization, &sealed).await.map(|opened| opened.plain)
    }
}
