//! A cache of rows that were read lately, valid as long as the database has not changed.
//!
//! Every request reads the same few rows of its organization (its record, its connector), and SQLite takes about 20 µs
//! for the six rows of a GET: it takes locks, checks for changes, and after each commit of another connection it reads
//! its pages again.
//!
//! Several processes may write the file, so the cache is only valid while no process has committed since. SQLite's
//! index of the write-ahead log shows that: its header changes with each commit, and whenever the log starts again
//! (<https://sqlite.org/walformat.html>, section 2.1). The cached rows belong to one header, which is read again before
//! each answer. A commit of this process keeps them for the next header, except the rows that it has changed, if the
//! header's commit count shows that no other commit came in between. After a commit of another process the whole cache
//! is dropped.

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

/// The most bytes that cached rows may take.
const MOST: usize = 16 << 20;
/// The largest value that is cached, in bytes.
const LARGEST: usize = 16 << 10;
/// The bytes that a row takes in addition to its key and its value, with its share of the tables.
const BESIDE: usize = 192;
/// A get of up to this many keys uses the cache: a list of 100 reads two for each. A larger one would hold the lock for
/// too long, and most of its rows are not needed again soon.
const KEYS: usize = 256;

/// The size of the index's header, of which there are two copies. If both are equal, no commit is being written to it.
const HEADER: usize = 48;
/// The position of the commit count in the header: four bytes in the machine's byte order. SQLite adds one with each
/// commit that writes pages, and nothing when the log starts again.
const COMMITS: std::ops::Range<usize> = 8..12;
/// The position of the byte that says that the header is valid.
const IS_VALID: usize = 12;

/// Identifies the last commit, by the header of the write-ahead log's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark([u8; HEADER]);

impl Mark {
    fn commits(&self) -> u32 {
        self.0.get(COMMITS).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_ne_bytes)
    }

    /// Whether exactly one commit lies between `before` and this state.
    fn follows(&self, before: &Self) -> bool {
        self.commits() == before.commits().wrapping_add(1)
    }
}

/// The index of the write-ahead log.
#[derive(Debug)]
struct Index {
    /// The file is never closed: when a process closes any descriptor of a file, it loses all its locks on that file
    /// (fcntl(2), POSIX), including those of SQLite's own connections.
    #[cfg(unix)]
    file: ManuallyDrop<File>,
}

impl Index {
    /// Opens the index of the database at `path`, to which a connection is open. `None` if it can't be read; then
    /// nothing is cached.
    #[cfg(unix)]
    fn open(path: &Path) -> Option<Self> {
        // If the path is a link, SQLite's index is beside the target of the link.
        let path = path.canonicalize().ok()?;
        let name = [path.as_os_str(), "-shm".as_ref()].into_iter().collect::<OsString>();
        let file = ManuallyDrop::new(File::open(name).ok()?);
        Some(Self { file })
    }

    /// On other systems, reading the file need not show what another process has written to its mapped memory.
    #[cfg(not(unix))]
    fn open(_: &Path) -> Option<Self> {
        None
    }

    /// The last commit; `None` if it is unknown, for instance because a commit is being written.
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

/// The cached rows.
#[derive(Debug)]
pub(super) struct RowCache {
    index: Option<Index>,
    rows: Mutex<Rows>,
}

#[derive(Debug, Default)]
struct Rows {
    /// The commit to which the rows belong.
    of: Option<Mark>,
    /// Whether this process is committing, so that the index may be ahead of `of` for a moment.
    is_writing: bool,
    /// The index did not change with a commit of this process, so it can't be used.
    is_useless: bool,
    recent: Shelf,
    /// The older rows: those that were in `recent` before. They are dropped when `recent` is full again, unless a read
    /// moves them there.
    former: Shelf,
    /// Dropped rows, whose memory is freed later, when no one waits for the lock.
    gone: Vec<Shelf>,
}

/// Rows by organization and key. An absent key is cached as well.
#[derive(Debug, Default)]
struct Shelf {
    of: HashMap<i64, BTreeMap<Key, Option<Item>>>,
    bytes: usize,
}

/// The cached rows for some keys.
pub(super) struct Look {
    mark: Mark,
    /// The rows in the order of the keys; the outer `None` means that the row is not cached.
    rows: Vec<Option<Option<Item>>>,
}

impl Look {
    /// The keys that must be read from the database, in their order.
    pub(super) fn missing(&self, keys: &[Key]) -> Vec<Key> {
        let missing = self.rows.iter().zip(keys).filter(|(row, _)| row.is_none());
        missing.map(|(_, key)| key.clone()).collect()
    }

    /// All rows: the cached ones, and those that were read.
    pub(super) fn filled(self, read: Vec<Option<Item>>) -> Vec<Option<Item>> {
        let mut read = read.into_iter();
        self.rows.into_iter().map(|row| row.unwrap_or_else(|| read.next().flatten())).collect()
    }
}

impl RowCache {
    /// A cache for the database at `path`, to which a connection is open.
    pub(super) fn new(path: &Path) -> Self {
        Self { index: Index::open(path), rows: Mutex::default() }
    }

    /// The cached rows of the organization with this number, in one snapshot; `None` if the cache can't be used.
    pub(super) fn look(&self, number: i64, keys: &[Key]) -> Option<Look> {
        let index = self.index.as_ref().filter(|_| keys.len() <= KEYS)?;
        let mut rows = self.lock();
        if rows.is_useless {
            return None;
        }
        let mark = index.last()?;
        if rows.of != Some(mark) {
            // While this process commits, the cached rows are about to belong to the new commit.
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

    /// Caches the rows that were read after the look-up, and returns whether they belong to the same snapshot.
    pub(super) fn keep(&self, number: i64, look: &Look, keys: &[Key], read: &[Option<Item>]) -> bool {
        let Some(index) = &self.index else { return false };
        if index.last() != Some(look.mark) {
            return false;
        }
        let mut rows = self.lock();
        // If this process has committed meanwhile, the mark is another one and the read rows may be outdated, so they
        // are not cached.
        if rows.of == Some(look.mark) {
            for (key, item) in keys.iter().zip(read) {
                rows.put(number, key, item);
            }
        }
        release(rows);
        true
    }

    /// Must be called when this process has the database's write lock, before it commits.
    pub(super) fn begin(&self) -> Writing<'_> {
        let before = self.index.as_ref().and_then(Index::last);
        self.lock().is_writing = true;
        Writing { cache: self, before }
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Releases the lock on the rows, and only then frees dropped rows.
fn release(mut rows: MutexGuard<'_, Rows>) {
    let gone = std::mem::take(&mut rows.gone);
    drop(rows);
    drop(gone);
}

/// A commit that this process is making. If it does not end by [`Writing::committed`], the next look-up finds out its
/// result.
pub(super) struct Writing<'c> {
    cache: &'c RowCache,
    before: Option<Mark>,
}

impl Writing<'_> {
    /// Must be called after the commit. `wrote_pages` says whether SQLite wrote any pages for it, and `drop` drops the
    /// rows that it may have changed.
    pub(super) fn committed(self, wrote_pages: bool, drop: impl FnOnce(&mut Dropped<'_>)) {
        let mut rows = self.cache.lock();
        let after = self.cache.index.as_ref().and_then(Index::last);
        // Another process may have committed after this one: then the index is ahead by more than one commit.
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

/// Drops cached rows.
pub(super) struct Dropped<'r>(&'r mut Rows);

impl Dropped<'_> {
    /// Drops the row of one key.
    pub(super) fn key(&mut self, number: i64, key: &[u8]) {
        self.0.recent.take(number, key);
        self.0.former.take(number, key);
    }

    /// Drops the rows of a range.
    pub(super) fn range(&mut self, number: i64, range: &KeyRange) {
        for shelf in [&mut self.0.recent, &mut self.0.former] {
            shelf.remove(number, range);
        }
    }

    /// Drops all rows of an organization.
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

/// The memory of a row, in bytes.
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
