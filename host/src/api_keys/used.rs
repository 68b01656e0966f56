//! When a key was used last: noted in the background, and not by every request.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::record::{Found, encode};
use crate::capability::host_space::HostSpace;
use crate::capability::storage::{Change, Condition, Storage, StorageError};
use crate::hourly::warn_hourly;

/// How exactly it is noted, in milliseconds: of one key, a host writes once in this time.
const EXACT: u64 = 5 * 60 * 1000;

/// Notes when keys were used. A clone notes the same.
#[derive(Clone)]
pub(super) struct Used {
    storage: Arc<dyn Storage>,
    /// The records that are being written, so that a slow storage is not asked again by every request of the same key.
    writing: Arc<Mutex<HashSet<Vec<u8>>>>,
}

impl Used {
    pub(super) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, writing: Arc::default() }
    }

    /// Notes that the key was used now, unless that is known closely enough. Whoever calls does not wait for it.
    pub(super) fn note(&self, found: Found, now: u64) {
        let used = now - now % EXACT;
        if found.record.last_used.is_some_and(|last| last >= used) {
            return;
        }
        if !self.writing.lock().unwrap_or_else(PoisonError::into_inner).insert(found.at.clone()) {
            return;
        }
        let writing = Writing { all: self.writing.clone(), at: found.at.clone() };
        let storage = self.storage.clone();
        tokio::spawn(async move {
            let _writing = writing;
            match write(&*storage, found, used).await {
                Ok(()) | Err(StorageError::Conflict(_)) => {}
                // On a full disk the API can still be read.
                Err(error) => warn_hourly!("key-used"; "the last use of an API key can't be stored: {error}"),
            }
        });
    }
}

/// Only where the record still is as it was: a key that is being revoked stays revoked.
async fn write(storage: &dyn Storage, found: Found, used: u64) -> Result<(), StorageError> {
    let Found { at, mut record, version } = found;
    record.last_used = Some(used);
    let conditions = vec![Condition::version(at.clone(), version)];
    HostSpace(storage).commit(conditions, vec![Change::put(at, encode(&record)?)]).await.map(drop)
}

/// A record that is being written, until this is dropped.
struct Writing {
    all: Arc<Mutex<HashSet<Vec<u8>>>>,
    at: Vec<u8>,
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.at);
    }
}
