//! A table, with the later commits applied.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;

use insomnia_scim_contract::{Item, Key};

use crate::files::Fault;
use crate::table::{Range, Table};

/// The items that commits have put, or removed (`None`), since the table was written.
pub(crate) type Overlay = BTreeMap<Key, Option<Item>>;

/// The items with `start <= key < end`, from one end of the range to the other.
pub(crate) fn merged<'a>(
    table: &'a Table,
    overlay: &'a Overlay,
    start: &'a [u8],
    end: &'a [u8],
    reverse: bool,
) -> Box<dyn Iterator<Item = Result<(Key, Item), Fault>> + 'a> {
    if start >= end {
        return Box::new(std::iter::empty());
    }
    let newer = overlay.range::<[u8], _>((Bound::Included(start), Bound::Excluded(end)));
    let newer: Box<dyn Iterator<Item = _>> = if reverse { Box::new(newer.rev()) } else { Box::new(newer) };
    Box::new(Merged { older: table.range(start, end, reverse).peekable(), newer: newer.peekable(), reverse })
}

/// All items.
pub(crate) fn all<'a>(table: &'a Table, overlay: &'a Overlay) -> impl Iterator<Item = Result<(Key, Item), Fault>> + 'a {
    // No key is as long as this end.
    const END: &[u8] = &[0xFF; 513];
    merged(table, overlay, &[], END, false)
}

/// Keys in their order, each with its present value.
type Changed<'a> = Box<dyn Iterator<Item = (&'a Key, &'a Option<Item>)> + 'a>;

struct Merged<'a> {
    older: Peekable<Range<'a>>,
    newer: Peekable<Changed<'a>>,
    reverse: bool,
}

impl Iterator for Merged<'_> {
    type Item = Result<(Key, Item), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = match (self.older.peek(), self.newer.peek()) {
                (Some(Err(_)), _) | (Some(_), None) => Ordering::Less,
                (Some(Ok((older, _))), Some((newer, _))) if self.reverse => (*newer).cmp(older),
                (Some(Ok((older, _))), Some((newer, _))) => older.cmp(newer),
                (None, _) => Ordering::Greater,
            };
            match first {
                Ordering::Less => return self.older.next(),
                // The newer value counts.
                Ordering::Equal => drop(self.older.next()),
                Ordering::Greater => {}
            }
            let (key, item) = self.newer.next()?;
            if let Some(item) = item {
                return Some(Ok((key.clone(), item.clone())));
            }
        }
    }
}
