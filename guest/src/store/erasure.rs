//! Erasures of persons that are under way, as far as they are stored.

use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Versioned, decode, encode, keys};
use crate::capability::{Item, Page};

/// How many erasures can be under way at once.
pub const MOST_ERASURES: u32 = 100;

/// What an erasure does now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErasureStage {
    /// It goes through events and the audit trail to find what else the person was called.
    #[default]
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
    /// What names the person wherever it occurs: addresses, userNames, names.
    pub names: Vec<String>,
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
        let page = Page { range: keys::erasures(), reverse: false, skip: 0, limit: MOST_ERASURES };
        let entries = self.scan_page(page)?.entries.into_iter();
        entries.map(|entry| decode(&entry.key, &Item { value: entry.value, version: entry.version })).collect()
    }

    /// Adds to the batch that the erasure stands so, if it still is of the version that was `seen`.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn put_erasure(&self, batch: &mut Batch, record: &ErasureRecord, seen: Option<u64>) -> Result<(), StoreError> {
        let key = keys::erasure(&record.id);
        batch.require_unchanged(key.clone(), seen);
        batch.put(key, encode(record)?);
        Ok(())
    }
}
