//! Limits answers that are written while they are read: an organization's live logs and exports, and the waiting
//! receivers of a stream of SCIM events.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::capability::storage::OrganizationId;

/// The most live logs and exports of one organization at the same time.
const MOST: usize = 20;

/// The number of open answers for each owner.
pub(crate) struct Streams<K: Eq + Hash + Clone = OrganizationId> {
    most: usize,
    open: Mutex<HashMap<K, usize>>,
}

/// An open answer.
pub(crate) struct Stream<K: Eq + Hash + Clone = OrganizationId> {
    streams: Arc<Streams<K>>,
    of: K,
}

impl Default for Streams {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl<K: Eq + Hash + Clone> Streams<K> {
    /// Each owner may have this many open answers.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default() }
    }

    /// Opens one more; `None` if there are too many.
    pub(crate) fn open(self: &Arc<Self>, of: &K) -> Option<Stream<K>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(of.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Stream { streams: Arc::clone(self), of: of.clone() })
    }
}

impl<K: Eq + Hash + Clone> Drop for Stream<K> {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.of) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_has_so_many_streams_and_takes_none_from_others() {
        let streams = Arc::new(Streams::default());
        let (one, two) = (OrganizationId::parse("a").unwrap(), OrganizationId::parse("b").unwrap());
        let mut open: Vec<Stream> = (0..MOST).filter_map(|_| streams.open(&one)).collect();
        assert_eq!(open.len(), MOST);
        assert!(streams.open(&one).is_none());
        assert!(streams.open(&two).is_some());
        open.pop();
        assert!(streams.open(&one).is_some());
        open.clear();
        assert!(streams.open.lock().unwrap().is_empty());
    }
}
