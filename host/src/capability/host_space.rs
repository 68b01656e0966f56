//! The host's own space of a storage: the records of the host itself, beside the data of organizations.

use super::storage::{
    Change, Condition, Entry, Item, Key, KeyRange, OrganizationId, Page, Scanned, Storage, StorageError, Transaction,
    key_after,
};

/// How many entries are read at once.
const AT_ONCE: u32 = 1_000;

/// The host's own space of this storage.
#[derive(Clone, Copy)]
pub(crate) struct HostSpace<'s>(pub(crate) &'s dyn Storage);

impl HostSpace<'_> {
    /// The item of a key.
    pub(crate) async fn get(self, key: Key) -> Result<Option<Item>, StorageError> {
        Ok(self.get_all(vec![key]).await?.pop().flatten())
    }

    /// The items of keys, in the order of the keys.
    pub(crate) async fn get_all(self, keys: Vec<Key>) -> Result<Vec<Option<Item>>, StorageError> {
        self.0.get(&OrganizationId::host(), keys).await
    }

    /// The first entries of a range, in the order of their keys, and whether there are more.
    pub(crate) async fn scan(self, range: KeyRange, limit: u32) -> Result<Scanned, StorageError> {
        let page = Page::first(range, limit);
        Ok(self.0.scan(&OrganizationId::host(), vec![page]).await?.pop().unwrap_or_default())
    }

    /// All entries of a range, in the order of their keys.
    pub(crate) async fn all(self, mut range: KeyRange) -> Result<Vec<Entry>, StorageError> {
        let mut entries: Vec<Entry> = Vec::new();
        while !range.is_empty() {
            let scanned = self.scan(range.clone(), AT_ONCE).await?;
            entries.extend(scanned.entries);
            match entries.last().filter(|_| scanned.more) {
                Some(last) => range.start = key_after(last.key.clone()),
                None => break,
            }
        }
        Ok(entries)
    }

    /// Makes the changes.
    pub(crate) async fn change(self, changes: Vec<Change>) -> Result<(), StorageError> {
        self.commit(Vec::new(), changes).await.map(drop)
    }

    /// Makes the changes if the conditions hold, and returns their version.
    pub(crate) async fn commit(self, conditions: Vec<Condition>, changes: Vec<Change>) -> Result<u64, StorageError> {
        self.0.commit(&OrganizationId::host(), Transaction { conditions, changes, wake_at: None }).await
    }
}

/// The condition that a key is as it was found.
pub(crate) fn unchanged(key: Key, found: Option<&Item>) -> Condition {
    match found {
        Some(item) => Condition::version(key, item.version),
        None => Condition::Absent(key),
    }
}
