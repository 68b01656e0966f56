//! Storage: one organization's ordered, transactional key-value space.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// 1 to 512 bytes, ordered bytewise.
pub type Key = Vec<u8>;

/// The first possible key after this one.
#[must_use]
pub fn key_after(mut key: Key) -> Key {
    key.push(0);
    key
}

/// A stored value and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Item {
    /// At most 1 MiB; it may be empty.
    pub value: Vec<u8>,
    /// The version of the transaction that wrote it. Versions grow in the organization's whole life.
    pub version: u64,
}

/// An item with its key, as a scan returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Entry {
    /// The key.
    pub key: Key,
    /// The value.
    pub value: Vec<u8>,
    /// The version of the transaction that wrote it.
    pub version: u64,
}

impl Entry {
    /// The item without its key.
    #[must_use]
    pub fn into_item(self) -> Item {
        Item { value: self.value, version: self.version }
    }
}

/// A key and the value to put there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct KeyValue {
    /// The key.
    pub key: Key,
    /// The value: at most 1 MiB.
    pub value: Vec<u8>,
}

impl KeyValue {
    /// Puts the value at the key.
    #[must_use]
    pub const fn new(key: Key, value: Vec<u8>) -> Self {
        Self { key, value }
    }
}

/// A key, and the version that its value must have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct KeyVersion {
    /// The key.
    pub key: Key,
    /// The version of its value.
    pub version: u64,
}

/// The keys with `start <= key < end`. Empty if `start >= end`. An empty `start` is the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct KeyRange {
    /// The first key that may be in the range.
    pub start: Key,
    /// The first key after the range.
    pub end: Key,
}

impl KeyRange {
    /// All keys that begin with this text.
    #[must_use]
    pub fn beginning_with(prefix: &str) -> Self {
        let mut end = prefix.as_bytes().to_vec();
        // No byte of a text is 255, so there is always a next one.
        if let Some(last) = end.last_mut() {
            *last += 1;
        }
        Self { start: prefix.into(), end }
    }

    /// Whether no key can be in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.start >= self.end
    }
}

/// Selects entries of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Page {
    /// The keys to read.
    pub range: KeyRange,
    /// Whether to read from the end of the range towards its start.
    pub reverse: bool,
    /// How many entries to skip first.
    pub skip: u32,
    /// The most entries to return. The host limits entries and bytes further.
    pub limit: u32,
}

impl Page {
    /// The first entries of the range, in the order of their keys.
    #[must_use]
    pub const fn first(range: KeyRange, limit: u32) -> Self {
        Self { range, reverse: false, skip: 0, limit }
    }
}

/// A page of entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Scanned {
    /// The entries, in the order of the page.
    pub entries: Vec<Entry>,
    /// Whether the range has entries after the last one returned (or after the skipped ones, if none was returned).
    pub more: bool,
}

/// A condition for a transaction. It is checked before any of the changes takes effect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum Condition {
    /// The key has a value.
    #[cfg_attr(feature = "host", component(name = "exists"))]
    Exists(Key),
    /// The key has no value.
    #[cfg_attr(feature = "host", component(name = "absent"))]
    Absent(Key),
    /// The key has a value of this version. This is never true for an absent key.
    #[cfg_attr(feature = "host", component(name = "version"))]
    Version(KeyVersion),
}

impl Condition {
    /// The condition that the key has a value of this version.
    #[must_use]
    pub const fn version(key: Key, version: u64) -> Self {
        Self::Version(KeyVersion { key, version })
    }

    /// The key of the condition. A conflict names it.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Exists(key) | Self::Absent(key) | Self::Version(KeyVersion { key, .. }) => key,
        }
    }

    /// Whether the condition is met by a key that has a value of this version, or no value.
    #[must_use]
    pub fn holds(&self, version: Option<u64>) -> bool {
        match self {
            Self::Exists(_) => version.is_some(),
            Self::Absent(_) => version.is_none(),
            Self::Version(wanted) => version == Some(wanted.version),
        }
    }
}

/// Adds to a counter. Additions to one counter commute and never conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct BoundedAdd {
    /// The counter's key.
    pub key: Key,
    /// The number to add.
    pub delta: i64,
    /// The transaction fails with [`StorageError::Limit`] if the sum is less.
    pub min: Option<i64>,
    /// The transaction fails with [`StorageError::Limit`] if the sum is more.
    pub max: Option<i64>,
}

impl BoundedAdd {
    /// The counter's value after the addition. The value before is a decimal integer in ASCII (`-`
    /// and digits, within 64 bits); an absent one counts as 0.
    ///
    /// # Errors
    /// [`StorageError::Limit`] if the sum leaves its bounds or 64 bits, [`StorageError::Other`] if
    /// the value before is no such integer.
    pub fn apply(&self, before: Option<&[u8]>) -> Result<Vec<u8>, StorageError> {
        let number = match before {
            None => 0,
            Some(text) => decimal(text).ok_or_else(|| {
                StorageError::Other(format!("the value at {} is not a decimal integer", self.key.escape_ascii()))
            })?,
        };
        number
            .checked_add(self.delta)
            .filter(|sum| self.min.is_none_or(|min| *sum >= min) && self.max.is_none_or(|max| *sum <= max))
            .map(|sum| sum.to_string().into_bytes())
            .ok_or_else(|| StorageError::Limit(self.key.clone()))
    }
}

/// The integer that the text is, without the `+` that Rust's own parser would take.
fn decimal(text: &[u8]) -> Option<i64> {
    if text.starts_with(b"+") {
        return None;
    }
    str::from_utf8(text).ok()?.parse().ok()
}

/// One change of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum Change {
    /// Sets the key's value.
    #[cfg_attr(feature = "host", component(name = "put"))]
    Put(KeyValue),
    /// Removes the key; nothing happens if it is absent.
    #[cfg_attr(feature = "host", component(name = "delete"))]
    Delete(Key),
    /// Removes all keys of the range.
    #[cfg_attr(feature = "host", component(name = "delete-range"))]
    DeleteRange(KeyRange),
    /// Adds to a counter.
    #[cfg_attr(feature = "host", component(name = "add"))]
    Add(BoundedAdd),
}

impl Change {
    /// Sets the key's value.
    #[must_use]
    pub const fn put(key: Key, value: Vec<u8>) -> Self {
        Self::Put(KeyValue { key, value })
    }
}

/// Conditions and changes that take effect together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Transaction {
    /// The conditions on the state before the transaction. The first one that is not met is reported.
    pub conditions: Vec<Condition>,
    /// The changes. They take effect in this order, each seeing those before it.
    pub changes: Vec<Change>,
    /// The organization is due at this time (milliseconds since the Unix epoch) or earlier. If an earlier time is set already,
    /// that stays.
    #[cfg_attr(feature = "host", component(name = "wake-at"))]
    pub wake_at: Option<u64>,
}

/// Why a call was refused. Nothing has been written, except that this is uncertain after [`StorageError::Unavailable`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum StorageError {
    /// A condition on this key was not met. Read again and decide again.
    #[error("a condition on the key {} did not hold", .0.escape_ascii())]
    #[cfg_attr(feature = "host", component(name = "conflict"))]
    Conflict(Key),
    /// The counter at this key would leave its bounds.
    #[error("the counter {} would leave its bounds", .0.escape_ascii())]
    #[cfg_attr(feature = "host", component(name = "limit"))]
    Limit(Key),
    /// A key, a value, or the whole call is larger than the host accepts.
    #[error("a key, a value, or the whole call is too large")]
    #[cfg_attr(feature = "host", component(name = "too-large"))]
    TooLarge,
    /// The storage can't be reached or is overloaded. The same call may succeed later. This is the only error after which a
    /// commit may have taken place, if the connection broke in the middle.
    #[error("the storage is unavailable: {0}")]
    #[cfg_attr(feature = "host", component(name = "unavailable"))]
    Unavailable(String),
    /// The storage is full: nothing can be written until the operator makes room. Stored data can be read.
    #[error("the storage is full")]
    #[cfg_attr(feature = "host", component(name = "full"))]
    Full,
    /// Any other error; the text is for the host's log.
    #[error("the storage failed: {0}")]
    #[cfg_attr(feature = "host", component(name = "other"))]
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn add_refuses_what_is_no_decimal_integer() {
        let add = BoundedAdd { key: b"n".to_vec(), delta: 1, min: None, max: None };
        for text in ["", "+1", " 1", "1.0", "x", "9223372036854775808"] {
            assert!(matches!(add.apply(Some(text.as_bytes())), Err(StorageError::Other(_))), "{text:?}");
        }
        assert_eq!(add.apply(Some(b"-1")), Ok(b"0".to_vec()));
        assert_eq!(add.apply(Some(b"9223372036854775807")), Err(StorageError::Limit(b"n".to_vec())));
    }
}
