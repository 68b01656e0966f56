//! The limits on the arguments and the answer of a storage call, and the checks of these limits.
//!
//! They keep a call of one organization from using up the memory or the time of all. Every backend makes these checks
//! before anything else, so that a call is refused in the same way everywhere.

use crate::capability::storage::{Change, Key, KeyRange, KeyValue, Page, StorageError, Transaction};

/// Longest key, in bytes: four times what the longest index key (an email of 254 bytes with a prefix
/// and an id) needs, and short enough that several fit on a page of any database.
pub const MAX_KEY: usize = 512;

/// Largest value, in bytes, of an item, a log entry or an outbox entry: as large as the largest
/// request for one resource.
pub const MAX_VALUE: usize = 1 << 20;

/// Keys in one `get`: a page of 1,000 resources with up to 20 keys each.
pub const MAX_GET_KEYS: usize = 20_000;

/// Bytes in the answer to one `get`. A call with a larger answer is refused, since half an answer would be useless.
pub const MAX_GET_BYTES: usize = 64 << 20;

/// Entries in one page of a scan.
pub const MAX_PAGE_ENTRIES: usize = 4_096;

/// Bytes in one page of a scan, keys and values. A page ends before the entry that would exceed it.
pub const MAX_PAGE_BYTES: usize = 4 << 20;

/// Pages in one `scan`: the teams of each of 1,000 members, and some more.
pub const MAX_PAGES: usize = 4_096;

/// Bytes in the answer to one `scan`. The page that would exceed the limit ends early, and the pages after it are
/// empty; the `more` of each says whether the caller must ask again.
pub const MAX_SCAN_BYTES: usize = 16 << 20;

/// Changes in one transaction, likewise requirements, and entries in one `append`. It is enough to replace all 100,000
/// members of a team by 100,000 others, with three changes for each member who leaves or joins.
pub const MAX_WRITES: usize = 650_000;

/// Bytes in one transaction or `append`, keys and values: [`MAX_WRITES`] with 115 bytes for each requirement and
/// change.
pub const MAX_TRANSACTION_BYTES: usize = 96 << 20;

/// Checks that a key is neither empty nor too long.
///
/// # Errors
/// [`StorageError::TooLarge`] if it is too long, [`StorageError::Other`] if it is empty.
pub fn check_key(key: &Key) -> Result<(), StorageError> {
    match key.len() {
        0 => Err(StorageError::Other("a key is empty".into())),
        1..=MAX_KEY => Ok(()),
        _ => Err(StorageError::TooLarge),
    }
}

/// Checks the ends of a range. They may be empty: an empty start means the beginning of the space, and an empty end
/// makes the range empty.
///
/// # Errors
/// [`StorageError::TooLarge`] if an end is longer than a key may be.
pub fn check_range(range: &KeyRange) -> Result<(), StorageError> {
    refuse_if(range.start.len() > MAX_KEY || range.end.len() > MAX_KEY)
}

/// Checks the arguments of `get`.
///
/// # Errors
/// As [`check_key`], and [`StorageError::TooLarge`] if there are too many keys.
pub fn check_get(keys: &[Key]) -> Result<(), StorageError> {
    refuse_if(keys.len() > MAX_GET_KEYS)?;
    keys.iter().try_for_each(check_key)
}

/// Checks the arguments of `scan`.
///
/// # Errors
/// As [`check_range`], and [`StorageError::TooLarge`] if there are too many pages.
pub fn check_scan(pages: &[Page]) -> Result<(), StorageError> {
    refuse_if(pages.len() > MAX_PAGES)?;
    pages.iter().try_for_each(|page| check_range(&page.range))
}

/// Checks the arguments of `commit`.
///
/// # Errors
/// As [`check_key`] and [`check_range`], and [`StorageError::TooLarge`] if there are too many
/// requirements, changes or bytes.
pub fn check_transaction(transaction: &Transaction) -> Result<(), StorageError> {
    refuse_if(transaction.conditions.len() > MAX_WRITES || transaction.changes.len() > MAX_WRITES)?;
    let mut bytes = 0;
    for require in &transaction.conditions {
        check_key(require.key())?;
        bytes += require.key().len();
    }
    for write in &transaction.changes {
        bytes += match write {
            Change::Put(KeyValue { key, value }) => check_put(key, value)?,
            Change::Delete(key) => check_key(key).map(|()| key.len())?,
            Change::DeleteRange(range) => check_range(range).map(|()| range.start.len() + range.end.len())?,
            Change::Add(add) => check_key(&add.key).map(|()| add.key.len())?,
        };
    }
    refuse_if(bytes > MAX_TRANSACTION_BYTES)
}

/// Checks the arguments of `append`, and returns their size in bytes.
///
/// # Errors
/// As [`check_key`], and [`StorageError::TooLarge`] if there are too many entries or bytes.
pub fn check_append(entries: &[(Key, Vec<u8>)]) -> Result<usize, StorageError> {
    refuse_if(entries.len() > MAX_WRITES)?;
    let mut bytes = 0;
    for (key, value) in entries {
        bytes += check_put(key, value)?;
    }
    refuse_if(bytes > MAX_TRANSACTION_BYTES).map(|()| bytes)
}

/// Checks a key and the value for it, and returns the size of both.
fn check_put(key: &Key, value: &[u8]) -> Result<usize, StorageError> {
    check_key(key)?;
    refuse_if(value.len() > MAX_VALUE)?;
    Ok(key.len() + value.len())
}

fn refuse_if(too_large: bool) -> Result<(), StorageError> {
    if too_large { Err(StorageError::TooLarge) } else { Ok(()) }
}

/// The space that is left in one page of a scan. Backends ask it before they add an entry.
#[derive(Debug)]
pub struct PageBudget {
    entries: usize,
    bytes: usize,
}

impl PageBudget {
    /// The budget of a page of at most `limit` entries, after the previous pages have used `taken` bytes.
    pub fn new(limit: u32, taken: usize) -> Self {
        let entries = usize::try_from(limit).unwrap_or(usize::MAX).min(MAX_PAGE_ENTRIES);
        Self { entries, bytes: MAX_SCAN_BYTES.saturating_sub(taken).min(MAX_PAGE_BYTES) }
    }

    /// Adds an entry of this size; `false` if the page ends before it.
    pub fn take(&mut self, bytes: usize) -> bool {
        if self.entries == 0 || bytes > self.bytes {
            return false;
        }
        self.entries -= 1;
        self.bytes -= bytes;
        true
    }
}
