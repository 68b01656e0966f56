//! Reads the host's own records, which are stored as JSON.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::capability::host_space::unchanged;
use crate::capability::storage::{Condition, Item, Key, OrganizationId, StorageError};

/// How often a change is tried while others change the same record.
pub(super) const ATTEMPTS: u32 = 8;

/// The error for a record that can't be read or written.
pub(super) type Corrupt = fn(serde_json::Error) -> StorageError;

/// The record in the item of a key, and the condition that the item does not change.
pub(super) fn read<T: DeserializeOwned>(
    key: Key,
    item: Option<&Item>,
    corrupt: Corrupt,
) -> Result<(Option<T>, Condition), StorageError> {
    let record = item.map(|item| serde_json::from_slice(&item.value).map_err(corrupt)).transpose()?;
    Ok((record, unchanged(key, item)))
}

/// A record of one organization. A later organization of the same name does not get it.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct OfOrganization<T> {
    /// The generation of the organization: if an organization is deleted, the next one with its name has another
    /// generation.
    generation: u64,
    #[serde(flatten)]
    pub(super) value: T,
}

impl<T: Default + DeserializeOwned> OfOrganization<T> {
    /// Like [`read`]. The record is empty if there is none, or if it is that of an earlier organization of this name.
    pub(super) fn read(
        organization: &OrganizationId,
        key: Key,
        item: Option<&Item>,
        corrupt: Corrupt,
    ) -> Result<(Self, Condition), StorageError> {
        let generation = organization.generation();
        let (record, require) = read::<Self>(key, item, corrupt)?;
        let record = record.filter(|record| record.generation == generation);
        Ok((record.unwrap_or_else(|| Self { generation, value: T::default() }), require))
    }
}
