//! Seals again what an older key has sealed, or counts it.
//!
//! Of each organization only the few documents of [`PLACES`] are read, a page at a time. In a document every text is tried that
//! may be something sealed: it is if one of the keys opens it, since what is sealed is authenticated. It is replaced in the
//! document's text by one of the same length, so all else stays as it was written, byte for byte. Each document is committed
//! by itself, where it still has the version that was read.

use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;

use super::keyring::Keyring;
use super::places::PLACES;
use crate::api_keys;
use crate::capability::secrets::{Secrets as _, SecretsError};
use crate::capability::storage::{
    Change, Condition, Entry, KeyRange, OrganizationId, Page, Storage, StorageError, Transaction, key_after,
};
use crate::hourly::warn_hourly;
use crate::registry::Registry;

/// Organizations that are looked up at once.
const ORGANIZATIONS: u32 = 100;
/// Documents that are read at once.
const DOCUMENTS: u32 = 50;
/// The shortest sealed text: its version, the nonce and the tag, of nothing.
const SHORTEST: usize = 1 + 24 + 16;
/// The longest that is tried, in base64. Nothing that is sealed comes near it.
const LONGEST: usize = 256 << 10;

/// Answers to requests with an idempotency key, in the host's own space: sealed as they are, not within a document.
const ANSWERS: &str = "idempotency/";
const ANSWER: &str = "/answer/";

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sealed {
    /// Sealed texts in all.
    pub(crate) items: u64,
    /// Those that still need an older key.
    pub(crate) older: u64,
    /// What those are, for people.
    pub(crate) places: BTreeSet<&'static str>,
    /// Those that were sealed again.
    pub(crate) again: u64,
}

/// Counts what is sealed, and what still needs an older key.
///
/// # Errors
/// The storage's.
pub(crate) async fn count(
    storage: &dyn Storage,
    registry: &Registry,
    keyring: &Keyring,
) -> Result<Sealed, StorageError> {
    Pass { storage, registry, keyring, again: false, sealed: Sealed::default() }.all().await
}

/// Seals again what still needs an older key. What somebody else has changed meanwhile is counted as still needing it. It may
/// be broken off anywhere, and be begun again.
///
/// # Errors
/// The storage's.
pub(crate) async fn reseal(
    storage: &dyn Storage,
    registry: &Registry,
    keyring: &Keyring,
) -> Result<Sealed, StorageError> {
    Pass { storage, registry, keyring, again: true, sealed: Sealed::default() }.all().await
}

struct Pass<'a> {
    storage: &'a dyn Storage,
    registry: &'a Registry,
    keyring: &'a Keyring,
    again: bool,
    sealed: Sealed,
}

impl Pass<'_> {
    async fn all(mut self) -> Result<Sealed, StorageError> {
        self.answers().await?;
        let mut after: Option<OrganizationId> = None;
        loop {
            let listed = self.registry.list(after.as_ref(), ORGANIZATIONS).await?;
            let Some(last) = listed.last() else { return Ok(self.sealed) };
            after = Some(last.id.clone());
            for one in listed {
                // One that was deleted meanwhile has nothing any more.
                let Some(organization) = self.registry.find(&one.id).await? else { continue };
                match self.organization(&organization).await {
                    Ok(()) | Err(StorageError::Deleted) => {}
                    // It keeps no other one back. That it may need the older key is all that is known of it.
                    Err(error) => {
                        warn_hourly!("host-key"; %organization, "it can't be looked up what the host key has sealed: {error}");
                        self.sealed.older += 1;
                        self.sealed.places.insert("an organization that can't be read");
                    }
                }
                tokio::task::yield_now().await;
            }
        }
    }

    async fn organization(&mut self, organization: &OrganizationId) -> Result<(), StorageError> {
        for place in &PLACES {
            let mut range = KeyRange::beginning_with(place.begins);
            while let Some(entries) = self.page(organization, &mut range).await? {
                for entry in entries {
                    self.document(organization, entry, place.what).await?;
                }
            }
        }
        Ok(())
    }

    /// The next page of a range, which is shortened by it; `None` at its end.
    async fn page(
        &self,
        organization: &OrganizationId,
        range: &mut KeyRange,
    ) -> Result<Option<Vec<Entry>>, StorageError> {
        let page = Page::first(range.clone(), DOCUMENTS);
        let scanned = self.storage.scan(organization, vec![page]).await?;
        let entries = scanned.into_iter().next().map(|scanned| scanned.entries).unwrap_or_default();
        let Some(last) = entries.last() else { return Ok(None) };
        range.start = key_after(last.key.clone());
        Ok(Some(entries))
    }

    /// One document, with all that is sealed in it.
    async fn document(
        &mut self,
        organization: &OrganizationId,
        entry: Entry,
        what: &'static str,
    ) -> Result<(), StorageError> {
        let Ok(text) = std::str::from_utf8(&entry.value) else { return Ok(()) };
        let Ok(document) = serde_json::from_str(text) else { return Ok(()) };
        let mut candidates = BTreeSet::new();
        texts(&document, &mut candidates);
        let (mut older, mut changed) = (0, text.to_owned());
        for candidate in candidates {
            let Some(sealed) = decoded(candidate) else { continue };
            let Some(plain) = self.opened(organization, &sealed).await? else { continue };
            older += 1;
            if self.again {
                let sealed = STANDARD.encode(self.sealed(organization, plain).await?);
                changed = changed.replace(&format!("\"{candidate}\""), &format!("\"{sealed}\""));
            }
        }
        self.put(organization, entry.key, entry.version, changed.into_bytes(), older, what).await
    }

    /// The answers in the host's own space, sealed for whoever holds the API key.
    async fn answers(&mut self) -> Result<(), StorageError> {
        let holders = self.holders().await?;
        let host = OrganizationId::host();
        let mut range = KeyRange::beginning_with(ANSWERS);
        while let Some(entries) = self.page(&host, &mut range).await? {
            for entry in entries {
                let key = String::from_utf8_lossy(&entry.key).into_owned();
                let id = key.strip_prefix(ANSWERS).and_then(|rest| rest.split_once(ANSWER)).map(|(id, _)| id);
                let Some(holder) = id.and_then(|id| holders.get(id)) else { continue };
                let Some(plain) = self.opened(holder, &entry.value).await? else { continue };
                let again = if self.again { self.sealed(holder, plain).await? } else { Vec::new() };
                let what = "answers to requests with an idempotency key";
                self.put(&host, entry.key, entry.version, again, 1, what).await?;
            }
        }
        Ok(())
    }

    async fn holders(&self) -> Result<HashMap<String, OrganizationId>, StorageError> {
        let mut holders = HashMap::new();
        let mut range = KeyRange::beginning_with(api_keys::RECORDS);
        while let Some(entries) = self.page(&OrganizationId::host(), &mut range).await? {
            holders.extend(entries.iter().filter_map(|entry| api_keys::space_of(&entry.value)));
        }
        Ok(holders)
    }

    /// The content of what an older key has sealed; `None` of all else. What is sealed is counted.
    async fn opened(&mut self, organization: &OrganizationId, sealed: &[u8]) -> Result<Option<Vec<u8>>, StorageError> {
        match self.keyring.open_any(organization, sealed).await {
            Ok(opened) => {
                self.sealed.items += 1;
                Ok(Some(opened.plain).filter(|_| opened.is_older))
            }
            Err(SecretsError::NotAuthentic) => Ok(None),
            Err(error) => Err(StorageError::Other(error.to_string())),
        }
    }

    async fn sealed(&self, organization: &OrganizationId, plain: Vec<u8>) -> Result<Vec<u8>, StorageError> {
        let sealed = self.keyring.seal(organization, plain).await;
        sealed.map_err(|error| StorageError::Other(error.to_string()))
    }

    /// Replaces an item in which so many texts need an older key, or counts them.
    async fn put(
        &mut self,
        organization: &OrganizationId,
        key: Vec<u8>,
        version: u64,
        value: Vec<u8>,
        older: u64,
        what: &'static str,
    ) -> Result<(), StorageError> {
        if older == 0 {
            return Ok(());
        }
        if self.again {
            let (conditions, changes) = (vec![Condition::version(key.clone(), version)], vec![Change::put(key, value)]);
            match self.storage.commit(organization, Transaction { conditions, changes, wake_at: None }).await {
                Ok(_) => {
                    self.sealed.again += older;
                    return Ok(());
                }
                // Somebody has changed it: the next pass looks at what it is now.
                Err(StorageError::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.sealed.older += older;
        self.sealed.places.insert(what);
        Ok(())
    }
}

/// All texts of a document. Its depth is that of the component's own types.
fn texts<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => {
            found.insert(text);
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// What a text may be that is sealed, in base64.
fn decoded(text: &str) -> Option<Vec<u8>> {
    if text.len() > LONGEST {
        return None;
    }
    STANDARD.decode(text).ok().filter(|sealed| sealed.len() >= SHORTEST)
}
