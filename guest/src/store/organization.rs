//! What the backend told about the organization.

use insomnia_scim_contract::OrganizationRecord;

use super::form::StoredOrganization;
use super::memo::Memo;
use super::{Batch, Store, StoreError, Versioned, encode, keys};

thread_local! {
    static LAST: Memo<StoredOrganization> = const { Memo::new() };
}

impl Store<'_> {
    /// The organization, or `None` if the backend has not told yet.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn organization(&self) -> Result<Option<Versioned<OrganizationRecord>>, StoreError> {
        let item = self.item(keys::ORGANIZATION.to_vec())?;
        let stored = item.map(|item| LAST.with(|last| last.decode(keys::ORGANIZATION, item))).transpose()?;
        Ok(stored.map(|stored| Versioned { record: stored.record.0, version: stored.version }))
    }

    /// Keeps what the backend tells.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn put_organization(&self, record: &OrganizationRecord) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.wake_at(self.now());
        batch.put(keys::ORGANIZATION.to_vec(), encode(&StoredOrganization(record.clone()))?);
        self.commit(batch).map(drop)
    }
}
