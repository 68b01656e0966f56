//! The joint effect of a group of transactions, if none of them is refused: the form in which a group is sent.
//!
//! The database gets the sum of the group: what must be true before the first transaction so that all can succeed, and
//! the value of each key after the last one. A counter to which every transaction adds is therefore read and written
//! once, and one statement checks all requirements. If a requirement is not met, the database does nothing, and the
//! group is sent again as separate transactions.

use std::collections::{BTreeMap, HashMap};

use tokio_postgres::types::Type;

use super::change::{ABSENT, EXISTS, NetChange, Sum, is_in};
use super::pool::Parameter;

/// The sum of a group as arrays, the form in which the database takes it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Together<'c> {
    transactions: i32,
    wake_at: Option<i64>,
    /// The required keys, followed by the counters.
    looked_at: Vec<&'c [u8]>,
    version: Vec<Option<i64>>,
    delta: Vec<Option<String>>,
    low: Vec<Option<i64>>,
    high: Vec<Option<i64>>,
    /// The transaction that was the last to add, counted from 1; `None` if the sum is not the final value.
    added_by: Vec<Option<i32>>,
    range_start: Vec<&'c [u8]>,
    range_stop: Vec<&'c [u8]>,
    deleted: Vec<&'c [u8]>,
    put_key: Vec<&'c [u8]>,
    put_value: Vec<&'c [u8]>,
    /// The transaction that has put the value, counted from 1.
    put_by: Vec<i32>,
}

impl<'c> Together<'c> {
    /// The sum of the group; `None` if one of its transactions would certainly be refused after the earlier ones, or if
    /// the sum is too complex to be computed here.
    pub(super) fn of(changes: &[&'c NetChange]) -> Option<Self> {
        if let [only] = changes {
            return Some(Self::alone(only));
        }
        let mut group = Group::default();
        for change in changes {
            group.add(change)?;
        }
        Some(group.sum())
    }

    fn alone(change: &'c NetChange) -> Self {
        let mut all = Self { transactions: 1, wake_at: change.wake_at, ..Self::default() };
        for (key, version) in &change.require {
            all.look_at(key, Some(*version), None);
        }
        for sum in &change.sums {
            all.look_at(&sum.key, None, Some(Counter::first(sum, 1)));
        }
        (all.range_start, all.range_stop) =
            change.ranges.iter().map(|(start, end)| (start.as_slice(), end.as_slice())).unzip();
        all.deleted = change.deleted.iter().map(Vec::as_slice).collect();
        (all.put_key, all.put_value) = change.put.iter().map(|(key, value)| (key.as_slice(), value.as_slice())).unzip();
        all.put_by = vec![1; all.put_key.len()];
        all
    }

    /// The arrays as parameters of the database function.
    pub(super) fn parameters(&self) -> Vec<Parameter<'_>> {
        let (bytes, numbers, ends) = (Type::BYTEA_ARRAY, Type::INT8_ARRAY, Type::INT4_ARRAY);
        vec![
            (&self.transactions, Type::INT4),
            (&self.wake_at, Type::INT8),
            (&self.looked_at, bytes.clone()),
            (&self.version, numbers.clone()),
            (&self.delta, Type::TEXT_ARRAY),
            (&self.low, numbers.clone()),
            (&self.high, numbers),
            (&self.added_by, ends.clone()),
            (&self.range_start, bytes.clone()),
            (&self.range_stop, bytes.clone()),
            (&self.deleted, bytes.clone()),
            (&self.put_key, bytes.clone()),
            (&self.put_value, bytes),
            (&self.put_by, ends),
        ]
    }
}

/// A group while its transactions are being added up.
#[derive(Default)]
struct Group<'c> {
    transactions: i32,
    wake_at: Option<i64>,
    required: Vec<(&'c [u8], i64)>,
    counters: Vec<Counter<'c>>,
    /// Start and end of the deleted ranges, which neither overlap nor touch.
    ranges: BTreeMap<&'c [u8], &'c [u8]>,
    /// The known state of the keys that were written.
    written: HashMap<&'c [u8], Written<'c>>,
    /// The keys in the order of their first write, so that the group is the same each time it is sent.
    keys: Vec<&'c [u8]>,
}

#[derive(Clone, Copy)]
enum Written<'c> {
    Put(&'c [u8], i32),
    /// The value of the counter with this index.
    Sum(usize),
    Deleted,
}

/// The additions to the value that a counter has before the group.
struct Counter<'c> {
    key: &'c [u8],
    delta: i128,
    low: i128,
    high: i128,
    /// The transaction that was the last to add; `None` if the sum is not the final value.
    last: Option<i32>,
}

impl<'c> Counter<'c> {
    fn first(sum: &'c Sum, by: i32) -> Self {
        let (low, high) = (sum.low.into(), sum.high.into());
        Self { key: &sum.key, delta: sum.delta, low, high, last: sum.is_kept.then_some(by) }
    }
}

impl<'c> Group<'c> {
    fn add(&mut self, change: &'c NetChange) -> Option<()> {
        self.transactions += 1;
        self.wake_at = [self.wake_at, change.wake_at].into_iter().flatten().min();
        for (key, version) in &change.require {
            match (self.is_there(key), *version) {
                (None, version) => self.required.push((key, version)),
                (Some(true), EXISTS) | (Some(false), ABSENT) => {}
                // The key's version comes from this group, so no transaction can have read it.
                _ => return None,
            }
        }
        for sum in &change.sums {
            self.sum_up(sum)?;
        }
        // Earlier transactions may have put keys in the range, which would have to be undone.
        if !change.ranges.is_empty() && self.transactions > 1 {
            return None;
        }
        self.ranges.extend(change.ranges.iter().map(|(start, end)| (start.as_slice(), end.as_slice())));
        for key in &change.deleted {
            self.write(key, Written::Deleted);
        }
        for (key, value) in &change.put {
            self.write(key, Written::Put(value, self.transactions));
        }
        Some(())
    }

    /// Whether the key has a value after the transactions so far; `None` if it is unchanged since before the group.
    fn is_there(&self, key: &[u8]) -> Option<bool> {
        match self.written.get(key) {
            Some(Written::Put(..) | Written::Sum(_)) => Some(true),
            Some(Written::Deleted) => Some(false),
            None => is_in(&self.ranges, key).then_some(false),
        }
    }

    fn sum_up(&mut self, sum: &'c Sum) -> Option<()> {
        if sum.low > sum.high {
            return None;
        }
        let next = Counter::first(sum, self.transactions);
        match self.written.get(sum.key.as_slice()).copied() {
            Some(Written::Sum(place)) => {
                let counter = self.counters.get_mut(place)?;
                counter.low = counter.low.max(next.low - counter.delta);
                counter.high = counter.high.min(next.high - counter.delta);
                counter.delta += next.delta;
                counter.last = next.last;
                (counter.low <= counter.high).then_some(())
            }
            Some(_) => None,
            None if is_in(&self.ranges, &sum.key) => None,
            None => {
                self.counters.push(next);
                if sum.is_kept {
                    self.write(&sum.key, Written::Sum(self.counters.len() - 1));
                }
                Some(())
            }
        }
    }

    fn write(&mut self, key: &'c [u8], what: Written<'c>) {
        match self.written.insert(key, what) {
            None => self.keys.push(key),
            // The put overwrites all additions.
            Some(Written::Sum(place)) => {
                if let Some(counter) = self.counters.get_mut(place) {
                    counter.last = None;
                }
            }
            Some(_) => {}
        }
    }

    fn sum(self) -> Together<'c> {
        let mut all = Together { transactions: self.transactions, wake_at: self.wake_at, ..Together::default() };
        for (key, version) in self.required {
            all.look_at(key, Some(version), None);
        }
        for counter in self.counters {
            all.look_at(counter.key, None, Some(counter));
        }
        (all.range_start, all.range_stop) = self.ranges.into_iter().unzip();
        for key in self.keys {
            match self.written.get(key) {
                Some(Written::Deleted) => all.deleted.push(key),
                Some(Written::Put(value, by)) => {
                    all.put_key.push(key);
                    all.put_value.push(value);
                    all.put_by.push(*by);
                }
                Some(Written::Sum(_)) | None => {}
            }
        }
        all
    }
}

impl<'c> Together<'c> {
    fn look_at(&mut self, key: &'c [u8], version: Option<i64>, counter: Option<Counter<'_>>) {
        self.looked_at.push(key);
        self.version.push(version);
        let bound = |bound: i128| i64::try_from(bound).ok();
        // A bound below or above all integers can't be met by any value.
        let bounds = counter.as_ref().map(|counter| bound(counter.low).zip(bound(counter.high)).unwrap_or((1, 0)));
        self.low.push(bounds.map(|(low, _)| low));
        self.high.push(bounds.map(|(_, high)| high));
        self.added_by.push(counter.as_ref().and_then(|counter| counter.last));
        self.delta.push(counter.map(|counter| counter.delta.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::storage::{BoundedAdd, Change, Condition, KeyRange, Transaction};

    fn change(conditions: Vec<Condition>, changes: Vec<Change>) -> NetChange {
        NetChange::of(Transaction { conditions, changes, wake_at: None })
    }

    fn put(key: &str, value: &str) -> Change {
        Change::put(key.into(), value.into())
    }

    fn add(key: &str, delta: i64, max: Option<i64>) -> Change {
        Change::Add(BoundedAdd { key: key.into(), delta, min: None, max })
    }

    fn sum(changes: &[NetChange]) -> Option<Together<'_>> {
        Together::of(&changes.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_counter_is_looked_at_once_and_within_the_bounds_of_all() {
        let one = |max| change(vec![], vec![add("n", 2, max)]);
        let group = [one(Some(9)), one(None), one(Some(9))];
        let all = sum(&group).unwrap();
        assert_eq!((all.looked_at, all.delta), (vec![&b"n"[..]], vec![Some("6".to_owned())]));
        assert_eq!((all.high, all.added_by), (vec![Some(3)], vec![Some(3)]), "3 + 6 is 9");
        let extremes = [change(vec![], vec![add("n", -1, None)]), change(vec![], vec![add("n", 1, None)])];
        let all = sum(&extremes).unwrap();
        assert_eq!((all.low, all.high), (vec![Some(i64::MIN + 1)], vec![Some(i64::MAX)]));
    }

    #[test]
    fn of_a_key_that_several_write_the_last_write_is_sent_with_its_transaction() {
        let group = [
            change(vec![], vec![put("a", "1"), put("b", "1"), put("c", "1"), add("n", 1, None)]),
            change(vec![], vec![put("a", "2"), Change::Delete("b".into()), Change::Delete("d".into())]),
            change(vec![], vec![put("d", "3"), put("n", "7")]),
        ];
        let all = sum(&group).unwrap();
        assert_eq!(all.put_key, [&b"n"[..], b"a", b"c", b"d"]);
        assert_eq!((all.put_value, all.put_by), (vec![&b"7"[..], b"2", b"1", b"3"], vec![3, 2, 1, 3]));
        assert_eq!(all.deleted, [b"b"]);
        assert_eq!(all.added_by, [None], "what was added is checked, and then overwritten");
    }

    #[test]
    fn what_an_earlier_transaction_makes_hold_is_not_looked_at() {
        let group = [
            change(vec![Condition::Absent("a".into())], vec![put("a", "1"), add("n", 1, None)]),
            change(
                vec![Condition::Exists("a".into()), Condition::Exists("n".into())],
                vec![Change::Delete("a".into())],
            ),
            change(vec![Condition::Absent("a".into()), Condition::Exists("z".into())], vec![put("a", "3")]),
        ];
        let all = sum(&group).unwrap();
        assert_eq!(all.looked_at, [&b"a"[..], b"z", b"n"]);
        assert_eq!(all.version, [Some(ABSENT), Some(EXISTS), None]);
    }

    #[test]
    fn a_group_of_which_one_is_known_to_be_refused_is_not_added_up() {
        let takes = || change(vec![Condition::Absent("a".into())], vec![put("a", "1")]);
        assert_eq!(sum(&[takes(), takes()]), None, "two take one name");
        let read = || change(vec![Condition::version("a".into(), 5)], vec![put("a", "1")]);
        assert_eq!(sum(&[read(), read()]), None, "two change what both have read");
        let gone = change(vec![], vec![Change::Delete("a".into())]);
        assert_eq!(sum(&[gone, change(vec![Condition::Exists("a".into())], vec![])]), None);
        let most = || change(vec![], vec![add("n", i64::MAX, None)]);
        assert_eq!(sum(&[most(), most(), most()]), None, "no value has room for all");
        let never = change(vec![], vec![put("n", "5"), add("n", 1, Some(5))]);
        assert_eq!(sum(&[takes(), never]), None);
        let alone = [change(vec![], vec![put("n", "5"), add("n", 1, Some(5))])];
        let all = sum(&alone).unwrap();
        assert!(all.low > all.high, "one alone is told by the database what is refused");
    }

    #[test]
    fn a_range_is_deleted_before_all_else_or_the_group_is_not_added_up() {
        let range = || Change::DeleteRange(KeyRange { start: "m".into(), end: "n".into() });
        let first = [change(vec![], vec![range()]), change(vec![Condition::Absent("m1".into())], vec![put("m1", "1")])];
        let all = sum(&first).unwrap();
        assert_eq!((all.range_start, all.looked_at.len(), all.put_key), (vec![&b"m"[..]], 0, vec![&b"m1"[..]]));
        assert_eq!(sum(&[change(vec![], vec![put("m1", "1")]), change(vec![], vec![range()])]), None);
        assert_eq!(sum(&[change(vec![], vec![range()]), change(vec![], vec![add("m2", 1, None)])]), None);
    }
}
