//! Compares what an interrupted earlier copy has left of one organization with what the source sends now.
//!
//! Both come in the order of their keys, so each page of the source is compared with the items in the target. Equal
//! items stay, items that differ or are missing are put, and items that the source no longer has are deleted.

use std::collections::VecDeque;

use super::{Entry, Key, PAGE_ITEMS, StorageError, Target};

/// The target's items that were not compared yet.
pub(super) struct Left {
    /// The items that were read ahead.
    page: VecDeque<Entry>,
    /// The key of the last item that was read.
    last: Key,
    /// Whether all items were read.
    is_all_read: bool,
}

impl Left {
    /// An earlier copy has left nothing.
    pub(super) fn nothing() -> Self {
        Self { page: VecDeque::new(), last: Key::new(), is_all_read: true }
    }

    /// An earlier copy has left items, which must still be read.
    pub(super) fn something() -> Self {
        Self { is_all_read: false, ..Self::nothing() }
    }

    /// Makes the target's items equal to this page of the source, in the range from the end of the previous page to the
    /// end of this one. Returns how many items were already equal.
    pub(super) async fn bring_up_to_date(
        &mut self,
        target: &mut dyn Target,
        items: Vec<Entry>,
    ) -> Result<u64, StorageError> {
        let (mut put, mut delete, mut same) = (Vec::new(), Vec::new(), 0);
        for item in items {
            let mut is_same = false;
            while let Some(there) = self.next(target).await? {
                let (is_before, is_it) = (there.key < item.key, *there == item);
                if !is_before && there.key != item.key {
                    break;
                }
                let there = self.page.pop_front();
                if !is_before {
                    is_same = is_it;
                    break;
                }
                delete.extend(there.map(|there| there.key));
                if delete.len() >= PAGE_ITEMS {
                    target.change(Vec::new(), std::mem::take(&mut delete)).await?;
                }
            }
            if is_same {
                same += 1;
            } else {
                put.push(item);
            }
        }
        if !put.is_empty() || !delete.is_empty() {
            target.change(put, delete).await?;
        }
        Ok(same)
    }

    /// Deletes the items after the last item of the source.
    pub(super) async fn remove_rest(mut self, target: &mut dyn Target) -> Result<(), StorageError> {
        while self.next(target).await?.is_some() {
            let delete = self.page.drain(..).map(|gone| gone.key).collect();
            target.change(Vec::new(), delete).await?;
        }
        Ok(())
    }

    /// The first item that was not compared yet.
    async fn next(&mut self, target: &mut dyn Target) -> Result<Option<&Entry>, StorageError> {
        if self.page.is_empty() && !self.is_all_read {
            self.page = target.after(&self.last).await?.into();
            match self.page.back() {
                Some(entry) => self.last.clone_from(&entry.key),
                None => self.is_all_read = true,
            }
        }
        Ok(self.page.front())
    }
}
