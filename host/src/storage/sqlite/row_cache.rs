//! Rows that were read lately, kept in memory for as long as they are what the database has.
//!
//! Every request asks for the same few rows of its organization (its record, its connector), and SQLite takes about 20 µs for
//! the six rows of a GET: it locks, looks for news, and after each commit of another connection it reads its pages again.
//!
//! Several processes may write the file, so what is kept counts only while nobody has committed since, in whichever process.
//! SQLite's index of the write-ahead log tells that: its header changes with each commit, and whenever the log begins anew
//! (<https://sqlite.org/walformat.html>, section 2.1). The rows here are those of one header, which is read again before each
//! answer. A commit of this process moves them on to the next header, without the rows that it has changed, if the header's
//! count of commits shows that there was no other commit beside it; after one of another process all are dropped.

use std::collections::{BTreeMap, HashMap};
#[cfg(unix)]
use std::ffi::OsString;
#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::mem::ManuallyDrop;
#[cfg(unix)]
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::capability::storage::{Item, Key, KeyRange};

/// Bytes that the rows may take.
const MOST: usize = 16 << 20;
/// The largest value that is kept, in bytes.
const LARGEST: usize = 16 << 10;
/// What a row takes beside its key and its value, in bytes, with its share of the tables.
const BESIDE: usize = 192;
/// Keys up to which a get is looked up here: a list of 100 has two for each. One of more would hold up others, and most of what
/// it reads nobody asks for again soon.
const KEYS: usize = 256;

/// Bytes of the index's header, of which there are two copies. While both are the same, no commit is under way in it.
const HEADER: usize = 48;
/// Where the header counts the commits, as four bytes in the machine's order. SQLite adds one with each commit that writes
/// pages, and nothing when the log begins anew.
const COMMITS: std::ops::Range<usize> = 8..12;
/// Where the header says that it is valid.
const IS_VALID: usize = 12;

/// The last commit, as the index of the write-ahead log tells it from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark([u8; HEADER]);

impl Mark {
    fn commits(&self) -> u32 {
        self.0.get(COMMITS).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
    }

    /// Whether this is the state after `before` with exactly one commit between them.
    fn follows(&self, before: &Self) -> bool {
        self.commits() == before.commits().wrapping_add(1)
    }
}

/// The index of the write-ahead log.
#[derive(Debug)]
struct Index {
    /// It is never closed: with the first descriptor of a file that a process closes, all its locks on the file are gone
    /// (fcntl(2), POSIX), those of SQLite's own connections as well.
    #[cfg(unix)]
    file: ManuallyDrop<File>,
}

impl Index {
    /// The index of the database at `path`, to which a connection is open. `None` where there is none to be read: then
    /// nothing is kept.
    #[cfg(unix)]
    fn open(path: &Path) -> Option<Self> {
        // Where the path is a link, SQLite has its index beside the file itself.
        let path = path.canonicalize().ok()?;
        let name = [path.as_os_str(), "-shm".as_ref()].into_iter().collect::<OsString>();
        let file = ManuallyDrop::new(File::open(name).ok()?);
        Some(Self { file })
    }

    /// Elsewhere nobody promises that a file that is read is what another process has in its memory.
    #[cfg(not(unix))]
    fn open(_: &Path) -> Option<Self> {
        None
    }

    /// The last commit; `None` if it can't be told, for instance since one is being made.
    #[cfg(unix)]
    fn last(&self) -> Option<Mark> {
        let mut copies = [0; 2 * HEADER];
        self.file.read_exact_at(&mut copies, 0).ok()?;
        let (one, other) = copies.split_first_chunk::<HEADER>()?;
        (one[..] == *other && one[IS_VALID] == 1).then_some(Mark(*one))
    }

    #[cfg(not(unix))]
    fn last(&self) -> Option<Mark> {
        None
    }
}

/// The rows that are kept.
#[derive(Debug)]
pub(super) struct RowCache {
    index: Option<Index>,
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    /// The commit whose rows these are.
    of: Option<Mark>,
    /// This process is making a commit, so that the index may be ahead of `of` for a moment.
    is_writing: bool,
    /// The index did not change with a commit of this process: it tells nothing.
    is_useless: bool,
    recent: Shelf,
    /// What was `recent` before, and is dropped when that is full again; whoever asks for a row here puts it there.
    former: Shelf,
    /// What is kept no more, to be freed when others need not wait for that.
    gone: Vec<Shelf>,
}

/// Rows by organization and key; a key that is not there is a row, too.
#[derive(Debug, Default)]
struct Shelf {
    of: HashMap<i64, BTreeMap<Key, Option<Item>>>,
    bytes: usize,
}

/// What was found for some keys.
pub(super) struct Look {
    mark: Mark,
    /// In the order of the keys; the outer `None` where the row is not kept.
    rows: Vec<Option<Option<Item>>>,
}

impl Look {
    /// Which of the keys have to be read, in their order.
    pub(super) fn missing(&self, keys: &[Key]) -> Vec<Key> {
        let missing = self.rows.iter().zip(keys).filter(|(row, _)| row.is_none());
        missing.map(|(_, key)| key.clone()).collect()
    }

    /// All rows: those that were found, and the others, which were read.
    pub(super) fn filled(self, read: Vec<Option<Item>>) -> Vec<Option<Item>> {
        let mut read = read.into_iter();
        self.rows.into_iter().map(|row| row.unwrap_or_else(|| read.next().flatten())).collect()
    }
}

impl RowCache {
    /// For the database at `path`, to which a connection is open.
    pub(super) fn new(path: &Path) -> Self {
        Self { index: Index::open(path), rows: Mutex::default() }
    }

    /// What is kept of the organization with this number, all of one moment; `None` if nothing can be kept.
    pub(super) fn look(&self, number: i64, keys: &[Key]) -> Option<Look> {
        let index = self.index.as_ref().filter(|_| keys.len() <= KEYS)?;
        let mut rows = self.lock();
        if rows.is_useless {
            return None;
        }
        let mark = index.last()?;
        if rows.of != Some(mark) {
            // While this process commits, what is kept is about to be of the new commit as well.
            if rows.is_writing {
                return None;
            }
            rows.clear();
            rows.of = Some(mark);
        }
        let found = keys.iter().map(|key| rows.find(number, key)).collect();
        release(rows);
        Some(Look { mark, rows: found })
    }

    /// Keeps what was read after the look, and says whether it is of the same moment.
    pub(super) fn keep(&self, number: i64, look: &Look, keys: &[Key], read: &[Option<Item>]) -> bool {
        let Some(index) = &self.index else { return false };
        if index.last() != Some(look.mark) {
            return false;
        }
        let mut rows = self.lock();
        // What was committed here since then has gone on to another commit, and has dropped what it changed only before now.
        if rows.of == Some(look.mark) {
            for (key, item) in keys.iter().zip(read) {
                rows.put(number, key, item);
            }
        }
        release(rows);
        true
    }

    /// To be called when this process holds the database's lock for writing, before it commits.
    pub(super) fn begin(&self) -> Writing<'_> {
        let before = self.index.as_ref().and_then(Index::last);
        self.lock().is_writing = true;
        Writing { cache: self, before }
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets others to the rows, and only then frees what is kept no more.
fn release(mut rows: MutexGuard<'_, Rows>) {
    let gone = std::mem::take(&mut rows.gone);
    drop(rows);
    drop(gone);
}

/// A commit that this process makes. If it ends otherwise than by [`Writing::committed`], the next look finds out what became
/// of it.
pub(super) struct Writing<'c> {
    cache: &'c RowCache,
    before: Option<Mark>,
}

impl Writing<'_> {
    /// The commit is made; `wrote_pages` says whether SQLite wrote any for it, and `drop` drops the rows that it may have
    /// changed.
    pub(super) fn committed(self, wrote_pages: bool, drop: impl FnOnce(&mut Dropped<'_>)) {
        let mut rows = self.cache.lock();
        let after = self.cache.index.as_ref().and_then(Index::last);
        // Another process may have committed since this one has: then the index is ahead by more than one commit.
        let is_ours_alone = match (self.before, after) {
            (Some(before), Some(after)) if wrote_pages => after.follows(&before),
            (before, after) => before.is_some() && before == after,
        };
        if wrote_pages && after.is_some() && after == self.before {
            rows.is_useless = true;
        }
        if is_ours_alone && rows.of == self.before && !rows.is_useless {
            drop(&mut Dropped(&mut rows));
            rows.of = after;
        } else {
            rows.clear();
        }
        release(rows);
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.cache.lock().is_writing = false;
    }
}

/// Drops rows.
pub(super) struct Dropped<'r>(&'r mut Rows);

impl Dropped<'_> {
    /// The row of one key.
    pub(super) fn key(&mut self, number: i64, key: &[u8]) {
        self.0.recent.take(number, key);
        self.0.former.take(number, key);
    }

    /// The rows of a range.
    pub(super) fn range(&mut self, number: i64, range: &KeyRange) {
        for shelf in [&mut self.0.recent, &mut self.0.former] {
            shelf.remove(number, range);
        }
    }

    /// All rows of an organization.
    pub(super) fn all(&mut self, number: i64) {
        for shelf in [&mut self.0.recent, &mut self.0.former] {
            let rows = shelf.of.remove(&number).unwrap_or_default();
            shelf.bytes -= rows.iter().map(|(key, row)| size(key, row)).sum::<usize>();
        }
    }
}

impl Rows {
    fn find(&mut self, number: i64, key: &Key) -> Option<Option<Item>> {
        if let Some(row) = self.recent.of.get(&number).and_then(|rows| rows.get(key)) {
            return Some(row.clone());
        }
        let row = self.former.take(number, key)?;
        self.put(number, key, &row);
        Some(row)
    }

    fn put(&mut self, number: i64, key: &Key, item: &Option<Item>) {
        let bytes = size(key, item);
        if bytes > LARGEST {
            return;
        }
        if self.recent.bytes + bytes > MOST / 2 {
            let former = std::mem::replace(&mut self.former, std::mem::take(&mut self.recent));
            self.gone.push(former);
        }
        self.recent.take(number, key);
        self.recent.bytes += bytes;
        self.recent.of.entry(number).or_default().insert(key.clone(), item.clone());
    }

    fn clear(&mut self) {
        self.of = None;
        self.gone.extend([std::mem::take(&mut self.recent), std::mem::take(&mut self.former)]);
    }
}

impl Shelf {
    fn take(&mut self, number: i64, key: &[u8]) -> Option<Option<Item>> {
        let rows = self.of.get_mut(&number)?;
        let (key, row) = rows.remove_entry(key)?;
        if rows.is_empty() {
            self.of.remove(&number);
        }
        self.bytes -= size(&key, &row);
        Some(row)
    }

    fn remove(&mut self, number: i64, range: &KeyRange) {
        let Some(rows) = self.of.get_mut(&number).filter(|_| !range.is_empty()) else { return };
        for (key, row) in rows.extract_if(range.start.clone()..range.end.clone(), |_, _| true) {
            self.bytes -= size(&key, &row);
        }
        if rows.is_empty() {
            self.of.remove(&number);
        }
    }
}

/// What a row takes, in bytes.
fn size(key: &Key, row: &Option<Item>) -> usize {
    BESIDE + key.len() + row.as_ref().map_or(0, |item| item.value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_no_more_than_they_may_and_those_that_are_asked_for_stay() {
        let mut rows = Rows::default();
        let item = |length| Some(Item { value: vec![b'x'; length], version: 1 });
        let key = |number: usize| format!("user/{number}").into_bytes();
        rows.put(1, &b"often".to_vec(), &item(10));
        for number in 0..40_000 {
            rows.put(i64::try_from(number % 50).unwrap(), &key(number), &item(1_000));
            assert!(rows.find(1, &b"often".to_vec()).is_some());
            assert!(rows.recent.bytes + rows.former.bytes <= MOST);
        }
        assert!(rows.find(0, &key(0)).is_none(), "what nobody asks for goes");
        rows.put(1, &b"large".to_vec(), &item(LARGEST));
        assert!(rows.find(1, &b"large".to_vec()).is_none());
        for number in 0..50 {
            Dropped(&mut rows).all(number);
        }
        assert_eq!((rows.recent.bytes, rows.former.bytes), (0, 0), "what is counted is what is there");
        assert!(rows.recent.of.is_empty() && rows.former.of.is_empty());
    }
}
