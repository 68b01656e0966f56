//! A cache for documents that every request reads and that seldom change: they are parsed again only if their bytes
//! differ.

use std::cell::RefCell;

use serde::de::DeserializeOwned;

use super::{StoreError, Versioned, decode};
use crate::capability::Item;

/// The document that was read last, and its bytes. The cached document is used if the stored bytes are equal, even if
/// another organization's store asks.
pub(super) struct Memo<T>(RefCell<Option<(Vec<u8>, T)>>);

impl<T: Clone + DeserializeOwned> Memo<T> {
    pub(super) const fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// Reads the document that is stored at the key.
    ///
    /// # Errors
    /// [`StoreError::Broken`] if it is not such a document.
    pub(super) fn decode(&self, key: &[u8], item: Item) -> Result<Versioned<T>, StoreError> {
        if let Some((bytes, record)) = self.0.borrow().as_ref()
            && *bytes == item.value
        {
            return Ok(Versioned { record: record.clone(), version: item.version });
        }
        let decoded = decode::<T>(key, &item)?;
        self.0.replace(Some((item.value, decoded.record.clone())));
        Ok(decoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_the_one_that_is_stored_and_not_the_one_read_before() {
        let memo = Memo::<Vec<u32>>::new();
        let read = |value: &str, version| memo.decode(b"key", Item { value: value.into(), version });
        for (value, version, expected) in
            [("[1]", 1, vec![1]), ("[2]", 2, vec![2]), ("[2]", 3, vec![2]), ("[]", 1, vec![])]
        {
            let read = read(value, version).unwrap();
            assert_eq!((read.record, read.version), (expected, version));
        }
        assert!(matches!(read("[", 4), Err(StoreError::Broken(_))));
        assert_eq!(read("[2]", 5).unwrap().record, [2]);
    }
}
