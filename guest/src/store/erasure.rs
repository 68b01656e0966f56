//! Erasures of persons that are under way, as far as they are stored.

use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Versioned, decode_entry, keys};
use crate::capability::{KeyRange, Page};

/// How many erasures can go through what is kept at once; those that only wait for their end are not counted.
pub const MOST_ERASURES: u32 = 100;

/// How many members of the same name are looked at.
const MOST_CALLED: u32 = 16;

/// What an erasure does now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureStage {
    /// It stops what waits to be delivered: emails and tokens.
    #[default]
    Waiting,
    /// It goes through events and the audit trail to find what else the person was called.
    Collect,
    /// It takes what it has found out of everything that is kept.
    Sweep,
    /// It waits until no request that was under way when it began can write any more, and sweeps what came since.
    Late,
    /// Nothing is left but the host's own copies.
    Done,
}

/// The erasure of a person. Stored as JSON under `erasure/{id}` until it has ended: while it lasts, it has to know whom to
/// look for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ErasureRecord {
    /// The member's id, or an id of its own for somebody who never was a member.
    pub id: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub began: u64,
    /// What names the person wherever it occurs: addresses, userNames, names. Short ones count as a whole only.
    pub names: Vec<String>,
    /// What identity providers call the person: it names the person where it is the whole of a value.
    pub external_ids: Vec<String>,
    /// Other values of the person: they say whom a filter looked for, and stand in other people's entries too.
    pub values: Vec<String>,
    /// What it does now.
    pub stage: ErasureStage,
    /// Which part of the organization's data it goes through now, in the order of its stage.
    pub part: usize,
    /// The last key of that part that it has looked at, as text; all keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many entries, events and emails it has changed or deleted.
    pub erased: u64,
    /// Whether the host has removed what it keeps itself.
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

    /// The ids of the live members whom this names: by userName, any email address, `externalId` or display name.
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

    /// The ids of the live members who have this email address, be it the primary one or another.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn ids_by_any_email(&self, address: &str) -> Result<Vec<String>, StoreError> {
        self.ids_in(keys::members_by_any_email(address))
    }

    /// The ids at the ends of the keys of an index, of the first few.
    fn ids_in(&self, range: KeyRange) -> Result<Vec<String>, StoreError> {
        let length = range.start.len() + keys::ID;
        let page = Page { range, reverse: false, skip: 0, limit: MOST_CALLED };
        let entries = self.scan_page(page)?.entries.into_iter().filter(|entry| entry.key.len() == length);
        Ok(entries.filter_map(|entry| keys::id_of(&entry.key)).collect())
    }

    /// Adds to the batch that the erasure stands so, if it still is of the version that was `seen`.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn put_erasure(&self, batch: &mut Batch, record: &ErasureRecord, seen: Option<u64>) -> Result<(), StoreError> {
        let key = keys::erasure(&record.id);
        batch.replace(key, seen, record)?;
        Ok(())
    }
}
