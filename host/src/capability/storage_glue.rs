//! The place of [`super::storage`] in `wit/storage.wit`: each call goes to the organization that the instance is bound to.

use tokio_util::sync::CancellationToken;
use wasmtime::component::{HasData, Linker};

use super::Capabilities;
use super::schedule::LONGEST_PAUSE;
use super::storage::{
    BoundedAdd, Entry, Item, KeyRange, OrganizationId, Page, Require, Scanned, StorageError, Transaction, Write,
};
use crate::component::InstanceState;
use crate::component::bindings::insomnia::scim::storage as wit;

/// What the interface needs of a call.
pub(crate) struct StorageView<'a> {
    organization: &'a OrganizationId,
    capabilities: &'a Capabilities,
    ended: &'a CancellationToken,
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
    })
}

impl wit::Host for StorageView<'_> {
    async fn get(&mut self, keys: Vec<wit::Key>) -> Result<Vec<Option<wit::Item>>, wit::StorageError> {
        let items = self.capabilities.storage.get(self.organization, keys).await.map_err(|e| self.error(e))?;
        Ok(items.into_iter().map(|item| item.map(|Item { value, version }| wit::Item { value, version })).collect())
    }

    async fn scan(&mut self, pages: Vec<wit::Page>) -> Result<Vec<wit::Scanned>, wit::StorageError> {
        let pages = pages
            .into_iter()
            .map(|page| Page { range: range(page.range), reverse: page.reverse, skip: page.skip, limit: page.limit })
            .collect();
        let scanned = self.capabilities.storage.scan(self.organization, pages).await.map_err(|e| self.error(e))?;
        let entry = |Entry { key, value, version }| wit::Entry { key, value, version };
        Ok(scanned
            .into_iter()
            .map(|Scanned { entries, more }| wit::Scanned { entries: entries.into_iter().map(entry).collect(), more })
            .collect())
    }

    async fn commit(&mut self, transaction: wit::Transaction) -> Result<u64, wit::StorageError> {
        // A call for no organization ends as others do, and writes nothing.
        if self.organization.is_nobody() {
            return Ok(0);
        }
        // The host asks by then anyhow, and what lies further ahead would be taken for the time of a clock that was wrong.
        let latest = self.capabilities.clock.now().saturating_add(LONGEST_PAUSE);
        let wake_at = transaction.wake_at.map(|at| at.min(latest));
        let transaction = Transaction {
            require: transaction.conditions.into_iter().map(require).collect(),
            write: transaction.changes.into_iter().map(write).collect(),
            wake_at,
        };
        let version =
            self.capabilities.storage.commit(self.organization, transaction).await.map_err(|e| self.error(e))?;
        if let Some(time) = wake_at {
            self.capabilities.alarm.set(time);
        }
        Ok(version)
    }

    async fn append(&mut self, entries: Vec<wit::KeyValue>) -> Result<(), wit::StorageError> {
        if self.organization.is_nobody() {
            return Ok(());
        }
        let entries = entries.into_iter().map(|entry| (entry.key, entry.value)).collect();
        self.capabilities.storage.append(self.organization, entries).await.map_err(|e| self.error(e))
    }
}

impl StorageView<'_> {
    fn error(&self, error: StorageError) -> wit::StorageError {
        match error {
            StorageError::Conflict(key) => wit::StorageError::Conflict(key),
            StorageError::Limit(key) => wit::StorageError::Limit(key),
            StorageError::TooLarge => wit::StorageError::TooLarge,
            StorageError::Unavailable(why) => {
                tracing::warn!(organization = %self.organization, "the storage is unavailable: {why}");
                wit::StorageError::Unavailable(why)
            }
            StorageError::Full(why) => {
                tracing::error!(organization = %self.organization, "the storage is full; make room where the data is: {why}");
                wit::StorageError::Full
            }
            StorageError::Deleted => {
                // Another process has deleted it. The call ends where it waits next, with all others of this organization.
                self.ended.cancel();
                wit::StorageError::Other("the organization was deleted".to_owned())
            }
            StorageError::Other(why) => {
                tracing::error!(organization = %self.organization, "the storage failed: {why}");
                wit::StorageError::Other(why)
            }
        }
    }
}

fn range(range: wit::KeyRange) -> KeyRange {
    KeyRange { start: range.start, end: range.end }
}

fn require(condition: wit::Condition) -> Require {
    match condition {
        wit::Condition::Exists(key) => Require::Exists(key),
        wit::Condition::Absent(key) => Require::Absent(key),
        wit::Condition::Version(wit::KeyVersion { key, version }) => Require::Version(key, version),
    }
}

fn write(change: wit::Change) -> Write {
    match change {
        wit::Change::Put(wit::KeyValue { key, value }) => Write::Put(key, value),
        wit::Change::Delete(key) => Write::Delete(key),
        wit::Change::DeleteRange(keys) => Write::DeleteRange(range(keys)),
        wit::Change::Add(wit::BoundedAdd { key, delta, min, max }) => Write::Add(BoundedAdd { key, delta, min, max }),
    }
}
