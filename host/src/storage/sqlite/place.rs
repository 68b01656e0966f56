//! Decides in which table a key is kept: in the table of all keys in order, or in that of groups, next to keys that are
//! written together with it.
//!
//! A commit writes whole pages, so its cost depends on how many pages its rows are on. In the order of keys, each row
//! of a new member is on a page of its own: the keys of a userName, of an email address and of a name card are far
//! apart, because their prefixes name their purpose. Such keys are kept in a second table, without their prefixes and
//! in groups: keys that are found by a text, keys of a member, counters, keys of a team. The rows of one new member are
//! neighbours there, so fewer pages are written.
//!
//! Reading a range of keys of a group must skip the other keys between them. For this reason a group only has keys that
//! are read one at a time or value by value, such as cards, and keys that nearly every member has, such as userNames.
//! Long ranges with few keys (such as the members whom SCIM manages, if they are few) stay in the ordered table.
//!
//! This is no part of the contract: a key has the same meaning in either table, and keys that are not listed here are
//! kept in order. A range of keys is read segment by segment, and the segments follow each other in the order of the
//! keys.

use crate::capability::storage::KeyRange;

/// A range of keys that are kept in the same way. It ends where the next one begins.
struct Stretch {
    /// The first possible key of the stretch.
    start: &'static [u8],
    group: Option<Group>,
}

/// The properties that all keys of a stretch in a group share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The number of the group. Neighbouring groups share a page if one of them is small.
    pub(super) number: i64,
    /// Distinguishes keys that are equal without their prefixes.
    pub(super) kind: i64,
    /// The prefix of all these keys.
    pub(super) beginning: &'static [u8],
}

const fn alone(start: &'static [u8]) -> Stretch {
    Stretch { start, group: None }
}

const fn grouped(start: &'static [u8], number: i64, kind: i64, beginning: &'static [u8]) -> Stretch {
    Stretch { start, group: Some(Group { number, kind, beginning }) }
}

/// All keys, in their order. `0` is the character after `/`. A number must never change its meaning, because the
/// database contains it.
const STRETCHES: [Stretch; 19] = [
    alone(b""),
    grouped(b"count/", COUNTERS, 1, b"count/"),
    grouped(b"count/team/", OF_TEAM, 1, b"count/team/"),
    grouped(b"count/team0", COUNTERS, 1, b"count/"),
    alone(b"count0"),
    grouped(b"team-touch/", OF_TEAM, 2, b"team-touch/"),
    alone(b"team-touch0"),
    grouped(b"user-card/", OF_MEMBER, 1, b"user-card/"),
    alone(b"user-card0"),
    grouped(b"user-email/", BY_TEXT, 2, b"user-email/"),
    alone(b"user-email0"),
    grouped(b"user-external/", BY_TEXT, 3, b"user-external/"),
    alone(b"user-external0"),
    grouped(b"user-mail/", BY_TEXT, 4, b"user-mail/"),
    alone(b"user-mail0"),
    grouped(b"user-name/", BY_TEXT, 1, b"user-name/"),
    alone(b"user-name0"),
    grouped(b"user-touch/", OF_MEMBER, 2, b"user-touch/"),
    alone(b"user-touch0"),
];

/// Keys that are found by a text: userNames, email addresses and external ids of members.
const BY_TEXT: i64 = 1;
/// The name card and the touch key of a member, by the member's id, so that those of the newest member are the last.
const OF_MEMBER: i64 = 2;
/// Counters that most changes write. They are few, and share a page with the newest member's keys, which come before
/// them.
const COUNTERS: i64 = 3;
/// The touch key and the size of a team, by the team's id.
const OF_TEAM: i64 = 4;

/// Greater than every key, since keys have at most 512 bytes.
static END: [u8; 513] = [0xff; 513];

/// The place of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'k> {
    /// The group; `None` for the table of keys in order.
    pub(super) group: Option<Group>,
    /// The part of the key that is stored there.
    pub(super) key: &'k [u8],
}

/// An SQL statement on one key or one segment, for each of the two tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statements {
    /// For the table of keys in order.
    pub(super) alone: &'static str,
    /// For the table of groups.
    pub(super) grouped: &'static str,
}

/// The place of a key.
pub(super) fn of(key: &[u8]) -> Place<'_> {
    let group = stretch_of(key).and_then(|stretch| stretch.group);
    let kept = group.and_then(|group| key.strip_prefix(group.beginning));
    Place { group: group.filter(|_| kept.is_some()), key: kept.unwrap_or(key) }
}

fn stretch_of(key: &[u8]) -> Option<&'static Stretch> {
    STRETCHES.get(index_of(key))
}

fn index_of(key: &[u8]) -> usize {
    // The first stretch begins with the lowest possible key.
    STRETCHES.partition_point(|stretch| stretch.start <= key).saturating_sub(1)
}

/// A part of a range of keys that is in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'r> {
    /// The group; `None` for the table of keys in order.
    pub(super) group: Option<Group>,
    /// The start, in the form in which the table stores keys.
    pub(super) start: &'r [u8],
    /// The end, which is excluded.
    pub(super) end: &'r [u8],
}

/// The range of all keys.
pub(super) fn everything() -> KeyRange {
    KeyRange { start: Vec::new(), end: END.to_vec() }
}

/// The segments of a range, in the order of its keys; an empty range has none.
pub(super) fn segments(range: &KeyRange) -> Vec<Segment<'_>> {
    if range.is_empty() {
        return Vec::new();
    }
    let stretches = STRETCHES.get(index_of(&range.start)..).unwrap_or_default();
    let mut segments = Vec::with_capacity(1);
    for (index, stretch) in stretches.iter().enumerate() {
        if index > 0 && stretch.start >= range.end.as_slice() {
            break;
        }
        let (start, next) = (range.start.as_slice().max(stretch.start), stretches.get(index + 1));
        let end = next.map_or(range.end.as_slice(), |next| next.start.min(range.end.as_slice()));
        segments.push(match stretch.group {
            None => Segment { group: None, start, end },
            Some(group) => Segment {
                group: Some(group),
                start: start.strip_prefix(group.beginning).unwrap_or_default(),
                // An end without the prefix comes after all keys with it.
                end: end.strip_prefix(group.beginning).unwrap_or(&END),
            },
        });
    }
    segments
}

/// All groups with their prefixes, for the migration of an earlier database: the first and last key of each stretch,
/// and how its keys are kept.
pub(super) fn all_groups() -> impl Iterator<Item = (&'static [u8], &'static [u8], Group)> {
    STRETCHES.windows(2).filter_map(|pair| match pair {
        [stretch, next] => Some((stretch.start, next.start, stretch.group?)),
        _ => None,
    })
}

/// Group and kind as numbers; 0 stands for a key that is in no group.
pub(super) fn numbers_of(group: Option<Group>) -> (i64, i64) {
    group.map_or((0, 0), |group| (group.number, group.kind))
}

/// The prefix that is not stored with keys of this group.
pub(super) fn beginning_of(group: Option<Group>) -> &'static [u8] {
    group.map_or(b"", |group| group.beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_in_order_and_each_place_names_one_key() {
        assert!(STRETCHES.is_sorted_by(|one, next| one.start < next.start));
        let mut beginnings = std::collections::BTreeMap::new();
        for (start, next, group) in all_groups() {
            assert!(start.starts_with(group.beginning));
            let after = group.beginning.strip_suffix(b"/").unwrap();
            assert!(next <= [after, b"0"].concat().as_slice(), "a key of the stretch may begin otherwise");
            let known = beginnings.entry((group.number, group.kind)).or_insert(group.beginning);
            assert_eq!(*known, group.beginning, "two beginnings of one kind");
        }
    }

    #[test]
    fn a_key_is_kept_without_its_beginning_where_it_has_neighbours_and_as_it_is_elsewhere() {
        let kept = |key: &'static str| {
            let place = of(key.as_bytes());
            (place.group.map(|group| (group.number, group.kind)), std::str::from_utf8(place.key).unwrap())
        };
        assert_eq!(kept("user-name/ada"), (Some((BY_TEXT, 1)), "ada"));
        assert_eq!(kept("user-name/"), (Some((BY_TEXT, 1)), ""));
        assert_eq!(kept("user-name"), (None, "user-name"));
        assert_eq!(kept("user-name0"), (None, "user-name0"));
        assert_eq!(kept("user/1"), (None, "user/1"));
        assert_eq!(kept("count/seats"), (Some((COUNTERS, 1)), "seats"));
        assert_eq!(kept("count/team/1"), (Some((OF_TEAM, 1)), "1"));
        assert_eq!(kept("count/teams"), (Some((COUNTERS, 1)), "teams"));
        assert_eq!(kept("\u{7f}"), (None, "\u{7f}"));
    }

    #[test]
    fn the_segments_of_a_range_hold_what_is_in_it_and_nothing_else() {
        let keys = [
            "a",
            "count",
            "count/",
            "count/a",
            "count/seats",
            "count/team",
            "count/team/",
            "count/team/1",
            "count/team0",
            "count/teams",
            "count0",
            "user",
            "user-card/1",
            "user-name/",
            "user-name/a",
            "user-name/b",
            "user-name0",
            "z",
        ];
        let is_in = |key: &str, segment: &Segment<'_>| {
            let place = of(key.as_bytes());
            place.group == segment.group && segment.start <= place.key && place.key < segment.end
        };
        for start in keys {
            for end in keys {
                let range = KeyRange { start: start.into(), end: end.into() };
                let segments = segments(&range);
                let found: Vec<&str> = segments
                    .iter()
                    .flat_map(|segment| {
                        let mut found: Vec<&str> = keys.into_iter().filter(|key| is_in(key, segment)).collect();
                        found.sort_unstable();
                        found
                    })
                    .collect();
                let wanted: Vec<&str> = keys.into_iter().filter(|key| start <= *key && *key < end).collect();
                assert_eq!(found, wanted, "{start} to {end}");
            }
        }
    }
}
