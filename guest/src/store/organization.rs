//! The data that the backend sent about the organization.

use insomnia_scim_contract::OrganizationRecord;

use super::census::Census;
use super::form::StoredOrganization;
use super::memo::Memo;
use super::{Batch, Store, StoreError, Versioned, keys};

thread_local! {
    static LAST: Memo<StoredOrganization> = const { Memo::new() };
}

/// The organization with how far the count of its marked members has come.
#[derive(Clone, Debug)]
pub struct CountedOrganization {
    /// The organization.
    pub record: OrganizationRecord,
    /// `None` if no count was ever started.
    pub census: Option<Census>,
    /// The version of both.
    pub version: u64,
}

impl Store<'_> {
    /// The organization, or `None` if the backend has not sent it yet.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn organization(&self) -> Result<Option<Versioned<OrganizationRecord>>, StoreError> {
        let stored = self.counted_organization()?;
        Ok(stored.map(|stored| Versioned { record: stored.record, version: stored.version }))
    }

    /// Like [`Store::organization`], with the progress of the count of its marked members.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn counted_organization(&self) -> Result<Option<CountedOrganization>, StoreError> {
        let item = self.item(keys::ORGANIZATION.to_vec())?;
        let stored = item.map(|item| LAST.with(|last| last.decode(keys::ORGANIZATION, item))).transpose()?;
        Ok(stored.map(|Versioned { record: StoredOrganization { record, census }, version }| CountedOrganization {
            record,
            census,
            version,
        }))
    }

    /// Adds the organization's new record to the batch, if its version has not changed since it was `seen`.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn put_organization(
        &self,
        batch: &mut Batch,
        seen: Option<u64>,
        record: OrganizationRecord,
        census: Option<Census>,
    ) -> Result<(), StoreError> {
        batch.replace(keys::ORGANIZATION.to_vec(), seen, &StoredOrganization { record, census })?;
        Ok(())
    }
}
