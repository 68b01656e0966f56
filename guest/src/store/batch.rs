//! A transaction that is being put together.

use serde::Serialize;

use super::{StoreError, encode};
use crate::capability::{BoundedAdd, Change, Condition, Key, KeyRange, Transaction};

/// The requirements and the changes of one transaction. A handler collects them and commits them at its end.
#[derive(Clone, Debug, Default)]
pub struct Batch(Transaction);

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the batch changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.changes.is_empty()
    }

    pub(crate) fn require_exists(&mut self, key: Key) {
        self.0.conditions.push(Condition::Exists(key));
    }

    pub(crate) fn require_absent(&mut self, key: Key) {
        self.0.conditions.push(Condition::Absent(key));
    }

    /// Requires that the key has not changed since it was read: it has this version, or is absent.
    pub(crate) fn require_unchanged(&mut self, key: Key, version: Option<u64>) {
        self.0.conditions.push(match version {
            Some(version) => Condition::version(key, version),
            None => Condition::Absent(key),
        });
    }

    /// Puts the record as JSON, if the key has not changed since it was `seen`: it has this version, or is absent.
    ///
    /// # Errors
    /// If the record can't be encoded.
    pub(crate) fn replace<T: Serialize>(&mut self, key: Key, seen: Option<u64>, record: &T) -> Result<(), StoreError> {
        self.require_unchanged(key.clone(), seen);
        self.put(key, encode(record)?);
        Ok(())
    }

    /// Deletes the key, if it has not changed since it was `seen`.
    pub(crate) fn remove(&mut self, key: Key, seen: Option<u64>) {
        self.require_unchanged(key.clone(), seen);
        self.delete(key);
    }

    pub(crate) fn put(&mut self, key: Key, value: Vec<u8>) {
        self.0.changes.push(Change::put(key, value));
    }

    pub(crate) fn delete(&mut self, key: Key) {
        self.0.changes.push(Change::Delete(key));
    }

    pub(crate) fn delete_range(&mut self, range: KeyRange) {
        self.0.changes.push(Change::DeleteRange(range));
    }

    /// Whether the batch puts this key.
    pub(crate) fn puts(&self, key: &[u8]) -> bool {
        self.0.changes.iter().any(|change| matches!(change, Change::Put(put) if put.key == key))
    }

    /// Adds to a counter. A bound is only checked if the sum moves towards it.
    pub(crate) fn add(&mut self, key: Key, delta: i64, min: Option<i64>, max: Option<i64>) {
        if delta != 0 {
            self.0.changes.push(Change::Add(BoundedAdd {
                key,
                delta,
                min: min.filter(|_| delta < 0),
                max: max.filter(|_| delta > 0),
            }));
        }
    }

    /// Makes the jobs run at `time` (milliseconds since the Unix epoch) at the latest.
    pub fn wake_at(&mut self, time: u64) {
        self.0.wake_at = Some(self.0.wake_at.map_or(time, |earlier| earlier.min(time)));
    }

    pub(super) fn into_transaction(self) -> Transaction {
        self.0
    }
}
