//! The net effect of a transaction: the form in which it is sent to the database.
//!
//! A transaction's changes take effect in their order. The database only gets their result: first the deleted ranges,
//! then the deleted keys, then the puts. It does no work that a later change would undo, and can check all counters
//! before it changes anything.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

use crate::capability::storage::{
    BoundedAdd, Change, Condition, Key, KeyRange, KeyValue, KeyVersion, StorageError, Transaction,
};

/// Stands for a version in a requirement that the key must have any value.
pub(super) const EXISTS: i64 = -1;
/// Stands for a version in a requirement that the key must have no value.
pub(super) const ABSENT: i64 = -2;

/// A transaction in the form in which it is sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct NetChange {
    /// The required keys, with the version that each must have.
    pub(super) require: Vec<(Key, i64)>,
    pub(super) sums: Vec<Sum>,
    /// The deleted ranges. No two of them overlap or touch.
    pub(super) ranges: Vec<(Key, Key)>,
    pub(super) deleted: Vec<Key>,
    pub(super) put: Vec<(Key, Vec<u8>)>,
    pub(super) wake_at: Option<i64>,
    /// The error to report if the limit at this key fails. An addition to a value that the same transaction has put is
    /// already known to fail, but the database must check the requirements first.
    pub(super) failure: Option<(Key, StorageError)>,
}

/// An addition to the value that a counter has before the transaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) key: Key,
    /// The sum of the additions. It may need 65 bits, and more together with other transactions.
    pub(super) delta: i128,
    /// The transaction fails unless the counter's former value is between `low` and `high`. If `low > high`, every
    /// value fails.
    pub(super) low: i64,
    pub(super) high: i64,
    /// Whether the counter has this sum after the transaction.
    pub(super) is_kept: bool,
}

impl NetChange {
    /// The puts of an append.
    pub(super) fn append(entries: Vec<(Key, Vec<u8>)>) -> Self {
        let last: BTreeMap<Key, Vec<u8>> = entries.into_iter().collect();
        Self { put: last.into_iter().collect(), ..Self::default() }
    }

    /// The net effect of a transaction.
    pub(super) fn of(transaction: Transaction) -> Self {
        let mut slots = Slots::default();
        let mut failure = None;
        for write in transaction.changes {
            if let Err(failed) = slots.write(write) {
                failure = Some(failed);
                break;
            }
        }
        let mut change = Self {
            require: transaction.conditions.into_iter().map(required).collect(),
            wake_at: transaction.wake_at.map(super::to_integer),
            ranges: slots.ranges.into_iter().collect(),
            ..Self::default()
        };
        let mut sums = Vec::new();
        for (key, slot) in slots.of {
            if let Some(chain) = slot.chain {
                sums.push((chain.place, chain.sum(key.clone(), matches!(slot.last, Last::Stored))));
            }
            match slot.last {
                Last::Stored | Last::DeletedWithRange => {}
                Last::Deleted => change.deleted.push(key),
                Last::Put(value) => change.put.push((key, value)),
            }
        }
        sums.sort_by_key(|(place, _)| *place);
        change.sums.extend(sums.into_iter().map(|(_, sum)| sum));
        if let Some((key, error)) = failure {
            change.sums.push(Sum { key: key.clone(), delta: 0, low: 1, high: 0, is_kept: false });
            change.failure = Some((key, error));
        }
        change
    }

    /// How many rows it reads and writes.
    pub(super) fn rows(&self) -> usize {
        self.require.len() + self.sums.len() + self.ranges.len() + self.deleted.len() + self.put.len()
    }

    /// The bytes of its keys and values.
    pub(super) fn bytes(&self) -> usize {
        let put: usize = self.put.iter().map(|(key, value)| key.len() + value.len()).sum();
        let required: usize = self.require.iter().map(|(key, _)| key.len()).sum();
        put + required + self.deleted.iter().map(Vec::len).sum::<usize>()
    }

    /// The error for a limit that failed at this key.
    pub(super) fn limit(&self, key: Key) -> StorageError {
        match &self.failure {
            Some((failed, error)) if *failed == key => error.clone(),
            _ => StorageError::Limit(key),
        }
    }
}

fn required(require: Condition) -> (Key, i64) {
    match require {
        Condition::Exists(key) => (key, EXISTS),
        Condition::Absent(key) => (key, ABSENT),
        Condition::Version(KeyVersion { key, version }) => (key, super::to_integer(version)),
    }
}

/// The final state of each key.
#[derive(Default)]
struct Slots {
    of: BTreeMap<Key, Slot>,
    /// Start and end of the deleted ranges, which neither overlap nor touch.
    ranges: BTreeMap<Key, Key>,
    place: usize,
}

struct Slot {
    chain: Option<Chain>,
    last: Last,
}

/// The final state of a key.
enum Last {
    /// The stored value with the additions.
    Stored,
    Put(Vec<u8>),
    Deleted,
    /// The key is in a deleted range.
    DeletedWithRange,
}

impl Slots {
    /// Applies the next change. The error is that of an addition to a known value.
    fn write(&mut self, write: Change) -> Result<(), (Key, StorageError)> {
        self.place += 1;
        match write {
            Change::Put(KeyValue { key, value }) => self.slot(key).last = Last::Put(value),
            Change::Delete(key) => {
                let slot = self.slot(key);
                if !matches!(slot.last, Last::DeletedWithRange) {
                    slot.last = Last::Deleted;
                }
            }
            Change::DeleteRange(range) => self.delete(range),
            Change::Add(add) => self.add(&add).map_err(|error| (add.key, error))?,
        }
        Ok(())
    }

    fn slot(&mut self, key: Key) -> &mut Slot {
        let covered = &self.ranges;
        self.of.entry(key).or_insert_with_key(|key| {
            let last = if is_in(covered, key) { Last::DeletedWithRange } else { Last::Stored };
            Slot { chain: None, last }
        })
    }

    fn add(&mut self, add: &BoundedAdd) -> Result<(), StorageError> {
        let place = self.place;
        let slot = self.slot(add.key.clone());
        let before = match &slot.last {
            Last::Stored => {
                slot.chain.get_or_insert_with(|| Chain::at(place)).push(add);
                return Ok(());
            }
            Last::Put(value) => Some(value.as_slice()),
            Last::Deleted | Last::DeletedWithRange => None,
        };
        slot.last = Last::Put(add.apply(before)?);
        Ok(())
    }

    fn delete(&mut self, range: KeyRange) {
        if range.is_empty() {
            return;
        }
        let bounds = (Bound::Included(range.start.clone()), Bound::Excluded(range.end.clone()));
        for (_, slot) in self.of.range_mut(bounds) {
            slot.last = Last::DeletedWithRange;
        }
        // Ranges that touch are merged.
        let KeyRange { mut start, mut end } = range;
        while let Some((first, last)) = self.ranges.range(..=end.clone()).next_back() {
            if *last < start {
                break;
            }
            let (first, last) = (first.clone(), last.clone());
            self.ranges.remove(&first);
            start = start.min(first);
            end = end.max(last);
        }
        self.ranges.insert(start, end);
    }
}

/// Whether the key is in one of the ranges, which neither overlap nor touch.
pub(super) fn is_in<K: Borrow<[u8]> + Ord>(ranges: &BTreeMap<K, K>, key: &[u8]) -> bool {
    let up_to = (Bound::Unbounded, Bound::Included(key));
    ranges.range::<[u8], _>(up_to).next_back().is_some_and(|(_, end)| key < end.borrow())
}

/// Additions to a stored value, one after the other.
struct Chain {
    /// The index of the first addition among the changes.
    place: usize,
    /// The sum of the additions.
    delta: i128,
    /// Every intermediate sum is within its bounds if the counter's former value is between these.
    low: i128,
    high: i128,
}

impl Chain {
    fn at(place: usize) -> Self {
        Self { place, delta: 0, low: i64::MIN.into(), high: i64::MAX.into() }
    }

    /// 128 bits can't overflow, since there are far too few additions for that.
    fn push(&mut self, add: &BoundedAdd) {
        self.delta += i128::from(add.delta);
        let (min, max) = (add.min.unwrap_or(i64::MIN), add.max.unwrap_or(i64::MAX));
        self.low = self.low.max(i128::from(min) - self.delta);
        self.high = self.high.min(i128::from(max) - self.delta);
    }

    fn sum(&self, key: Key, is_kept: bool) -> Sum {
        let bounds =
            if self.low <= self.high { i64::try_from(self.low).ok().zip(i64::try_from(self.high).ok()) } else { None };
        let (low, high) = bounds.unwrap_or((1, 0));
        Sum { key, delta: self.delta, low, high, is_kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn k(text: &str) -> Key {
        text.into()
    }

    fn put(key: &str, value: &str) -> Change {
        Change::put(k(key), k(value))
    }

    fn range(start: &str, end: &str) -> Change {
        Change::DeleteRange(KeyRange { start: k(start), end: k(end) })
    }

    fn add(key: &str, delta: i64, min: Option<i64>, max: Option<i64>) -> Change {
        Change::Add(BoundedAdd { key: k(key), delta, min, max })
    }

    fn change(changes: Vec<Change>) -> NetChange {
        NetChange::of(Transaction { changes, ..Transaction::default() })
    }

    #[test]
    fn of_the_changes_of_a_key_the_last_counts() {
        let change =
            change(vec![put("a", "1"), put("b", "1"), Change::Delete(k("a")), put("b", "2"), Change::Delete(k("c"))]);
        assert_eq!(change.put, [(k("b"), k("2"))]);
        assert_eq!(change.deleted, [k("a"), k("c")]);
    }

    #[test]
    fn what_is_put_before_its_range_is_deleted_is_not_sent_and_what_is_put_after_is() {
        let change = change(vec![put("m1", "1"), range("m", "n"), put("m2", "2"), Change::Delete(k("m3"))]);
        assert_eq!(change.ranges, [(k("m"), k("n"))]);
        assert_eq!(change.put, [(k("m2"), k("2"))]);
        assert!(change.deleted.is_empty());
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let ranges = |write| change(write).ranges;
        let joined =
            vec![range("a", "c"), range("x", "z"), range("c", "d"), range("b", "b"), range("d", "x"), range("y", "zz")];
        assert_eq!(ranges(joined), [(k("a"), k("zz"))]);
        let apart = vec![range("x", "z"), range("a", "c"), range("b", "d")];
        assert_eq!(ranges(apart), [(k("a"), k("d")), (k("x"), k("z"))]);
        assert_eq!(ranges(vec![range("a", "z"), range("c", "d")]), [(k("a"), k("z"))]);
    }

    #[test]
    fn additions_to_what_is_stored_are_one_with_the_bounds_of_all() {
        let change = change(vec![add("n", 2, None, Some(5)), add("n", -3, Some(-1), None), add("m", 1, None, None)]);
        let [n, m] = change.sums.as_slice() else { panic!("{change:?}") };
        assert_eq!((n.key.clone(), n.delta, n.low, n.high, n.is_kept), (k("n"), -1, 0, 3, true));
        assert_eq!((m.delta, m.low, m.high), (1, i64::MIN, i64::MAX - 1));
    }

    #[test]
    fn additions_to_what_the_transaction_has_put_are_made_here() {
        let values = |write| change(write).put;
        assert_eq!(values(vec![put("n", "41"), add("n", 1, None, None)]), [(k("n"), k("42"))]);
        assert_eq!(values(vec![Change::Delete(k("n")), add("n", 1, None, None)]), [(k("n"), k("1"))]);
        assert_eq!(values(vec![range("m", "o"), add("n", 2, None, Some(2))]), [(k("n"), k("2"))]);
        let checked = change(vec![add("n", 1, None, Some(9)), put("n", "5")]);
        assert_eq!((checked.sums[0].high, checked.sums[0].is_kept), (8, false), "it is checked, and then overwritten");
    }

    #[test]
    fn an_addition_that_is_known_to_fail_fails_after_the_requirements() {
        let over = change(vec![add("m", 1, None, None), put("n", "5"), add("n", 1, None, Some(5)), put("o", "1")]);
        let last = over.sums.last().unwrap();
        assert_eq!((last.key.clone(), last.low > last.high), (k("n"), true));
        assert_eq!(over.limit(k("n")), StorageError::Limit(k("n")));
        let no_integer = change(vec![put("n", "x"), add("n", 1, None, None)]);
        assert!(matches!(no_integer.limit(k("n")), StorageError::Other(_)));
        let never = change(vec![add("n", 1, Some(5), None), add("n", 1, None, Some(5))]);
        assert!(never.sums[0].low > never.sums[0].high);
    }
}
