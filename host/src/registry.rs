//! The host's own records: which organizations there are, and a few notes of the host about itself.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

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
}

const ORGANIZATIONS: &str = "organization/";
/// The first text after all that begin with [`ORGANIZATIONS`]: `0` follows `/`.
const ORGANIZATIONS_END: &str = "organization0";
const NOTES: &str = "note/";

pub(crate) struct Registry {
    storage: Arc<dyn Storage>,
    /// Organizations that were there once. One that was removed by another process since then has no token any more,
    /// so that its requests are refused by the component instead of the host.
    known: RwLock<HashSet<OrganizationId>>,
}

impl Registry {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, known: RwLock::default() }
    }

    pub(crate) async fn create(&self, id: &OrganizationId, now: u64) -> Result<(), RegistryError> {
        if id.is_host() {
            return Err(RegistryError::Reserved(id.clone()));
        }
        let record = serde_json::to_vec(&Record { created: now }).map_err(corrupt)?;
        let transaction = Transaction {
            require: vec![Require::Absent(key(id))],
            write: vec![Write::Put(key(id), record)],
            wake_at: None,
        };
        match self.storage.commit(&OrganizationId::host(), transaction).await {
            Ok(_) => Ok(()),
            Err(StorageError::Conflict(_)) => Err(RegistryError::Exists(id.clone())),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn exists(&self, id: &OrganizationId) -> Result<bool, StorageError> {
        if self.known.read().unwrap_or_else(PoisonError::into_inner).contains(id) {
            return Ok(true);
        }
        let found = self.storage.get(&OrganizationId::host(), vec![key(id)]).await?;
        let exists = found.first().is_some_and(Option::is_some);
        if exists {
            self.known.write().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        }
        Ok(exists)
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
                Ok(Registered { id, created: record.created })
            })
            .collect()
    }

    /// Removes the organization with all that it has. It is gone from the list first, so that it is never half there.
    pub(crate) async fn delete(&self, id: &OrganizationId) -> Result<(), RegistryError> {
        let transaction =
            Transaction { require: vec![Require::Exists(key(id))], write: vec![Write::Delete(key(id))], wake_at: None };
        match self.storage.commit(&OrganizationId::host(), transaction).await {
            Ok(_) => {}
            Err(StorageError::Conflict(_)) => return Err(RegistryError::Unknown(id.clone())),
            Err(error) => return Err(error.into()),
        }
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(self.storage.delete_organization(id).await?)
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

    #[tokio::test]
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
