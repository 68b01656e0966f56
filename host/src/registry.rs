//! The host's own records: which organizations there are, and a few notes of the host about itself.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use serde::{Deserialize, Serialize};

use crate::capability::storage::{KeyRange, OrganizationId, Page, Require, Storage, StorageError, Transaction, Write};

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
    /// The storage refused.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is stored of an organization, as JSON at `organization/<id>`.
#[derive(Serialize, Deserialize)]
struct Record {
    created: u64,
    /// Its data is being deleted: it is no organization any more, and its name is free only when that is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

/// How long a look-up counts. Another process may delete the organization meanwhile, and waits so long before it deletes
/// the data.
const FRESH: Duration = Duration::from_secs(2);

const ORGANIZATIONS: &str = "organization/";
/// The first text after all that begin with [`ORGANIZATIONS`]: `0` follows `/`.
const ORGANIZATIONS_END: &str = "organization0";
const NOTES: &str = "note/";

pub(crate) struct Registry {
    storage: Arc<dyn Storage>,
    /// Organizations that were there at this moment.
    known: RwLock<HashMap<OrganizationId, Instant>>,
}

impl Registry {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, known: RwLock::default() }
    }

    /// Registers it. What was left of one of this name that was not deleted to the end is deleted first.
    pub(crate) async fn create(&self, id: &OrganizationId, now: u64) -> Result<(), RegistryError> {
        if id.is_host() {
            return Err(RegistryError::Reserved(id.clone()));
        }
        match self.record(id).await? {
            Some(record) if record.deleted => self.delete(id).await?,
            Some(_) => return Err(RegistryError::Exists(id.clone())),
            None => {}
        }
        let record = serde_json::to_vec(&Record { created: now, deleted: false }).map_err(corrupt)?;
        match self.change(Require::Absent(key(id)), Write::Put(key(id), record)).await {
            Err(StorageError::Conflict(_)) => Err(RegistryError::Exists(id.clone())),
            changed => Ok(changed?),
        }
    }

    pub(crate) async fn exists(&self, id: &OrganizationId) -> Result<bool, StorageError> {
        let seen = self.known.read().unwrap_or_else(PoisonError::into_inner).get(id).copied();
        if seen.is_some_and(|seen| seen.elapsed() < FRESH) {
            return Ok(true);
        }
        let looked = Instant::now();
        let exists = self.record(id).await?.is_some_and(|record| !record.deleted);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if exists {
            known.insert(id.clone(), looked);
        } else {
            known.remove(id);
        }
        Ok(exists)
    }

    async fn record(&self, id: &OrganizationId) -> Result<Option<Record>, StorageError> {
        let found = self.storage.get(&OrganizationId::host(), vec![key(id)]).await?;
        found.into_iter().next().flatten().map(|item| serde_json::from_slice(&item.value).map_err(corrupt)).transpose()
    }

    async fn change(&self, require: Require, write: Write) -> Result<(), StorageError> {
        let transaction = Transaction { require: vec![require], write: vec![write], wake_at: None };
        self.storage.commit(&OrganizationId::host(), transaction).await.map(drop)
    }

    /// Those after `after`, in the order of their names.
    pub(crate) async fn list(
        &self,
        after: Option<&OrganizationId>,
        limit: u32,
    ) -> Result<Vec<Registered>, StorageError> {
        // A key ends where its name ends, so the next one in order is the name with a zero byte.
        let start = after.map_or_else(|| ORGANIZATIONS.into(), |id| [key(id), vec![0]].concat());
        let range = KeyRange { start, end: ORGANIZATIONS_END.into() };
        let page = Page { range, reverse: false, skip: 0, limit };
        let scanned = self.storage.scan(&OrganizationId::host(), vec![page]).await?;
        scanned
            .into_iter()
            .flat_map(|page| page.entries)
            .map(|entry| {
                let name = String::from_utf8_lossy(&entry.key[ORGANIZATIONS.len()..]).into_owned();
                let id = OrganizationId::parse(&name).map_err(|error| StorageError::Other(error.to_string()))?;
                let record: Record = serde_json::from_slice(&entry.value).map_err(corrupt)?;
                Ok((!record.deleted).then_some(Registered { id, created: record.created }))
            })
            .filter_map(Result::transpose)
            .collect()
    }

    /// Removes the organization with all that it has. First it is marked, so that it is never half there; what is broken
    /// off after that is taken up by the next call.
    pub(crate) async fn delete(&self, id: &OrganizationId) -> Result<(), RegistryError> {
        let record = self.record(id).await?.ok_or_else(|| RegistryError::Unknown(id.clone()))?;
        if !record.deleted {
            let marked = serde_json::to_vec(&Record { deleted: true, ..record }).map_err(corrupt)?;
            match self.change(Require::Exists(key(id)), Write::Put(key(id), marked)).await {
                Err(StorageError::Conflict(_)) => return Err(RegistryError::Unknown(id.clone())),
                changed => changed?,
            }
        }
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        // Until then another process may take it for one that is there, and write for it.
        sleep(FRESH).await;
        self.storage.delete_organization(id).await?;
        match self.change(Require::Exists(key(id)), Write::Delete(key(id))).await {
            // Somebody else has deleted it to the end as well.
            Ok(()) | Err(StorageError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A note of the host about itself.
    pub(crate) async fn note(&self, name: &str) -> Result<Option<String>, StorageError> {
        let found = self.storage.get(&OrganizationId::host(), vec![format!("{NOTES}{name}").into()]).await?;
        let item = found.into_iter().next().flatten();
        item.map(|item| String::from_utf8(item.value).map_err(|error| StorageError::Other(error.to_string())))
            .transpose()
    }

    pub(crate) async fn set_note(&self, name: &str, text: &str) -> Result<(), StorageError> {
        let write = vec![Write::Put(format!("{NOTES}{name}").into(), text.into())];
        let transaction = Transaction { write, ..Transaction::default() };
        self.storage.commit(&OrganizationId::host(), transaction).await.map(|_| ())
    }
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
    use tokio::time::timeout;

    fn id(name: &str) -> OrganizationId {
        OrganizationId::parse(name).unwrap()
    }

    #[tokio::test]
    async fn organizations_are_listed_in_order_and_page_by_page() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        for name in ["b", "a-2", "a", "c"] {
            registry.create(&id(name), 7).await.unwrap();
        }
        assert_eq!(registry.create(&id("a"), 8).await, Err(RegistryError::Exists(id("a"))));
        let names = |listed: Vec<Registered>| listed.into_iter().map(|one| one.id.to_string()).collect::<Vec<_>>();
        let first = registry.list(None, 2).await.unwrap();
        assert_eq!(first[0], Registered { id: id("a"), created: 7 });
        assert_eq!(names(first), ["a", "a-2"]);
        assert_eq!(names(registry.list(Some(&id("a-2")), 9).await.unwrap()), ["b", "c"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deletion_that_was_broken_off_is_taken_up_and_leaves_nothing_to_the_next_of_that_name() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        let data = Transaction { write: vec![Write::Put(b"k".to_vec(), b"v".to_vec())], ..Transaction::default() };
        for end in ["create", "delete"] {
            registry.create(&id(end), 7).await.unwrap();
            registry.storage.commit(&id(end), data.clone()).await.unwrap();
            assert!(timeout(FRESH / 2, registry.delete(&id(end))).await.is_err(), "it is broken off");
            assert_eq!(registry.exists(&id(end)).await, Ok(false));
        }
        assert_eq!(registry.list(None, 9).await, Ok(Vec::new()));
        registry.create(&id("create"), 8).await.unwrap();
        registry.delete(&id("delete")).await.unwrap();
        for name in ["create", "delete"] {
            assert_eq!(registry.storage.get(&id(name), vec![b"k".to_vec()]).await, Ok(vec![None]), "{name}");
        }
        assert_eq!(registry.exists(&id("create")).await, Ok(true));
        assert_eq!(registry.delete(&id("delete")).await, Err(RegistryError::Unknown(id("delete"))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_another_process_has_deleted_is_gone_here_before_its_data_is() {
        let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
        let (here, there) = (Registry::new(Arc::clone(&storage)), Registry::new(storage));
        here.create(&id("a"), 7).await.unwrap();
        assert_eq!(here.exists(&id("a")).await, Ok(true));
        there.delete(&id("a")).await.unwrap();
        assert_eq!(here.exists(&id("a")).await, Ok(false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_deleted_organization_is_gone_with_its_data() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        registry.create(&id("a"), 7).await.unwrap();
        let write = vec![Write::Put(b"k".to_vec(), b"v".to_vec())];
        registry.storage.commit(&id("a"), Transaction { write, ..Transaction::default() }).await.unwrap();
        assert_eq!(registry.exists(&id("a")).await, Ok(true));
        registry.delete(&id("a")).await.unwrap();
        assert_eq!(registry.exists(&id("a")).await, Ok(false));
        assert_eq!(registry.storage.get(&id("a"), vec![b"k".to_vec()]).await, Ok(vec![None]));
        assert_eq!(registry.delete(&id("a")).await, Err(RegistryError::Unknown(id("a"))));
    }

    #[tokio::test]
    async fn the_hosts_own_space_is_no_organization() {
        let registry = Registry::new(Arc::new(MemoryStorage::new()));
        let host = OrganizationId::host();
        assert_eq!(registry.create(&host, 7).await, Err(RegistryError::Reserved(host.clone())));
        assert_eq!(registry.exists(&host).await, Ok(false));
    }
}
