//! API keys: this module makes, lists, revokes and recognises them. They live in the host's own space of the storage:
//!
//! - `api-key/<SHA-256 of the key>` has the record of a key (module `record`).
//! - `api-key-of/<holder>/<created>/<id>` has that hash, so that the keys of an organization can be listed and deleted with
//!   it.
//! - Below `idempotency/<id>/` the API remembers the requests of a key; they are deleted with the key.

mod expiry;
mod key;
mod record;
mod scope;
#[cfg(test)]
mod tests;
mod used;

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

pub use self::expiry::{ApiKeyExpiry, UnknownExpiry};
pub(crate) use self::key::is_well_formed;
use self::record::{Found, Record, decode, encode};
pub(crate) use self::scope::permits;
pub use self::scope::{ApiAccess, ApiResource, ApiScope, UnknownScope};
use self::used::Used;
use crate::capability::clock::Clock;
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, Condition, KeyRange, OrganizationId, Storage, StorageError};
use crate::timestamp::LAST;

/// Keys of one holder at the same time. Those that open nothing any more make room when it is needed.
const MOST: usize = 100;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 200;

/// The holder of a key, which says what the key opens at the most.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ApiKeyHolder {
    /// The operator: the key opens all organizations, and what only the operator of the host may do.
    Operator,
    /// One organization, by the id of the one that [`crate::Provisioner::find_organization`] finds. A key does not open a
    /// later organization of the same name.
    Organization(OrganizationId),
}

impl ApiKeyHolder {
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

    /// The space that secrets of this holder are sealed for.
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

/// Whether a key is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ApiKeyStatus {
    /// It is accepted.
    Valid,
    /// It has expired.
    Expired,
    /// It was revoked.
    Revoked,
}

/// An API key, without its secret. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ApiKey {
    /// The id by which it is named, for instance to revoke it.
    pub id: String,
    /// The name that people give it.
    pub name: String,
    /// Whether it is accepted now.
    pub status: ApiKeyStatus,
    /// What the key permits.
    pub scopes: Vec<ApiScope>,
    /// When it was made.
    pub created: u64,
    /// When it expires; `null` if it does not.
    pub expires: Option<u64>,
    /// When it was last used, to five minutes; `null` if it never was.
    pub last_used: Option<u64>,
    /// When it was revoked; `null` if it was not.
    pub revoked: Option<u64>,
}

/// An API key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// The name that people give it: 1 to 200 bytes.
    pub name: String,
    /// What the key permits; at least one scope.
    pub scopes: Vec<ApiScope>,
    /// When it expires, in milliseconds since the Unix epoch; `None` for never.
    pub expires: Option<u64>,
}

/// A key of this name for everything, which does not expire.
impl From<&str> for NewApiKey {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), scopes: vec![ApiScope::EVERYTHING], expires: None }
    }
}

/// A new key. It is shown only once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedApiKey {
    /// The key without its secret.
    pub key: ApiKey,
    /// `insm_api_` (of an organization) or `insm_operator_`, 43 characters of base62 (256 bits) and 6 of checksum.
    pub secret: String,
}

/// Omits the secret, because debugging output ends up in logs.
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
    /// There is no scope, so the key would open nothing.
    #[error("an API key has at least one scope")]
    Scopes,
    /// The key would expire in the past, or after the year 9999.
    #[error("an API key expires in the future, and before the year 10000")]
    Expiry,
    /// The holder has too many valid keys.
    #[error("there are {MOST} API keys already; revoke one that is not used")]
    TooMany,
    /// There is no key with this id.
    #[error("there is no API key {0}")]
    Unknown(String),
    /// The system provides no random numbers.
    #[error("the system has no random numbers: {0}")]
    Random(String),
    /// The storage refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Whose key a request came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The id of the key.
    pub(crate) key: String,
    /// Whose it is.
    pub(crate) holder: ApiKeyHolder,
    /// What the key permits.
    pub(crate) scopes: Vec<ApiScope>,
    /// When it expires, in milliseconds since the Unix epoch; `None` for never.
    pub(crate) expires: Option<u64>,
}

/// The API keys of a host.
#[derive(Clone)]
pub struct ApiKeys {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    used: Used,
}

/// What the keys of all records begin with.
pub(crate) const RECORDS: &str = "api-key/";

/// The id of the key in this record, and the space that the secrets of its holder are sealed for.
#[cfg(feature = "cli")]
pub(crate) fn space_of(record: &[u8]) -> Option<(String, OrganizationId)> {
    let record: Record = serde_json::from_slice(record).ok()?;
    Some((record.id.clone(), record.holder()?.space()))
}

/// What the API remembers of the requests that came with the key of this id.
pub(crate) fn requests(key: &str) -> KeyRange {
    // `0` follows `/`.
    KeyRange { start: format!("idempotency/{key}/").into(), end: format!("idempotency/{key}0").into() }
}

impl ApiKeys {
    pub(crate) fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self { used: Used::new(storage.clone()), storage, clock }
    }

    /// Makes a key. The organization need not exist: until it does, its keys open nothing.
    ///
    /// # Errors
    /// [`ApiKeyError`] says why the key was not made.
    pub async fn create(&self, holder: &ApiKeyHolder, new: impl Into<NewApiKey>) -> Result<IssuedApiKey, ApiKeyError> {
        let now = self.clock.now();
        let NewApiKey { name, scopes, expires } = checked(new.into(), now)?;
        let known = self.all(holder).await?;
        let mut changes = match displaced(&known, now)? {
            Some(oldest) => vec![
                Change::Delete(oldest.at.clone()),
                Change::Delete(listed_at(holder, &oldest.record)),
                Change::DeleteRange(requests(&oldest.record.id)),
            ],
            None => Vec::new(),
        };
        let random = |error: getrandom::Error| ApiKeyError::Random(error.to_string());
        let mut id = [0; 8];
        getrandom::fill(&mut id).map_err(random)?;
        let prefix = match holder {
            ApiKeyHolder::Operator => key::OF_OPERATOR,
            ApiKeyHolder::Organization(_) => key::OF_ORGANIZATION,
        };
        let secret = key::new(prefix).map_err(random)?;
        // Two of the same millisecond are told apart, so that the list has the order in which they were made.
        let after = known.last().map_or(0, |found| found.record.created + 1);
        let (id, created) = (hex::encode(id), now.max(after));
        let (hash, record) = (key::hash(&secret), Record::new(holder, id, name, created, &scopes, expires));
        changes.push(Change::put(listed_at(holder, &record), hash.clone().into_bytes()));
        changes.push(Change::put(record_at(&hash), encode(&record)?));
        self.commit(Vec::new(), changes).await?;
        Ok(IssuedApiKey { key: record.view(now), secret })
    }

    /// Whether [`ApiKeys::create`] would make this key now, for whoever asks for more before that.
    pub(crate) async fn check(&self, holder: &ApiKeyHolder, new: &NewApiKey) -> Result<(), ApiKeyError> {
        let now = self.clock.now();
        checked(new.clone(), now)?;
        displaced(&self.all(holder).await?, now).map(drop)
    }

    /// All keys of a holder, expired and revoked ones too, oldest first. There are at most 100.
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn list(&self, holder: &ApiKeyHolder) -> Result<Vec<ApiKey>, StorageError> {
        let now = self.clock.now();
        Ok(self.all(holder).await?.into_iter().map(|found| found.record.view(now)).collect())
    }

    /// Revokes a key: from now on no request with it is accepted. It stays in the list.
    ///
    /// # Errors
    /// [`ApiKeyError::Unknown`] if the holder has no such key.
    pub async fn revoke(&self, holder: &ApiKeyHolder, id: &str) -> Result<ApiKey, ApiKeyError> {
        loop {
            let (now, known) = (self.clock.now(), self.all(holder).await?);
            let known = known.into_iter().find(|found| found.record.id == id);
            let Found { at, mut record, version } = known.ok_or_else(|| ApiKeyError::Unknown(id.to_owned()))?;
            if record.revoked.is_some() {
                return Ok(record.view(now));
            }
            record.revoked = Some(now);
            let changes = vec![Change::put(at.clone(), encode(&record)?), Change::DeleteRange(requests(id))];
            match self.commit(vec![Condition::version(at, version)], changes).await {
                // It was used in the meantime.
                Err(StorageError::Conflict(_)) => {}
                done => return Ok(done.map(|()| record.view(now))?),
            }
        }
    }

    /// Removes all keys of an organization, which is about to be deleted.
    pub(crate) async fn forget(&self, organization: &OrganizationId) -> Result<(), StorageError> {
        let holder = ApiKeyHolder::Organization(organization.clone());
        let known = self.all(&holder).await?;
        let mut changes = vec![Change::DeleteRange(holder.keys())];
        for found in known {
            changes.push(Change::DeleteRange(requests(&found.record.id)));
            changes.push(Change::Delete(found.at));
        }
        self.commit(Vec::new(), changes).await
    }

    /// Whose key this is; `None` if it is nobody's, or not any more. That it was used is noted in the background: no request
    /// waits for it, and none fails because of it.
    pub(crate) async fn recognise(&self, presented: &str) -> Result<Option<Caller>, StorageError> {
        let (at, now) = (record_at(&key::hash(presented)), self.clock.now());
        let Some(item) = HostSpace(&*self.storage).get(at.clone()).await? else { return Ok(None) };
        let found = decode(at, &item)?;
        let record = &found.record;
        let Some(holder) = record.holder().filter(|_| record.over(now).is_none()) else { return Ok(None) };
        let caller = Caller { key: record.id.clone(), holder, scopes: record.scopes(), expires: record.expires() };
        self.used.note(found, now);
        Ok(Some(caller))
    }

    async fn all(&self, holder: &ApiKeyHolder) -> Result<Vec<Found>, StorageError> {
        let space = HostSpace(&*self.storage);
        // Two that are made at the same time may exceed the number.
        let listed = space.scan(holder.keys(), 4 * MOST as u32).await?.entries.into_iter();
        let places: Vec<Vec<u8>> = listed.map(|entry| record_at(&String::from_utf8_lossy(&entry.value))).collect();
        let items = space.get_all(places.clone()).await?;
        places.into_iter().zip(items).filter_map(|(at, item)| item.map(|item| decode(at, &item))).collect()
    }

    async fn commit(&self, conditions: Vec<Condition>, changes: Vec<Change>) -> Result<(), StorageError> {
        HostSpace(&*self.storage).commit(conditions, changes).await.map(drop)
    }
}

/// The key as it is made, if nothing is wrong with it.
fn checked(mut new: NewApiKey, now: u64) -> Result<NewApiKey, ApiKeyError> {
    new.name = new.name.trim().to_owned();
    if new.name.is_empty() || new.name.len() > LONGEST_NAME {
        return Err(ApiKeyError::Name);
    }
    new.scopes.sort_unstable();
    new.scopes.dedup();
    if new.scopes.is_empty() {
        return Err(ApiKeyError::Scopes);
    }
    if new.expires.is_some_and(|expires| expires <= now || expires > LAST) {
        return Err(ApiKeyError::Expiry);
    }
    Ok(new)
}

/// The key that makes room for one more, if these are as many as there may be: the one that has opened nothing for longest.
fn displaced(known: &[Found], now: u64) -> Result<Option<&Found>, ApiKeyError> {
    if known.len() < MOST {
        return Ok(None);
    }
    let over = known.iter().filter_map(|found| Some((found.record.over(now)?, found)));
    let (_, oldest) = over.min_by_key(|(over, _)| *over).ok_or(ApiKeyError::TooMany)?;
    Ok(Some(oldest))
}

fn record_at(hash: &str) -> Vec<u8> {
    format!("{RECORDS}{hash}").into()
}

fn listed_at(holder: &ApiKeyHolder, record: &Record) -> Vec<u8> {
    format!("api-key-of/{}/{:020}/{}", holder.name(), record.created, record.id).into()
}
