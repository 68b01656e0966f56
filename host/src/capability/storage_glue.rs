//! The interface of `wit/storage.wit`: each call goes to the data of the organization to which the instance is bound.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use wasmtime::component::{HasData, Linker};

use super::Capabilities;
use super::schedule::LONGEST_PAUSE;
use super::storage::{Change, KeyValue, OrganizationId, Size, Storage, StorageError};
use crate::component::InstanceState;
use crate::component::bindings::insomnia::scim::storage as wit;
use crate::hourly::{error_hourly, warn_hourly};
use crate::quota::{Exceeded, Usage};

/// The parts of the host that a call of this interface needs.
pub(crate) struct StorageView<'a> {
    organization: &'a OrganizationId,
    capabilities: &'a Capabilities,
    ended: &'a CancellationToken,
    usage: &'a Arc<Usage>,
    refused: &'a Mutex<Option<Exceeded>>,
    /// Whether the call adds new data.
    adds: bool,
}

struct HasStorage;

impl HasData for HasStorage {
    type Data<'a> = StorageView<'a>;
}

pub(crate) fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    wit::add_to_linker::<_, HasStorage>(linker, |state| StorageView {
        organization: state.organization(),
        capabilities: state.capabilities(),
        ended: state.ended(),
        usage: state.usage(),
        refused: state.refused(),
        adds: state.adds(),
    })
}

impl wit::Host for StorageView<'_> {
    async fn get(&mut self, keys: Vec<wit::Key>) -> Result<Vec<Option<wit::Item>>, wit::StorageError> {
        self.measured("get", self.capabilities.storage.get(self.organization, keys)).await
    }

    async fn scan(&mut self, pages: Vec<wit::Page>) -> Result<Vec<wit::Scanned>, wit::StorageError> {
        self.measured("scan", self.capabilities.storage.scan(self.organization, pages)).await
    }

    async fn commit(&mut self, mut transaction: wit::Transaction) -> Result<u64, wit::StorageError> {
        // A call for no organization succeeds like any other, but writes nothing.
        if self.organization.is_nobody() {
            return Ok(0);
        }
        // The host calls by then anyway, and a time further ahead would be taken for that of a wrong clock.
        let latest = self.capabilities.clock.now().saturating_add(LONGEST_PAUSE);
        transaction.wake_at = transaction.wake_at.map(|at| at.min(latest));
        let wake_at = transaction.wake_at;
        let size = transaction.changes.iter().map(size_of).fold(Size::default(), Size::plus);
        self.may_store(self.adds, size.bytes <= SMALL)?;
        let committed = self.capabilities.storage.commit(self.organization, transaction);
        let version = self.measured("commit", committed).await?;
        if let Some(time) = wake_at {
            self.capabilities.alarm.set(time);
        }
        self.capabilities.alarm.committed(self.organization);
        self.has_stored(size);
        Ok(version)
    }

    async fn append(&mut self, entries: Vec<wit::KeyValue>) -> Result<(), wit::StorageError> {
        if self.organization.is_nobody() {
            return Ok(());
        }
        let entries: Vec<_> = entries.into_iter().map(|entry| (entry.key, entry.value)).collect();
        let size = |(key, value): &(wit::Key, Vec<u8>)| Size { bytes: (key.len() + value.len()) as u64, keys: 1 };
        let size = entries.iter().map(size).fold(Size::default(), Size::plus);
        self.may_store(false, size.bytes <= SMALL)?;
        self.measured("append", self.capabilities.storage.append(self.organization, entries)).await?;
        self.has_stored(size);
        Ok(())
    }
}

/// A commit of this size, in bytes, is allowed even if the organization's quota is used up. It is enough to deactivate
/// or remove a member, which frees a licence and ends an access.
const SMALL: u64 = 64 << 10;

/// The most bytes and keys that a change adds.
fn size_of(change: &Change) -> Size {
    match change {
        Change::Put(KeyValue { key, value }) => Size { bytes: (key.len() + value.len()) as u64, keys: 1 },
        Change::Add(add) => Size { bytes: add.key.len() as u64, keys: 1 },
        Change::Delete(_) | Change::DeleteRange(_) => Size::default(),
    }
}

/// Measures how much the organization stores, in the background.
pub(crate) fn measure(storage: Arc<dyn Storage>, organization: OrganizationId, usage: Arc<Usage>) {
    tokio::spawn(async move { usage.measure(storage.size(&organization)).await });
}

impl StorageView<'_> {
    /// Runs a call of the storage, with metrics.
    async fn measured<T>(
        &self,
        function: &'static str,
        call: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, wit::StorageError> {
        let outcome = self.capabilities.measured("storage", function, call).await;
        outcome.map_err(|error| self.error(error))
    }

    /// Whether the organization's quota has room. The component only gets the error that the storage is full; the host
    /// notes which quota it was, and reports it.
    fn may_store(&self, is_new: bool, is_small: bool) -> Result<(), wit::StorageError> {
        self.usage.may_store(is_new, is_small).map_err(|exceeded| {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(exceeded);
            if self.usage.asks_after_a_refusal() {
                self.measure();
            }
            wit::StorageError::Full
        })
    }

    fn has_stored(&self, size: Size) {
        if self.usage.has_stored(size) {
            self.measure();
        }
    }

    fn measure(&self) {
        measure(Arc::clone(&self.capabilities.storage), self.organization.clone(), Arc::clone(self.usage));
    }

    fn error(&self, error: StorageError) -> wit::StorageError {
        match error {
            StorageError::Conflict(key) => wit::StorageError::Conflict(key),
            StorageError::Limit(key) => wit::StorageError::Limit(key),
            StorageError::TooLarge => wit::StorageError::TooLarge,
            StorageError::Unavailable(why) => {
                warn_hourly!("storage-unavailable"; organization = %self.organization,
                    "the storage is unavailable: {why}");
                wit::StorageError::Unavailable(why)
            }
            StorageError::Full(why) => {
                error_hourly!("storage-full"; organization = %self.organization,
                    "the storage is full; make room where the data is: {why}");
                wit::StorageError::Full
            }
            StorageError::Deleted => {
                // Another process has deleted the organization. This call ends at its next wait, with all other calls
                // of the organization.
                self.ended.cancel();
                wit::StorageError::Other("the organization was deleted".to_owned())
            }
            StorageError::Other(why) => {
                error_hourly!("storage-failed"; organization = %self.organization, "the storage failed: {why}");
                wit::StorageError::Other(why)
            }
        }
    }
}
