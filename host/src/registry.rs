//! The host's own records: which organizations there are, and in `notes` what the standalone host knows of itself.

mod components;
#[cfg(feature = "cli")]
mod notes;
mod quotas;
mod record;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use serde::{Deserialize, Serialize};

use crate::capability::email::MailError;
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, Condition, Item, KeyRange, OrganizationId, Storage, StorageError, key_after};

pub(crate) use components::{Assignment, ComponentBook, MAX_COMPONENT};
pub use components::{Before, Canary, ComponentBookError, ComponentId, InvalidComponentId, Pin, StoredComponent};
#[cfg(feature = "cli")]
pub(crate) use notes::note_key;
pub(crate) use quotas::QuotaBook;
pub use quotas::QuotaError;

/// An organization that this host serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// Its name in the connector URL.
    #[serde(serialize_with = "as_text")]
    pub id: OrganizationId,
    /// When it was registered, in milliseconds since the Unix epoch.
    pub created: u64,
}

fn as_text<S: serde::Serializer>(id: &OrganizationId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(id.as_str())
}

/// Why the host's records could not be read or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is an organization of this name already.
    #[error("there is an organization {0} already")]
    Exists(OrganizationId),
    /// There is no organization of this name.
    #[error("there is no organization {0}")]
    Unknown(OrganizationId),
    /// The name is the host's own.
    #[error("{0} is not a name for an organization")]
    Reserved(OrganizationId),
    /// The organization is deleted, but its emails could not be; the text says why. Delete it again.
    #[error("the emails of the organization can't be deleted: {0}")]
    Mail(MailError),
    /// The storage refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is stored of an organization, as JSON at `organization/<id>`.
#[derive(Serialize, Deserialize)]
struct Record {
    created: u64,
    /// Which of the organizations with this name it is.
    #[serde(default)]
    generation: u64,
    /// Its data is being deleted: it is no organization any more, and its name is free only when that is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    /// It is being created: it is no organization yet, and its name is taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    begun: bool,
}

impl Record {
    fn is_organization(&self) -> bool {
        !self.deleted && !self.begun
    }
}

/// A creation that is not complete after so long, in milliseconds, was broken off: its calls may not take as long.
const BROKEN_OFF: u64 = 5 * 60 * 1000;

/// A record and the version at which it was read.
struct Stored {
    record: Record,
    version: u64,
}

/// What is stored of the organizations that had a name before, as JSON at `former/<id>`.
#[derive(Serialize, Deserialize)]
struct Former {
    /// That of the last one.
    generation: u64,
}

/// How long a look-up counts. Another process may delete the organization meanwhile: then calls still find what is left
/// of it, and the storage refuses to write for it.
const FRESH: Duration = Duration::from_millis(50);
/// Look-ups that are remembered.
const REMEMBERED: usize = 10_000;

const ORGANIZATIONS: &str = "organization/";
/// The first text after all that begin with [`ORGANIZATIONS`]: `0` follows `/`.
const ORGANIZATIONS_END: &str = "organization0";
const FORMER: &str = "former/";

pub(crate) struct Registry {
    storage: Arc<dyn Storage>,
    /// The generations of organizations that were there at this moment, by name.
    known: RwLock<HashMap<OrganizationId, (u64, Instant)>>,
}

impl Registry {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, known: RwLock::default() }
    }

    /// Takes the name for an organization and returns its id, with a generation that no organization of this name had before.
    /// It is there only when it is complete.
    ///
    /// # Errors
    /// [`RegistryError::Exists`] also if one of this name is left over: [`Registry::left`] tells.
    pub(crate) async fn begin(&self, id: &OrganizationId, now: u64) -> Result<OrganizationId, RegistryError> {
        if id.is_host() {
            return Err(RegistryError::Reserved(id.clone()));
        }
        if self.stored(id).await?.is_some() {
            return Err(RegistryError::Exists(id.clone()));
        }
        let (former, require) = self.former(id).await?;
        let generation = former.map_or(0, |former| former.generation + 1);
        let record =
            serde_json::to_vec(&Record { created: now, generation, deleted: false, begun: true }).map_err(corrupt)?;
        match self.change(vec![Condition::Absent(key(id)), require], vec![Change::put(key(id), record)]).await {
            Err(StorageError::Conflict(_)) => Err(RegistryError::Exists(id.clone())),
            changed => Ok(changed.map(|()| id.with_generation(generation))?),
        }
    }

    /// The organization is complete: from now on it is there.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`] if it was deleted meanwhile, as one whose creation was broken off.
    pub(crate) async fn complete(&self, id: &OrganizationId) -> Result<(), RegistryError> {
        let unknown = || RegistryError::Unknown(id.clone());
        let Stored { record, version } = self.stored(id).await?.ok_or_else(unknown)?;
        if record.deleted || record.generation != id.generation() {
            return Err(unknown());
        }
        let record = serde_json::to_vec(&Record { begun: false, ..record }).map_err(corrupt)?;
        match self.change(vec![Condition::version(key(id), version)], vec![Change::put(key(id), record)]).await {
            Err(StorageError::Conflict(_)) => Err(unknown()),
            changed => Ok(changed?),
        }
    }

    /// The organization that has this name now.
    pub(crate) async fn find(&self, id: &OrganizationId) -> Result<Option<OrganizationId>, StorageError> {
        let name = id.with_generation(0);
        let seen = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        if let Some((generation, _)) = seen.filter(|(_, seen)| seen.elapsed() < FRESH) {
            return Ok(Some(name.with_generation(generation)));
        }
        let looked = Instant::now();
        let stored = self.stored(&name).await?.filter(|stored| stored.record.is_organization());
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let Some(Stored { record, .. }) = stored else {
            known.remove(&name);
            return Ok(None);
        };
        if known.len() >= REMEMBERED {
            known.retain(|_, (_, seen)| seen.elapsed() < FRESH);
        }
        known.insert(name.clone(), (record.generation, looked));
        Ok(Some(name.with_generation(record.generation)))
    }

    async fn stored(&self, id: &OrganizationId) -> Result<Option<Stored>, StorageError> {
        let decode = |item: Item| {
            let record = serde_json::from_slice(&item.value).map_err(corrupt)?;
            Ok::<_, StorageError>(Stored { record, version: item.version })
        };
        self.space().get(key(id)).await?.map(decode).transpose()
    }

    /// What is known of those that had the name, and the requirement that this does not change.
    async fn former(&self, id: &OrganizationId) -> Result<(Option<Former>, Condition), StorageError> {
        let found = self.space().get(former_key(id)).await?;
        record::read(former_key(id), found.as_ref(), corrupt)
    }

    async fn change(&self, conditions: Vec<Condition>, changes: Vec<Change>) -> Result<(), StorageError> {
        self.space().commit(conditions, changes).await.map(drop)
    }

    fn space(&self) -> HostSpace<'_> {
        HostSpace(&*self.storage)
    }

    /// At most `limit` after `after`, in the order of their names.
    pub(crate) async fn list(
        &self,
        after: Option<&OrganizationId>,
        limit: u32,
    ) -> Result<Vec<Registered>, StorageError> {
        let mut listed = Vec::new();
        let mut start = after.map_or_else(|| ORGANIZATIONS.into(), |id| key_after(key(id)));
        loop {
            let missing = limit.saturating_sub(u32::try_from(listed.len()).unwrap_or(u32::MAX));
            let range = KeyRange { start, end: ORGANIZATIONS_END.into() };
            let scanned = self.space().scan(range, missing).await?;
            let last = scanned.entries.last().map(|entry| key_after(entry.key.clone()));
            for entry in scanned.entries {
                let name = String::from_utf8_lossy(&entry.key[ORGANIZATIONS.len()..]).into_owned();
                let id = OrganizationId::parse(&name).map_err(|error| StorageError::Other(error.to_string()))?;
                let record: Record = serde_json::from_slice(&entry.value).map_err(corrupt)?;
                // One that is being deleted is none; the page is filled with those behind it.
                if record.is_organization() {
                    listed.push(Registered { id, created: record.created });
                }
            }
            start = match last.filter(|_| scanned.more && (listed.len() as u64) < u64::from(limit)) {
                Some(next) => next,
                None => return Ok(listed),
            };
        }
    }

    /// Begins to delete the organization of this name and returns its id: from now on it is no organization any more, and
    /// the caller removes what it has, in every store. What was broken off after that is taken up by the next call.
    ///
    /// # Errors
    /// [`RegistryError::Unknown`] also if a `generation` is named and the organization that has the name now is another one.
    pub(crate) async fn begin_deletion(
        &self,
        id: &OrganizationId,
        generation: Option<u64>,
    ) -> Result<OrganizationId, RegistryError> {
        let is_meant = |stored: &Stored| generation.is_none_or(|generation| generation == stored.record.generation);
        loop {
            let stored = self.stored(id).await?.filter(is_meant);
            let stored = stored.ok_or_else(|| RegistryError::Unknown(id.clone()))?;
            let bound = id.with_generation(stored.record.generation);
            if !stored.record.deleted {
                let marked = serde_json::to_vec(&Record { deleted: true, ..stored.record }).map_err(corrupt)?;
                let conditions = vec![Condition::version(key(id), stored.version)];
                match self.change(conditions, vec![Change::put(key(id), marked)]).await {
                    Err(StorageError::Conflict(_)) => continue,
                    changed => changed?,
                }
            }
            self.known.write().unwrap_or_else(PoisonError::into_inner).remove(&id.with_generation(0));
            return Ok(bound);
        }
    }

    /// The generation of an organization of this name that is being deleted, or whose creation was broken off.
    pub(crate) async fn left(&self, id: &OrganizationId, now: u64) -> Result<Option<u64>, StorageError> {
        let is_left = |Record { created, deleted, begun, .. }: &Record| {
            *deleted || (*begun && now.saturating_sub(*created) >= BROKEN_OFF)
        };
        let stored = self.stored(id).await?.filter(|stored| is_left(&stored.record));
        Ok(stored.map(|stored| stored.record.generation))
    }

    /// Ends the deletion of what [`Registry::begin_deletion`] returned: its name is free, and its generation never comes
    /// again.
    pub(crate) async fn end_deletion(&self, id: &OrganizationId) -> Result<(), StorageError> {
        let stored = self.stored(id).await?;
        // Somebody else may have deleted it to the end, and created another.
        let ours = stored.filter(|stored| stored.record.deleted && stored.record.generation == id.generation());
        let Some(Stored { version, .. }) = ours else { return Ok(()) };
        let former = serde_json::to_vec(&Former { generation: id.generation() }).map_err(corrupt)?;
        let changes = vec![Change::Delete(key(id)), Change::put(former_key(id), former)];
        match self.change(vec![Condition::version(key(id), version)], changes).await {
            Ok(()) | Err(StorageError::Conflict(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn former_key(id: &OrganizationId) -> Vec<u8> {
    format!("{FORMER}{id}").into()
}

fn key(id: &OrganizationId) -> Vec<u8> {
    format!("{ORGANIZATIONS}{id}").into()
}

fn corrupt(error: serde_json::Error) -> StorageError {
    StorageError::Other(format!("the record of an organization is not what this host wrote: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    fn id(name: &str) -> OrganizationId {
        OrganizationId::parse(name).unwrap()
    }

    async fn create(registry: &Registry, name: &str, now: u64) -> Result<OrganizationId, RegistryError> {
        let begun = registry.begin(&id(name), now).await?;
        registry.complete(&begun).await?;
        Ok(begun)
    }

    #[tokio::test]
    async fn an_organization_is_there_when_it_is_complete_and_its_name_is_taken_before() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        let begun = registry.begin(&id("a"), 7).await.unwrap();
        assert_eq!((registry.find(&id("a")).await, registry.list(None, 9).await), (Ok(None), Ok(Vec::new())));
        assert_eq!(registry.begin(&id("a"), 8).await, Err(RegistryError::Exists(id("a"))));
        assert_eq!(registry.left(&id("a"), 7 + BROKEN_OFF - 1).await, Ok(None));
        assert_eq!(registry.left(&id("a"), 7 + BROKEN_OFF).await, Ok(Some(0)));
        registry.complete(&begun).await.unwrap();
        assert_eq!(registry.find(&id("a")).await, Ok(Some(begun)));
        assert_eq!(registry.left(&id("a"), u64::MAX).await, Ok(None));
    }

    #[tokio::test]
    async fn organizations_are_listed_in_order_and_page_by_page() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        for name in ["b", "a-2", "a", "c"] {
            create(&registry, name, 7).await.unwrap();
        }
        assert_eq!(create(&registry, "a", 8).await, Err(RegistryError::Exists(id("a"))));
        let names = |listed: Vec<Registered>| listed.into_iter().map(|one| one.id.to_string()).collect::<Vec<_>>();
        let first = registry.list(None, 2).await.unwrap();
        assert_eq!(first[0], Registered { id: id("a"), created: 7 });
        assert_eq!(names(first), ["a", "a-2"]);
        assert_eq!(names(registry.list(Some(&id("a-2")), 9).await.unwrap()), ["b", "c"]);
    }

    async fn delete(registry: &Registry, name: &str) {
        let bound = registry.begin_deletion(&id(name), None).await.unwrap();
        registry.storage.delete_organization(&bound).await.unwrap();
        registry.end_deletion(&bound).await.unwrap();
    }

    #[tokio::test]
    async fn a_name_that_is_used_again_gets_a_generation_that_none_of_that_name_had() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        for generation in 0..3 {
            let created = create(&registry, "a", 7).await.unwrap();
            assert_eq!(created.generation(), generation);
            assert_eq!(registry.find(&id("a")).await, Ok(Some(created)));
            delete(&registry, "a").await;
            assert_eq!(registry.find(&id("a")).await, Ok(None));
        }
        assert_eq!(registry.begin_deletion(&id("a"), None).await, Err(RegistryError::Unknown(id("a"))));
        assert_eq!(create(&registry, "b", 7).await.unwrap().generation(), 0);
    }

    #[tokio::test]
    async fn what_is_being_deleted_is_no_organization_and_its_name_is_not_free() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        for name in ["a", "b", "c"] {
            create(&registry, name, 7).await.unwrap();
        }
        let bound = registry.begin_deletion(&id("a"), None).await.unwrap();
        assert_eq!(registry.begin_deletion(&id("a"), None).await, Ok(bound.clone()), "it is taken up");
        assert_eq!(registry.find(&id("a")).await, Ok(None));
        assert_eq!(registry.left(&id("a"), 8).await, Ok(Some(0)));
        assert_eq!(create(&registry, "a", 8).await, Err(RegistryError::Exists(id("a"))));
        let listed = registry.list(None, 1).await.unwrap();
        assert_eq!(listed.into_iter().map(|one| one.id).collect::<Vec<_>>(), [id("b")], "a page is full all the same");
        registry.end_deletion(&bound).await.unwrap();
        let again = create(&registry, "a", 9).await.unwrap();
        registry.end_deletion(&bound).await.unwrap();
        assert_eq!(registry.find(&id("a")).await, Ok(Some(again)), "a late end concerns the old one alone");
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_process_has_deleted_is_gone_here_soon() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let (here, there) = (Registry::new(Arc::clone(&storage)), Registry::new(storage));
        let first = create(&here, "a", 7).await.unwrap();
        assert_eq!(here.find(&id("a")).await, Ok(Some(first)));
        delete(&there, "a").await;
        let second = create(&there, "a", 8).await.unwrap();
        tokio::time::advance(FRESH).await;
        assert_eq!(here.find(&id("a")).await, Ok(Some(second)));
    }

    #[tokio::test]
    async fn the_hosts_own_space_is_no_organization() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        let host = OrganizationId::host();
        assert_eq!(registry.begin(&host, 7).await, Err(RegistryError::Reserved(host.clone())));
        assert_eq!(registry.find(&host).await, Ok(None));
    }
}
