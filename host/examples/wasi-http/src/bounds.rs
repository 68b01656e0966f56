//! The limits of `wit/storage.wit`. A larger call is refused before anything is read.

use insomnia_scim_contract::{Change, KeyRange, KeyValue, Page, StorageError, Transaction};

const KEY_BYTES: usize = 512;
const VALUE_BYTES: usize = 1 << 20;
const GET_KEYS: usize = 20_000;
/// The most bytes of values in the answer of one `get`.
pub(crate) const GET_BYTES: usize = 64 << 20;
const SCAN_PAGES: usize = 4_096;
/// The most bytes of keys and values in the answer of one `scan`.
pub(crate) const SCAN_BYTES: usize = 16 << 20;
/// The most entries of one page.
pub(crate) const PAGE_ENTRIES: usize = 4_096;
/// The most bytes of keys and values in one page.
pub(crate) const PAGE_BYTES: usize = 4 << 20;
const COMMIT_PARTS: usize = 650_000;
const COMMIT_BYTES: usize = 96 << 20;

/// Refuses a `get` that is too large.
pub(crate) fn check_get(keys: &[Vec<u8>]) -> Result<(), StorageError> {
    at_most(keys.len(), GET_KEYS)?;
    keys.iter().try_for_each(|key| check_key(key))
}

/// Refuses a `scan` that is too large.
pub(crate) fn check_scan(pages: &[Page]) -> Result<(), StorageError> {
    at_most(pages.len(), SCAN_PAGES)?;
    pages.iter().try_for_each(|page| check_range(&page.range))
}

/// Refuses an `append` that is too large.
pub(crate) fn check_append(entries: &[KeyValue]) -> Result<(), StorageError> {
    at_most(entries.len(), COMMIT_PARTS)?;
    entries.iter().try_for_each(check_entry)?;
    at_most(entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum(), COMMIT_BYTES)
}

/// Refuses a `commit` that is too large.
pub(crate) fn check_commit(transaction: &Transaction) -> Result<(), StorageError> {
    at_most(transaction.conditions.len(), COMMIT_PARTS)?;
    at_most(transaction.changes.len(), COMMIT_PARTS)?;
    let mut size = 0;
    for condition in &transaction.conditions {
        check_key(condition.key())?;
        size += condition.key().len();
    }
    for change in &transaction.changes {
        size += match change {
            Change::Put(entry) => {
                check_entry(entry)?;
                entry.key.len() + entry.value.len()
            }
            Change::Delete(key) => {
                check_key(key)?;
                key.len()
            }
            Change::DeleteRange(range) => {
                check_range(range)?;
                range.start.len() + range.end.len()
            }
            Change::Add(add) => {
                check_key(&add.key)?;
                add.key.len()
            }
        };
    }
    at_most(size, COMMIT_BYTES)
}

fn check_key(key: &[u8]) -> Result<(), StorageError> {
    at_most(key.len(), KEY_BYTES)?;
    if key.is_empty() { Err(StorageError::Other("a key is empty".into())) } else { Ok(()) }
}

fn check_entry(entry: &KeyValue) -> Result<(), StorageError> {
    check_key(&entry.key)?;
    at_most(entry.value.len(), VALUE_BYTES)
}

fn check_range(range: &KeyRange) -> Result<(), StorageError> {
    at_most(range.start.len(), KEY_BYTES)?;
    at_most(range.end.len(), KEY_BYTES)
}

fn at_most(size: usize, most: usize) -> Result<(), StorageError> {
    if size > most { Err(StorageError::TooLarge) } else { Ok(()) }
}
