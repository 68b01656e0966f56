//! Counts the keys of a range. Only tests need this.

use crate::capability::storage::{KeyRange, OrganizationId, Page, Storage, StorageError, key_after};

/// The number of keys in the range. It costs what reading all of them costs.
///
/// # Errors
/// Those of a scan.
pub(crate) async fn count(
    storage: &dyn Storage,
    organization: &OrganizationId,
    mut range: KeyRange,
) -> Result<usize, StorageError> {
    let mut count = 0;
    loop {
        let page = Page::first(range.clone(), u32::MAX);
        let scanned = storage.scan(organization, vec![page]).await?.into_iter().next().unwrap_or_default();
        count += scanned.entries.len();
        match scanned.entries.into_iter().next_back() {
            Some(last) if scanned.more => range.start = key_after(last.key),
            _ => return Ok(count),
        }
    }
}
