//! The stored state of erasures of persons that are in progress.

use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Versioned, decode_entry, keys};
use crate::capability::{KeyRange, Page};

/// How many erasures may search the stored data at the same time. Those that only wait for their end are not counted.
pub const MOST_ERASURES: u32 = 100;

/// How many members of the same name are examined.
const MOST_CALLED: u32 = 16;

/// The steps of an erasure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureStage {
    /// It removes the person's emails and tokens that wait to be delivered.
    #[default]
    Waiting,
    /// It searches events and the audit trail for other names of the person.
    Collect,
    /// It removes the names that it has found from all stored data.
    Sweep,
    /// It waits until requests that were running when it began can no longer write, and then sweeps what was written
    /// since.
    Late,
    /// The store is clean; only the host's own copies are left.
    Done,
}

/// The erasure of a person. Stored as JSON under `erasure/{id}` until it has ended, since it must know the names for
/// which it searches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ErasureRecord {
    /// The member's id, or a new id if the person never was a member.
    pub id: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub began: u64,
    /// Texts that mean the person wherever they occur: addresses, userNames, names. Short ones only count if they are a
    /// whole value.
    pub names: Vec<String>,
    /// The `externalId`s of the person. They mean the person if they are a whole value.
    pub external_ids: Vec<String>,
    /// Other values of the person. They show for whom a filter has searched, but other people may have the same values.
    pub values: Vec<String>,
    /// The step that the erasure is at.
    pub stage: ErasureStage,
    /// Which part of the organization's data it searches now, in the order of its step.
    pub part: usize,
    /// The last key of that part that it has examined, as text (all keys are text).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many entries, events and emails it has changed or deleted.
    pub erased: u64,
    /// Whether the host has removed the copies that it keeps itself.
    pub is_acknowledged: bool,
}

impl Store<'_> {
    /// The erasure with this id.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn erasure(&self, id: &str) -> Result<Option<Versioned<ErasureRecord>>, StoreError> {
        if keys::is_id(id) { self.document(&keys::erasure(id)) } else { Ok(None) }
    }

    /// All erasures that are under way.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn erasures(&self) -> Result<Vec<Versioned<ErasureRecord>>, StoreError> {
        let mut erasures = Vec::new();
        self.scan_all(keys::erasures(), |entry| {
            erasures.push(decode_entry(&entry)?);
            Ok(true)
        })?;
        Ok(erasures)
    }

    /// The ids of the existing members with this userName, email address, `externalId` or display name.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn ids_called(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let unique = [self.id_by_user_name(name)?, self.id_by_email(name)?];
        let mut ids: Vec<String> = unique.into_iter().flatten().collect();
        ids.extend(self.ids_by_any_email(name)?);
        ids.extend(self.ids_in(keys::Kind::User.external_ids(name))?);
        ids.extend(self.ids_in(keys::displays(name))?);
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The ids of the existing members who have this email address, primary or not.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn ids_by_any_email(&self, address: &str) -> Result<Vec<String>, StoreError> {
        self.ids_in(keys::members_by_any_email(address))
    }

    /// The ids with which the first few keys of an index range end.
    fn ids_in(&self, range: KeyRange) -> Result<Vec<String>, StoreError> {
        let length = range.start.len() + keys::ID;
        let page = Page::first(range, MOST_CALLED);
        let entries = self.scan_page(page)?.entries.into_iter().filter(|entry| entry.key.len() == length);
        Ok(entries.filter_map(|entry| keys::id_of(&entry.key)).collect())
    }

    /// Adds the erasure's new state to the batch, if its version has not changed since it was `seen`.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn put_erasure(&self, batch: &mut Batch, record: &ErasureRecord, seen: Option<u64>) -> Result<(), StoreError> {
        let key = keys::erasure(&record.id);
        batch.replace(key, seen, record)?;
        Ok(())
    }
}
