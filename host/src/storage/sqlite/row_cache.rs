//! A cache of rows and of small ranges that were read lately, valid as long as the database has not changed.
//!
//! Every request reads the same few rows of its organization (its record, its connector), and SQLite takes about 20 µs
//! for the six rows of a GET: it takes locks, checks for changes, and after each commit of another connection it reads
//! its pages again. Showing a user also reads a small range: the memberships of the user.
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
/// A get of up to this many keys, and a scan of up to this many pages, use the cache: a list of 100 reads two keys and a
/// page for each. A larger one would hold the lock for too long, and most of its rows are not needed again soon.
const QUERIES: usize = 256;
/// The most entries of a range that is cached. With [`LARGEST`] this keeps [`QUERIES`] cached pages far below the most
/// that a scan may return.
const ENTRIES: usize = 64;

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
pub(super) struct Rows {
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

/// What is cached, by organization.
#[derive(Debug, Default)]
struct Shelf {
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
    fn find(&self, rows: &mut Rows, number: i64) -> Option<Self::Answer>;

    /// Caches the answer, if it is small.
    fn put(&self, rows: &mut Rows, number: i64, answer: &Self::Answer);
}

impl Query for Key {
    type Answer = Option<Item>;

    fn can_be_kept(&self) -> bool {
        true
    }

    fn find(&self, rows: &mut Rows, number: i64) -> Option<Option<Item>> {
        rows.find(number, self)
    }

    fn put(&self, rows: &mut Rows, number: i64, answer: &Option<Item>) {
        rows.put(number, self, answer);
    }
}

impl Query for Page {
    type Answer = Scanned;

    fn can_be_kept(&self) -> bool {
        !self.reverse && self.skip == 0 && !self.range.is_empty()
    }

    fn find(&self, rows: &mut Rows, number: i64) -> Option<Scanned> {
        let entries = self.can_be_kept().then(|| rows.find_range(number, &self.range)).flatten()?;
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        Some(Scanned { entries: entries.iter().take(limit).cloned().collect(), more: entries.len() > limit })
    }

    fn put(&self, rows: &mut Rows, number: i64, answer: &Scanned) {
        // Only a page that has all entries of its range is worth keeping.
        if self.can_be_kept() && !answer.more && answer.entries.len() <= ENTRIES {
            rows.put_range(number, &self.range, answer.entries.clone());
        }
    }
}

/// The cached answers to some queries.
pub(super) struct Look<A> {
    mark: Mark,
    /// The answers in the order of the queries; `None` if an answer is not cached.
    answers: Vec<Option<A>>,
}

impl<A: Default> Look<A> {
    /// The queries that the database must answer, in their order.
    pub(super) fn missing<Q: Query<Answer = A>>(&self, queries: &[Q]) -> Vec<Q> {
        let missing = self.answers.iter().zip(queries).filter(|(answer, _)| answer.is_none());
        missing.map(|(_, query)| query.clone()).collect()
    }

    /// All answers: the cached ones, and those that were read.
    pub(super) fn filled(self, read: Vec<A>) -> Vec<A> {
        let mut read = read.into_iter();
        self.answers.into_iter().map(|answer| answer.unwrap_or_else(|| read.next().unwrap_or_default())).collect()
    }
}

impl RowCache {
    /// A cache for the database at `path`, to which a connection is open.
    pub(super) fn new(path: &Path) -> Self {
        Self { index: Index::open(path), rows: Mutex::default() }
    }

    /// The cached answers for the organization with this number, in one snapshot; `None` if the cache can't be used.
    pub(super) fn look<Q: Query>(&self, number: i64, queries: &[Q]) -> Option<Look<Q::Answer>> {
        let is_of_use = queries.len() <= QUERIES && queries.iter().any(Q::can_be_kept);
        let index = self.index.as_ref().filter(|_| is_of_use)?;
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
        let answers = queries.iter().map(|query| query.find(&mut rows, number)).collect();
        release(rows);
        Some(Look { mark, answers })
    }

    /// Caches what was read after the look-up, and returns whether it belongs to the same snapshot.
    pub(super) fn keep<Q: Query>(
        &self,
        number: i64,
        look: &Look<Q::Answer>,
        queries: &[Q],
        read: &[Q::Answer],
    ) -> bool {
        let Some(index) = &self.index else { return false };
        if index.last() != Some(look.mark) {
            return false;
        }
        let mut rows = self.lock();
        // If this process has committed meanwhile, the mark is another one and what was read may be outdated, so it is
        // not cached.
        if rows.of == Some(look.mark) {
            for (query, answer) in queries.iter().zip(read) {
                query.put(&mut rows, number, answer);
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
    /// Drops the row of one key, and the range that contains it.
    pub(super) fn key(&mut self, number: i64, key: &[u8]) {
        for shelf in [&mut self.0.recent, &mut self.0.former] {
            shelf.take(number, key);
            shelf.drop_ranges(number, |ranges| ranges.remove_around(key));
        }
    }

    /// Drops the rows of a range, and the ranges that overlap it.
    pub(super) fn range(&mut self, number: i64, range: &KeyRange) {
        for shelf in [&mut self.0.recent, &mut self.0.former] {
            shelf.remove(number, range);
        }
    }

    /// Drops everything of an organization.
    pub(super) fn all(&mut self, number: i64) {
        for shelf in [&mut self.0.recent, &mut self.0.former] {
            let Some(own) = shelf.of.remove(&number) else { continue };
            let rows = own.rows.iter().map(|(key, row)| size(key, row));
            shelf.bytes -= OF_ORGANIZATION + rows.sum::<usize>() + own.ranges.bytes();
        }
    }
}

impl Rows {
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

    fn clear(&mut self) {
        self.of = None;
        self.gone.extend([std::mem::take(&mut self.recent), std::mem::take(&mut self.former)]);
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
