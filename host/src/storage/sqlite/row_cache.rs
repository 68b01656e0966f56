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

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::mark::{Index, Mark};
use super::shelves::{Query, Shelves};

/// A get of up to this many keys, and a scan of up to this many pages, use the cache: a list of 100 reads two keys and a
/// page for each. A larger one would hold the lock for too long, and most of its rows are not needed again soon.
const QUERIES: usize = 256;
/// The cache of one database.
#[derive(Debug)]
pub(super) struct RowCache {
    index: Option<Index>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The commit to which the shelves belong.
    of: Option<Mark>,
    /// Whether this process is committing, so that the index may be ahead of `of` for a moment.
    is_writing: bool,
    /// The index did not change with a commit of this process, so it can't be used.
    is_useless: bool,
    shelves: Shelves,
}

impl State {
    fn clear(&mut self) {
        self.of = None;
        self.shelves.clear();
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
        Self { index: Index::open(path), state: Mutex::default() }
    }

    /// The cached answers for the organization with this number, in one snapshot; `None` if the cache can't be used.
    pub(super) fn look<Q: Query>(&self, number: i64, queries: &[Q]) -> Option<Look<Q::Answer>> {
        let is_of_use = queries.len() <= QUERIES && queries.iter().any(Q::can_be_kept);
        let index = self.index.as_ref().filter(|_| is_of_use)?;
        let mut state = self.lock();
        if state.is_useless {
            return None;
        }
        let mark = index.last()?;
        if state.of != Some(mark) {
            // While this process commits, the cached rows are about to belong to the new commit.
            if state.is_writing {
                return None;
            }
            state.clear();
            state.of = Some(mark);
        }
        let answers = queries.iter().map(|query| query.find(&mut state.shelves, number)).collect();
        release(state);
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
        let mut state = self.lock();
        // If this process has committed meanwhile, the mark is another one and what was read may be outdated, so it is
        // not cached.
        if state.of == Some(look.mark) {
            for (query, answer) in queries.iter().zip(read) {
                query.put(&mut state.shelves, number, answer);
            }
        }
        release(state);
        true
    }

    /// Must be called when this process has the database's write lock, before it commits.
    pub(super) fn begin(&self) -> Writing<'_> {
        let before = self.index.as_ref().and_then(Index::last);
        self.lock().is_writing = true;
        Writing { cache: self, before }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Releases the lock, and only then frees what was dropped.
fn release(mut state: MutexGuard<'_, State>) {
    let gone = state.shelves.gone();
    drop(state);
    drop(gone);
}

/// A commit that this process is making. If it does not end by [`Writing::committed`], the next look-up finds out its
/// result.
pub(super) struct Writing<'c> {
    cache: &'c RowCache,
    before: Option<Mark>,
}

impl Writing<'_> {
    /// Must be called after the commit. `wrote_pages` says whether SQLite wrote any pages for it, and `drop` drops
    /// what it may have changed.
    pub(super) fn committed(self, wrote_pages: bool, drop: impl FnOnce(&mut Shelves)) {
        let mut state = self.cache.lock();
        let after = self.cache.index.as_ref().and_then(Index::last);
        // Another process may have committed after this one: then the index is ahead by more than one commit.
        let is_ours_alone = match (self.before, after) {
            (Some(before), Some(after)) if wrote_pages => after.follows(&before),
            (before, after) => before.is_some() && before == after,
        };
        if wrote_pages && after.is_some() && after == self.before {
            state.is_useless = true;
        }
        if is_ours_alone && state.of == self.before && !state.is_useless {
            drop(&mut state.shelves);
            state.of = after;
        } else {
            state.clear();
        }
        release(state);
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.cache.lock().is_writing = false;
    }
}
