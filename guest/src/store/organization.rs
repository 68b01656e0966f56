//! What the backend told about the organization.

use insomnia_scim_contract::OrganizationRecord;

use super::{Batch, Store, StoreError, Versioned, encode, keys};

impl Store<'_> {
    /// The organization, or `None` if the backend has not told yet.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn organization(&self) -> Result<Option<Versioned<OrganizationRecord>>, StoreError> {
        self.document(keys::ORGANIZATION)
    }

    /// Keeps what the backend tells.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn put_organization(&self, record: &OrganizationRecord) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.wake_at(self.now());
        batch.put(keys::ORGANIZATION.to_vec(), encode(record)?);
        self.commit(batch).map(drop)
    }
}
