//! Cached rows and small ranges, by organization. What nobody has asked for lately makes room for what is asked for.

use std::collections::{BTreeMap, HashMap};

use super::ranges::{self, Ranges};
use crate::capability::storage::{Entry, Item, Key, KeyRange, Page, Scanned};

/// The most bytes that cached rows may take.
const MOST: usize = 16 << 20;
/// The largest value that is cached, in bytes.
const LARGEST: usize = 16 << 10;
/// The bytes that a row takes in addition to its key and its value, with its share of the tables.
const BESIDE: usize = 192;
/// The bytes that an organization takes of which something is cached: the first leaves of its two trees.
const OF_ORGANIZATION: usize = 1 << 10;
/// The most entries of a range that is cached. With [`LARGEST`] this keeps the cached pages of a scan far below
/// the most that a scan may return.
const ENTRIES: usize = 64;

/// Two shelves: the recent one is filled until it has half of all bytes, and then takes the place of the former one.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    recent: Shelf,
    /// The older rows and ranges: those that were in `recent` before. They are dropped when `recent` is full again,
    /// unless a read moves them there.
    former: Shelf,
    /// Dropped shelves, whose memory is freed later, when no one waits for the lock.
    gone: Vec<Shelf>,
}

/// What is cached, by organization.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    of: HashMap<i64, Own>,
    bytes: usize,
}

/// What is cached of one organization.
#[derive(Debug, Default)]
struct Own {
    /// Rows by key. An absent key is cached as well.
    rows: BTreeMap<Key, Option<Item>>,
    ranges: Ranges,
}

/// What a reader asks for: a key, or a page of a range.
pub(super) trait Query: Clone {
    /// The answer to the query.
    type Answer: Default;

    /// Whether an answer may be cached.
    fn can_be_kept(&self) -> bool;

    /// The cached answer.
    fn find(&self, shelves: &mut Shelves, number: i64) -> Option<Self::Answer>;

    /// Caches the answer, if it is small.
    fn put(&self, shelves: &mut Shelves, number: i64, answer: &Self::Answer);
}

impl Query for Key {
    type Answer = Option<Item>;

    fn can_be_kept(&self) -> bool {
        true
    }

    fn find(&self, shelves: &mut Shelves, number: i64) -> Option<Option<Item>> {
        shelves.find(number, self)
    }

    fn put(&self, shelves: &mut Shelves, number: i64, answer: &Option<Item>) {
        shelves.put(number, self, answer);
    }
}

impl Query for Page {
    type Answer = Scanned;

    fn can_be_kept(&self) -> bool {
        !self.reverse && self.skip == 0 && !self.range.is_empty()
    }

    fn find(&self, shelves: &mut Shelves, number: i64) -> Option<Scanned> {
        let entries = self.can_be_kept().then(|| shelves.find_range(number, &self.range)).flatten()?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        Some(Scanned { entries: entries.iter().take(limit).cloned().collect(), more: entries.len() > limit })
    }

    fn put(&self, shelves: &mut Shelves, number: i64, answer: &Scanned) {
        // Only a page that has all entries of its range is worth keeping.
        if self.can_be_kept() && !answer.more && answer.entries.len() <= ENTRIES {
            shelves.put_range(number, &self.range, answer.entries.clone());
        }
    }
}

impl Shelves {
    fn find(&mut self, number: i64, key: &Key) -> Option<Option<Item>> {
        if let Some(row) = self.recent.of.get(&number).and_then(|own| own.rows.get(key)) {
            return Some(row.clone());
        }
        let row = self.former.take(number, key)?;
        self.put(number, key, &row);
        Some(row)
    }

    /// All entries of the range, if they are cached.
    fn find_range(&mut self, number: i64, range: &KeyRange) -> Option<&Vec<Entry>> {
        if self.recent.entries(number, range).is_none() {
            let entries = self.former.entries(number, range)?.clone();
            self.former.drop_ranges(number, |ranges| ranges.remove(range));
            self.put_range(number, range, entries);
        }
        self.recent.entries(number, range)
    }

    fn put(&mut self, number: i64, key: &Key, item: &Option<Item>) {
        let bytes = size(key, item);
        if self.make_room(bytes) {
            self.recent.take(number, key);
            self.recent.bytes += bytes;
            self.recent.own(number).rows.insert(key.clone(), item.clone());
        }
    }

    fn put_range(&mut self, number: i64, range: &KeyRange, entries: Vec<Entry>) {
        let bytes = ranges::size(&range.start, &range.end, &entries);
        if self.make_room(bytes) {
            let replaced = self.recent.own(number).ranges.put(range.clone(), entries);
            self.recent.bytes = self.recent.bytes + bytes - replaced;
        }
    }

    /// Makes room for this many bytes, unless these are too many.
    fn make_room(&mut self, bytes: usize) -> bool {
        if bytes > LARGEST {
            return false;
        }
        if self.recent.bytes + bytes > MOST / 2 {
            let former = std::mem::replace(&mut self.former, std::mem::take(&mut self.recent));
            self.gone.push(former);
        }
        true
    }

    /// Drops the row of one key, and the range that contains it.
    pub(super) fn drop_key(&mut self, number: i64, key: &[u8]) {
        for shelf in [&mut self.recent, &mut self.former] {
            shelf.take(number, key);
            shelf.drop_ranges(number, |ranges| ranges.remove_around(key));
        }
    }

    /// Drops the rows of a range, and the ranges that overlap it.
    pub(super) fn drop_range(&mut self, number: i64, range: &KeyRange) {
        for shelf in [&mut self.recent, &mut self.former] {
            shelf.remove(number, range);
        }
    }

    /// Drops everything of an organization.
    pub(super) fn drop_all(&mut self, number: i64) {
        for shelf in [&mut self.recent, &mut self.former] {
            let Some(own) = shelf.of.remove(&number) else { continue };
            let rows = own.rows.iter().map(|(key, row)| size(key, row));
            shelf.bytes -= OF_ORGANIZATION + rows.sum::<usize>() + own.ranges.bytes();
        }
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.gone.extend([std::mem::take(&mut self.recent), std::mem::take(&mut self.former)]);
    }

    /// What was dropped as a whole. The caller frees its memory, which takes a while.
    pub(super) fn gone(&mut self) -> Vec<Shelf> {
        std::mem::take(&mut self.gone)
    }
}

impl Own {
    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.ranges.is_empty()
    }
}

impl Shelf {
    /// What is cached of the organization, for adding to it.
    fn own(&mut self, number: i64) -> &mut Own {
        self.of.entry(number).or_insert_with(|| {
            self.bytes += OF_ORGANIZATION;
            Own::default()
        })
    }

    fn entries(&self, number: i64, range: &KeyRange) -> Option<&Vec<Entry>> {
        self.of.get(&number)?.ranges.get(range)
    }

    fn take(&mut self, number: i64, key: &[u8]) -> Option<Option<Item>> {
        let (key, row) = self.of.get_mut(&number)?.rows.remove_entry(key)?;
        self.bytes -= size(&key, &row);
        self.forget_if_empty(number);
        Some(row)
    }

    fn remove(&mut self, number: i64, range: &KeyRange) {
        let Some(own) = self.of.get_mut(&number).filter(|_| !range.is_empty()) else { return };
        for (key, row) in own.rows.extract_if(range.start.clone()..range.end.clone(), |_, _| true) {
            self.bytes -= size(&key, &row);
        }
        self.drop_ranges(number, |ranges| ranges.remove(range));
    }

    /// Drops the ranges that `drop` removes; it returns the bytes that they took.
    fn drop_ranges(&mut self, number: i64, drop: impl FnOnce(&mut Ranges) -> usize) {
        let Some(own) = self.of.get_mut(&number) else { return };
        self.bytes -= drop(&mut own.ranges);
        self.forget_if_empty(number);
    }

    fn forget_if_empty(&mut self, number: i64) {
        if self.of.get(&number).is_some_and(Own::is_empty) {
            self.of.remove(&number);
            self.bytes -= OF_ORGANIZATION;
        }
    }
}

/// The memory of a row, in bytes.
fn size(key: &Key, row: &Option<Item>) -> usize {
    BESIDE + key.len() + row.as_ref().map_or(0, |item| item.value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_no_more_than_they_may_and_those_that_are_asked_for_stay() {
        let mut shelves = Shelves::default();
        let item = |length| Some(Item { value: vec![b'x'; length], version: 1 });
        let key = |number: usize| format!("user/{number}").into_bytes();
        shelves.put(1, &b"often".to_vec(), &item(10));
        for number in 0..40_000 {
            shelves.put(i64::try_from(number % 50).unwrap(), &key(number), &item(1_000));
            assert!(shelves.find(1, &b"often".to_vec()).is_some());
            assert!(shelves.recent.bytes + shelves.former.bytes <= MOST);
        }
        assert!(shelves.find(0, &key(0)).is_none(), "what nobody asks for goes");
        shelves.put(1, &b"large".to_vec(), &item(LARGEST));
        assert!(shelves.find(1, &b"large".to_vec()).is_none());
        for number in 0..50 {
            shelves.drop_all(number);
        }
        assert_eq!((shelves.recent.bytes, shelves.former.bytes), (0, 0), "what is counted is what is there");
        assert!(shelves.recent.of.is_empty() && shelves.former.of.is_empty());
    }
}
