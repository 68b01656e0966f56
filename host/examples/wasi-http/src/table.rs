//! All items of an organization at one moment, sorted by key, in a file that never changes.
//!
//! The file has blocks of some 16 KiB of entries, then an index with the first key of each block, then a footer of fixed
//! length. Opening a table reads the footer and the index; the blocks are read when they are needed. Blocks, index and footer
//! have checksums.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;

use insomnia_scim_contract::{Item, Key};

use crate::bytes::{CHECKSUM, Reader, checked, checksum, put_key};
use crate::files::Fault;
use crate::times::Times;

const MAGIC: &[u8] = b"insm-t1\n";
/// A block ends with the entry that makes it this long.
const BLOCK_BYTES: usize = 16 << 10;
/// How many blocks an instance keeps: some 4 MiB.
const KEPT_BLOCKS: usize = 256;
/// The length of the footer: magic, version, times, and the place of the index.
const FOOTER: usize = MAGIC.len() + 8 + 25 + 8 + 8 + CHECKSUM;

/// The entries of a block, in the order of their keys.
type Block = Vec<(Key, Item)>;

/// An open table.
pub(crate) struct Table {
    file: File,
    /// The length of the file, in bytes.
    pub(crate) length: u64,
    /// The version of the last commit that is in it.
    pub(crate) version: u64,
    /// The times after that commit.
    pub(crate) times: Times,
    index: Vec<Place>,
    kept: RefCell<HashMap<usize, Rc<Block>>>,
}

/// The place of a block.
struct Place {
    first: Key,
    offset: u64,
    length: usize,
}

impl Table {
    /// Opens a table.
    pub(crate) fn open(path: &Path) -> Result<Self, Fault> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let footer_at = length.checked_sub(FOOTER as u64).ok_or(Fault::Damaged("a table is too short"))?;
        let footer = read(&mut file, footer_at, FOOTER)?;
        let mut reader = Reader(checked(&footer)?);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(Fault::Damaged("it is no table"));
        }
        let version = reader.number()?;
        let times = Times::take(&mut reader)?;
        let (index_at, index_length) = (reader.number()?, reader.number()?);
        if index_at.checked_add(index_length) != Some(footer_at) {
            return Err(Fault::Damaged("the index of a table is not before its footer"));
        }
        let bytes = read(&mut file, index_at, usize::try_from(index_length).unwrap_or(usize::MAX))?;
        let mut reader = Reader(checked(&bytes)?);
        let mut index = Vec::new();
        while !reader.0.is_empty() {
            let first = reader.key()?.to_vec();
            let (offset, length) = (reader.number()?, reader.length()?);
            if offset.checked_add(length as u64).is_none_or(|end| end > index_at) {
                return Err(Fault::Damaged("a block of a table is not before its index"));
            }
            index.push(Place { first, offset, length });
        }
        Ok(Self { file, length, version, times, index, kept: RefCell::default() })
    }

    /// Writes a table with these items, which come in the order of their keys.
    pub(crate) fn write(
        file: &mut File,
        version: u64,
        times: Times,
        items: impl Iterator<Item = Result<(Key, Item), Fault>>,
    ) -> Result<(), Fault> {
        let mut out = BufWriter::with_capacity(256 << 10, file);
        let (mut block, mut first): (Vec<u8>, Option<Key>) = (Vec::new(), None);
        let (mut index, mut offset) = (Vec::new(), 0_u64);
        let mut end = |block: &mut Vec<u8>, first: Key, index: &mut Vec<u8>, out: &mut BufWriter<&mut File>| {
            let sum = checksum(block);
            block.extend_from_slice(&sum);
            out.write_all(block)?;
            put_key(index, &first);
            index.extend_from_slice(&offset.to_le_bytes());
            // A block is at most one entry longer than `BLOCK_BYTES`, so its length fits into 32 bits.
            index.extend_from_slice(&u32::try_from(block.len()).unwrap_or(u32::MAX).to_le_bytes());
            offset += block.len() as u64;
            block.clear();
            Ok::<_, Fault>(())
        };
        for item in items {
            let (key, item) = item?;
            put_key(&mut block, &key);
            // Values have at most 1 MiB.
            block.extend_from_slice(&u32::try_from(item.value.len()).unwrap_or(u32::MAX).to_le_bytes());
            block.extend_from_slice(&item.version.to_le_bytes());
            block.extend_from_slice(&item.value);
            let start = first.get_or_insert(key);
            if block.len() >= BLOCK_BYTES {
                end(&mut block, std::mem::take(start), &mut index, &mut out)?;
                first = None;
            }
        }
        if let Some(start) = first {
            end(&mut block, start, &mut index, &mut out)?;
        }
        let sum = checksum(&index);
        index.extend_from_slice(&sum);
        let mut footer = MAGIC.to_vec();
        footer.extend_from_slice(&version.to_le_bytes());
        times.put(&mut footer);
        footer.extend_from_slice(&offset.to_le_bytes());
        footer.extend_from_slice(&(index.len() as u64).to_le_bytes());
        let sum = checksum(&footer);
        footer.extend_from_slice(&sum);
        out.write_all(&index)?;
        out.write_all(&footer)?;
        Ok(out.flush()?)
    }

    /// The item at a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Item>, Fault> {
        let after = self.index.partition_point(|place| place.first.as_slice() <= key);
        let Some(at) = after.checked_sub(1) else { return Ok(None) };
        let block = self.block(at)?;
        let found = block.binary_search_by(|(other, _)| other.as_slice().cmp(key)).ok();
        Ok(found.and_then(|at| block.get(at)).map(|(_, item)| item.clone()))
    }

    /// The items with `start <= key < end`, from one end of the range to the other.
    pub(crate) fn range<'a>(&'a self, start: &'a [u8], end: &'a [u8], reverse: bool) -> Range<'a> {
        let bound = if reverse { end } else { start };
        let after = self.index.partition_point(|place| place.first.as_slice() < bound);
        let mut range = Range { table: self, start, end, reverse, block: after, entry: 0, is_placed: false };
        // The bound may be inside the previous block.
        range.block = after.saturating_sub(1);
        if after == 0 && reverse {
            range.block = usize::MAX;
        }
        range
    }

    fn block(&self, at: usize) -> Result<Rc<Block>, Fault> {
        if let Some(block) = self.kept.borrow().get(&at) {
            return Ok(Rc::clone(block));
        }
        let place = self.index.get(at).ok_or(Fault::Damaged("a table has no such block"))?;
        let bytes = read(&mut &self.file, place.offset, place.length)?;
        let mut reader = Reader(checked(&bytes)?);
        let mut block = Vec::new();
        while !reader.0.is_empty() {
            let key = reader.key()?.to_vec();
            let (length, version) = (reader.length()?, reader.number()?);
            block.push((key, Item { value: reader.take(length)?.to_vec(), version }));
        }
        let block = Rc::new(block);
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= KEPT_BLOCKS {
            kept.clear();
        }
        kept.insert(at, Rc::clone(&block));
        Ok(block)
    }
}

/// Items of a table, in the order of their keys or in reverse.
pub(crate) struct Range<'a> {
    table: &'a Table,
    start: &'a [u8],
    end: &'a [u8],
    reverse: bool,
    /// The block that is being read; at the end, a block that does not exist.
    block: usize,
    /// The next entry in this block; in reverse, the one after it.
    entry: usize,
    /// Whether `entry` is set for this block.
    is_placed: bool,
}

impl Range<'_> {
    fn step(&mut self) -> Result<Option<(Key, Item)>, Fault> {
        while self.block < self.table.index.len() {
            let block = self.table.block(self.block)?;
            if !self.is_placed {
                let bound = if self.reverse { self.end } else { self.start };
                self.entry = block.partition_point(|(key, _)| key.as_slice() < bound);
                self.is_placed = true;
            }
            let at = if self.reverse { self.entry.checked_sub(1) } else { Some(self.entry) };
            if let Some((key, item)) = at.and_then(|at| block.get(at)) {
                if key.as_slice() < self.start || key.as_slice() >= self.end {
                    self.block = usize::MAX;
                    return Ok(None);
                }
                self.entry = if self.reverse { self.entry - 1 } else { self.entry + 1 };
                return Ok(Some((key.clone(), item.clone())));
            }
            self.is_placed = false;
            // There is no block before the first one.
            self.block = if self.reverse { self.block.wrapping_sub(1) } else { self.block + 1 };
        }
        Ok(None)
    }
}

impl Iterator for Range<'_> {
    type Item = Result<(Key, Item), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

fn read(file: &mut (impl Read + Seek), offset: u64, length: usize) -> Result<Vec<u8>, Fault> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

    use std::collections::BTreeMap;
    use std::ops::Bound;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_table_finds_each_key_and_each_range_both_ways() {
        let directory = TempDir::new().unwrap();
        // Small and large values, so that blocks begin and end in many places.
        let items: BTreeMap<Key, Item> = (0..700_u64)
            .map(|n| {
                let value = vec![b'v'; if n % 50 == 0 { 40_000 } else { usize::try_from(n).unwrap() }];
                (format!("{:04}", n * 2).into_bytes(), Item { value, version: n })
            })
            .collect();
        let table = written(&directory, &items);
        assert!(table.index.len() > 20, "{} blocks", table.index.len());
        assert_eq!((table.version, table.times.wake_at), (9, Some(77)));
        for n in 0..1_410 {
            let key = format!("{n:04}").into_bytes();
            assert_eq!(table.get(&key).unwrap(), items.get(&key).cloned(), "{n}");
        }
        let bounds = ["", "0", "0000", "0001", "0100", "0101", "0699", "0700", "1398", "1399", "2"];
        for start in bounds {
            for end in bounds {
                let (from, to) = (start.as_bytes(), end.as_bytes());
                let range = (Bound::Included(from.to_vec()), Bound::Excluded(to.to_vec()));
                let mut expected: Vec<_> = if from < to { items.range(range).collect() } else { Vec::new() };
                for reverse in [false, true] {
                    let found: Vec<_> = table.range(from, to, reverse).map(Result::unwrap).collect();
                    let found: Vec<_> = found.iter().map(|(key, item)| (key, item)).collect();
                    assert_eq!(found.len(), expected.len(), "{start}..{end}");
                    assert!(found == expected, "{start}..{end}, reverse {reverse}");
                    expected.reverse();
                }
            }
        }
    }

    #[test]
    fn an_empty_table_has_nothing() {
        let directory = TempDir::new().unwrap();
        let table = written(&directory, &BTreeMap::new());
        assert_eq!(table.get(b"x").unwrap(), None);
        assert_eq!(table.range(b"", b"z", false).count() + table.range(b"", b"z", true).count(), 0);
    }

    #[test]
    fn a_table_with_a_wrong_byte_is_refused_and_never_read_otherwise() {
        let directory = TempDir::new().unwrap();
        let items: BTreeMap<Key, Item> =
            (0..300).map(|n| (format!("{n:03}").into_bytes(), Item { value: vec![b'v'; 100], version: n })).collect();
        let table = written(&directory, &items);
        let path = directory.path().join("table");
        let bytes = std::fs::read(&path).unwrap();
        drop(table);
        for at in (0..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            std::fs::write(&path, damaged).unwrap();
            let read =
                Table::open(&path).and_then(|table| table.range(b"", b"z", false).collect::<Result<Vec<_>, _>>());
            assert!(matches!(read, Err(Fault::Damaged(_))), "byte {at}");
        }
    }

    fn written(directory: &TempDir, items: &BTreeMap<Key, Item>) -> Table {
        let path = directory.path().join("table");
        let times = Times { wake_at: Some(77), claim: None };
        let each = items.iter().map(|(key, item)| Ok((key.clone(), item.clone())));
        Table::write(&mut File::create(&path).unwrap(), 9, times, each).unwrap();
        Table::open(&path).unwrap()
    }
}
