//! API keys: they are made, listed, revoked, and recognised. They live in the host's own space of the storage:
//!
//! - `api-key/<SHA-256 of the key>` holds what is known of a key.
//! - `api-key-of/<scope>/<created>/<id>` holds that hash, so that the keys of an organization can be listed, and go with it.
//! - Below `idempotency/<id>/` the API remembers the requests of a key; that goes with the key as well.

mod key;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use self::key::is_well_formed;
use crate::capability::clock::Clock;
use crate::capability::storage::{
    Item, KeyRange, OrganizationId, Page, Require, Storage, StorageError, Transaction, Write,
};
use crate::hex;
use crate::hourly::warn_hourly;

/// Keys of one scope at the same time. Revoked ones make room when it is needed.
const MOST: usize = 100;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;
/// How exactly it is kept when a key was used last, in milliseconds: not every request writes.
const USED: u64 = 60 * 1000;

/// What a key opens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ApiKeyScope {
    /// All organizations, and what only the operator of the host may do.
    Operator,
    /// One organization: the id of the one that [`crate::Provisioner::find_organization`] finds. A key does not open the
    /// next organization of the same name.
    Organization(OrganizationId),
}

impl ApiKeyScope {
    /// How it is stored. The underscore keeps it out of what names an organization.
    fn name(&self) -> &str {
        match self {
            Self::Operator => "_operator",
            Self::Organization(id) => id.as_str(),
        }
    }

    /// Which of the organizations with this name it is.
    fn generation(&self) -> u64 {
        match self {
            Self::Operator => 0,
            Self::Organization(id) => id.generation(),
        }
    }

    fn parse(name: &str, generation: u64) -> Option<Self> {
        if name == "_operator" {
            return Some(Self::Operator);
        }
        OrganizationId::parse(name).ok().map(|id| Self::Organization(id.with_generation(generation)))
    }

    /// The space that secrets of this scope are sealed for.
    pub(crate) fn space(&self) -> OrganizationId {
        match self {
            Self::Operator => OrganizationId::host(),
            Self::Organization(id) => id.clone(),
        }
    }

    fn keys(&self) -> KeyRange {
        let name = self.name();
        // `0` follows `/`.
        KeyRange { start: format!("api-key-of/{name}/").into(), end: format!("api-key-of/{name}0").into() }
    }
}

/// What is known of an API key. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    /// Names it, for instance to revoke it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created: u64,
    /// When it was used last, to the minute; `null` if it never was.
    pub last_used: Option<u64>,
    /// When it was revoked; `null` while it is valid.
    pub revoked: Option<u64>,
}

/// A new key, shown once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedApiKey {
    /// What is known of it.
    pub key: ApiKey,
    /// `insm_api_` (of an organization) or `insm_operator_`, 43 characters of base62 (256 bits) and 6 of checksum.
    pub secret: String,
}

/// Without the key: what is printed for debugging ends in logs.
impl std::fmt::Debug for IssuedApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedApiKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why a key was not made or revoked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// The name is empty or too long.
    #[error("the name of an API key has 1 to {LONGEST_NAME} bytes")]
    Name,
    /// There are too many keys that are not revoked.
    #[error("there are {MOST} API keys already; revoke one that is not used")]
    TooMany,
    /// There is no key with this id.
    #[error("there is no API key {0}")]
    Unknown(String),
    /// The system has no random numbers.
    #[error("the system has no random numbers: {0}")]
    Random(String),
    /// The storage refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is stored of a key.
#[derive(Serialize, Deserialize)]
struct Record {
    scope: String,
    #[serde(default)]
    generation: u64,
    #[serde(flatten)]
    key: ApiKey,
}

/// A stored key, and where.
struct Found {
    at: Vec<u8>,
    record: Record,
    version: u64,
}

/// Whose key a request came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The id of the key.
    pub(crate) key: String,
    /// What it opens.
    pub(crate) scope: ApiKeyScope,
}

/// The API keys of a host.
#[derive(Clone)]
pub struct ApiKeys {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
}

/// What the API remembers of the requests that came with the key of this id.
pub(crate) fn requests(key: &str) -> KeyRange {
    // `0` follows `/`.
    KeyRange { start: format!("idempotency/{key}/").into(), end: format!("idempotency/{key}0").into() }
}

impl ApiKeys {
    pub(crate) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self { storage, clock }
    }

    /// Makes a key. Whether the organization exists is not looked at: its keys open nothing until it does.
    ///
    /// # Errors
    /// [`ApiKeyError`] says why not.
    pub async fn create(&self, scope: &ApiKeyScope, name: &str) -> Result<IssuedApiKey, ApiKeyError> {
        let name = name.trim();
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(ApiKeyError::Name);
        }
        let mut write = Vec::new();
        let known = self.all(scope).await?;
        if known.len() >= MOST {
            let oldest = known.iter().filter(|found| found.record.key.revoked.is_some());
            let oldest = oldest.min_by_key(|found| found.record.key.revoked).ok_or(ApiKeyError::TooMany)?;
            write = vec![Write::Delete(oldest.at.clone()), Write::Delete(listed_at(scope, &oldest.record.key))];
        }
        let random = |error: getrandom::Error| ApiKeyError::Random(error.to_string());
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(random)?;
        let prefix = match scope {
            ApiKeyScope::Operator => key::OF_OPERATOR,
            ApiKeyScope::Organization(_) => key::OF_ORGANIZATION,
        };
        let secret = key::new(prefix).map_err(random)?;
        // Two of the same millisecond are told apart, so that the list has the order in which they were made.
        let after = known.last().map_or(0, |found| found.record.key.created + 1);
        let (id, created) = (hex::encode(&id), self.clock.now().max(after));
        let key = ApiKey { id, name: name.to_owned(), created, last_used: None, revoked: None };
        let (hash, record) = (
            key::hash(&secret),
            Record { scope: scope.name().to_owned(), generation: scope.generation(), key: key.clone() },
        );
        write.push(Write::Put(listed_at(scope, &key), hash.clone().into_bytes()));
        write.push(Write::Put(record_at(&hash), encode(&record)?));
        self.commit(Vec::new(), write).await?;
        Ok(IssuedApiKey { key, secret })
    }

    /// All keys of a scope, the revoked ones too, oldest first. There are at most 100.
    ///
    /// # Errors
    /// The storage's.
    pub async fn list(&self, scope: &ApiKeyScope) -> Result<Vec<ApiKey>, StorageError> {
        Ok(self.all(scope).await?.into_iter().map(|found| found.record.key).collect())
    }

    /// Revokes a key: from now on no request is accepted with it. It stays in the list.
    ///
    /// # Errors
    /// [`ApiKeyError::Unknown`] if the scope has no such key.
    pub async fn revoke(&self, scope: &ApiKeyScope, id: &str) -> Result<ApiKey, ApiKeyError> {
        loop {
            let known = self.all(scope).await?.into_iter().find(|found| found.record.key.id == id);
            let Found { at, mut record, version } = known.ok_or_else(|| ApiKeyError::Unknown(id.to_owned()))?;
            if record.key.revoked.is_some() {
                return Ok(record.key);
            }
            record.key.revoked = Some(self.clock.now());
            let write = vec![Write::Put(at.clone(), encode(&record)?), Write::DeleteRange(requests(id))];
            match self.commit(vec![Require::Version(at, version)], write).await {
                // It was used in the meantime.
                Err(StorageError::Conflict(_)) => {}
                done => return Ok(done.map(|()| record.key)?),
            }
        }
    }

    /// Removes all keys of an organization, which is about to be deleted.
    pub(crate) async fn forget(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        let scope = ApiKeyScope::Organization(organization.clone());
        let known = self.all(&scope).await?;
        let mut write = vec![Write::DeleteRange(scope.keys())];
        for found in known {
            write.push(Write::DeleteRange(requests(&found.record.key.id)));
            write.push(Write::Delete(found.at));
        }
        self.commit(Vec::new(), write).await
    }

    /// Whose key this is; `None` if it is nobody's, or not any more.
    pub(crate) async fn recognise(&self, presented: &str) -> Result<Option<Caller>, StorageError> {
        let (at, now) = (record_at(&key::hash(presented)), self.clock.now());
        let found = self.storage.get(&OrganizationId::host(), vec![at.clone()]).await?;
        let Some(item) = found.into_iter().next().flatten() else { return Ok(None) };
        let Found { at, mut record, version } = decode(at, &item)?;
        let Some(scope) = ApiKeyScope::parse(&record.scope, record.generation).filter(|_| record.key.revoked.is_none())
        else {
            return Ok(None);
        };
        let minute = now - now % USED;
        if record.key.last_used.is_none_or(|last| last < minute) {
            record.key.last_used = Some(minute);
            let write = vec![Write::Put(at.clone(), encode(&record)?)];
            // Only where it still is: a key that is being revoked stays revoked.
            match self.commit(vec![Require::Version(at, version)], write).await {
                Ok(()) | Err(StorageError::Conflict(_)) => {}
                // On a full disk the API can still be read.
                Err(error) => warn_hourly!("key-used"; "when an API key was used last can't be kept: {error}"),
            }
        }
        Ok(Some(Caller { key: record.key.id, scope }))
    }

    async fn all(&self, scope: &ApiKeyScope) -> Result<Vec<Found>, StorageError> {
        let (storage, host) = (&self.storage, OrganizationId::host());
        // Two that are made at the same time may exceed the number.
        let page = Page { range: scope.keys(), reverse: false, skip: 0, limit: 4 * MOST as u32 };
        let listed = storage.scan(&host, vec![page]).await?.into_iter().flat_map(|page| page.entries);
        let places: Vec<Vec<u8>> = listed.map(|entry| record_at(&String::from_utf8_lossy(&entry.value))).collect();
        let items = storage.get(&host, places.clone()).await?;
        places.into_iter().zip(items).filter_map(|(at, item)| item.map(|item| decode(at, &item))).collect()
    }

    async fn commit(&self, require: Vec<Require>, write: Vec<Write>) -> Result<(), StorageError> {
        let transaction = Transaction { require, write, wake_at: None };
        self.storage.commit(&OrganizationId::host(), transaction).await.map(|_| ())
    }
}

fn record_at(hash: &str) -> Vec<u8> {
    format!("api-key/{hash}").into()
}

fn listed_at(scope: &ApiKeyScope, key: &ApiKey) -> Vec<u8> {
    format!("api-key-of/{}/{:020}/{}", scope.name(), key.created, key.id).into()
}

fn encode(record: &Record) -> Result<Vec<u8>, StorageError> {
    serde_json::to_vec(record).map_err(|error| StorageError::Other(error.to_string()))
}

fn decode(at: Vec<u8>, item: &Item) -> Result<Found, StorageError> {
    let record = serde_json::from_slice(&item.value).map_err(|error| {
        StorageError::Other(format!("the record of an API key is not what this host wrote: {error}"))
    })?;
    Ok(Found { at, record, version: item.version })
}
