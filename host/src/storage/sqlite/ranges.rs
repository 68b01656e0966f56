//! Cached ranges of one organization: all entries of each, in their order.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::capability::storage::{Entry, Key, KeyRange};

/// The bytes that an entry takes in addition to its key and its value.
const BESIDE: usize = 64;

/// Ranges that do not overlap, so that a key belongs to one of them at most.
#[derive(Debug, Default)]
pub(super) struct Ranges(BTreeMap<Key, Cached>);

/// A cached range, without its start.
#[derive(Debug)]
struct Cached {
    end: Key,
    entries: Vec<Entry>,
}

impl Ranges {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The memory of all ranges, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|(start, cached)| size(start, &cached.end, &cached.entries)).sum()
    }

    /// The entries of exactly this range.
    pub(super) fn get(&self, range: &KeyRange) -> Option<&Vec<Entry>> {
        self.0.get(&range.start).filter(|cached| cached.end == range.end).map(|cached| &cached.entries)
    }

    /// Caches the range in place of those that overlap it, and returns the bytes that these took.
    pub(super) fn put(&mut self, range: KeyRange, entries: Vec<Entry>) -> usize {
        let bytes = self.remove(&range);
        self.0.insert(range.start, Cached { end: range.end, entries });
        bytes
    }

    /// Drops the range that contains the key, and returns the bytes that it took.
    pub(super) fn remove_around(&mut self, key: &[u8]) -> usize {
        let before = self.0.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back();
        let around = before.filter(|(_, cached)| key < cached.end.as_slice()).map(|(start, _)| start.clone());
        around.map_or(0, |start| self.remove_from(&start))
    }

    /// Drops the ranges that overlap this one, and returns the bytes that they took.
    pub(super) fn remove(&mut self, range: &KeyRange) -> usize {
        if range.is_empty() {
            return 0;
        }
        let around = self.remove_around(&range.start);
        let within = self.0.extract_if(range.start.clone()..range.end.clone(), |_, _| true);
        around + within.map(|(start, cached)| size(&start, &cached.end, &cached.entries)).sum::<usize>()
    }

    fn remove_from(&mut self, start: &Key) -> usize {
        self.0.remove(start).map_or(0, |cached| size(start, &cached.end, &cached.entries))
    }
}

/// The memory of a cached range, in bytes.
pub(super) fn size(start: &Key, end: &Key, entries: &[Entry]) -> usize {
    let entries = entries.iter().map(|entry| BESIDE + entry.key.len() + entry.value.len());
    2 * BESIDE + start.len() + end.len() + entries.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &str, end: &str) -> KeyRange {
        KeyRange { start: start.into(), end: end.into() }
    }

    fn starts(ranges: &Ranges) -> Vec<&str> {
        ranges.0.keys().map(|start| std::str::from_utf8(start).unwrap()).collect()
    }

    #[test]
    fn a_range_gives_way_to_a_change_in_it_and_to_one_that_overlaps_it() {
        let mut ranges = Ranges::default();
        for (start, end) in [("a", "c"), ("c", "e"), ("g", "k")] {
            assert_eq!(ranges.put(range(start, end), Vec::new()), 0);
        }
        assert!(ranges.get(&range("a", "c")).is_some());
        assert!(ranges.get(&range("a", "b")).is_none(), "it is another range");
        for outside in ["", "e", "f", "k", "z"] {
            assert_eq!(ranges.remove_around(outside.as_bytes()), 0, "{outside}");
        }
        for (inside, left) in [("c", vec!["a", "g"]), ("bzz", vec!["g"])] {
            assert!(ranges.remove_around(inside.as_bytes()) > 0);
            assert_eq!(starts(&ranges), left);
        }
        ranges.put(range("a", "c"), Vec::new());
        ranges.put(range("b", "h"), Vec::new());
        assert_eq!(starts(&ranges), ["b"]);
        ranges.put(range("x", "z"), Vec::new());
        ranges.remove(&range("h", "x"));
        assert_eq!(starts(&ranges), ["b", "x"], "the neighbours do not overlap it");
        ranges.remove(&range("a", "y"));
        assert!(ranges.is_empty());
    }

    #[test]
    fn what_is_dropped_took_as_many_bytes_as_it_added() {
        let mut ranges = Ranges::default();
        let entry = Entry { key: b"a/1".to_vec(), value: vec![0; 100], version: 1 };
        ranges.put(range("a/", "a0"), vec![entry; 3]);
        let bytes = ranges.bytes();
        assert!(bytes > 300);
        assert_eq!((ranges.remove_around(b"a/2"), ranges.bytes()), (bytes, 0));
    }
}
