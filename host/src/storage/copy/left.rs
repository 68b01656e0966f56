//! What an earlier copy, which was broken off, has left of one organization, beside what the source sends of it now.
//!
//! Both come in the order of their keys, so that each page of the source is laid beside the items that are there: what is the
//! same stays as it is, what differs or is missing is put, and what the source does not have any more is deleted.

use std::collections::VecDeque;

use super::{Entry, Key, PAGE_ITEMS, StorageError, Target};

/// The items that are there and have not been compared yet.
pub(super) struct Left {
    /// Those that were read ahead.
    page: VecDeque<Entry>,
    /// The last one that was read.
    last: Key,
    /// There are no others behind those.
    is_all_read: bool,
}

impl Left {
    /// Nothing was left.
    pub(super) fn nothing() -> Self {
        Self { page: VecDeque::new(), last: Key::new(), is_all_read: true }
    }

    /// Something was left, which is yet to be read.
    pub(super) fn something() -> Self {
        Self { is_all_read: false, ..Self::nothing() }
    }

    /// Makes what is there, from where the page before ended up to the end of this page of the source, to this page. Returns
    /// how many of its items were there already.
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

    /// Deletes what is behind the last item of the source.
    pub(super) async fn remove_rest(mut self, target: &mut dyn Target) -> Result<(), StorageError> {
        while self.next(target).await?.is_some() {
            let delete = self.page.drain(..).map(|gone| gone.key).collect();
            target.change(Vec::new(), delete).await?;
        }
        Ok(())
    }

    /// The first item that has not been compared.
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
