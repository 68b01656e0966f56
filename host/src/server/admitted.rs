//! Remembers callers that were admitted recently, so that the component need not be asked before each request's body is
//! read.
//!
//! This only decides to whose account the memory of a request is charged: the component authenticates every request
//! itself.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::capability::storage::OrganizationId;

/// How long a caller counts as admitted recently.
const LATELY: Duration = Duration::from_secs(60);
/// How many callers are remembered.
const MOST: usize = 4_096;

/// The callers that were admitted.
#[derive(Default)]
pub(super) struct Admitted {
    /// A keyed hash: nobody can find another text with the same hash, and no token is stored.
    hash: RandomState,
    when: Mutex<HashMap<u64, Instant>>,
}

impl Admitted {
    /// Whether the sender of this `Authorization` was admitted recently.
    pub(super) fn is(&self, organization: &OrganizationId, authorization: &[u8]) -> bool {
        let key = self.hash.hash_one((organization, authorization));
        let when = self.when.lock().unwrap_or_else(PoisonError::into_inner);
        when.get(&key).is_some_and(|when| when.elapsed() < LATELY)
    }

    /// Notes that the caller was admitted now.
    pub(super) fn note(&self, organization: &OrganizationId, authorization: &[u8]) {
        let key = self.hash.hash_one((organization, authorization));
        let mut when = self.when.lock().unwrap_or_else(PoisonError::into_inner);
        if when.len() >= MOST {
            when.retain(|_, when| when.elapsed() < LATELY);
        }
        if when.len() >= MOST {
            when.clear();
        }
        when.insert(key, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_let_in_is_known_to_that_organization_alone() {
        let admitted = Admitted::default();
        let [one, two] = ["a", "b"].map(|name| OrganizationId::parse(name).unwrap());
        admitted.note(&one, b"Bearer x");
        assert!(admitted.is(&one, b"Bearer x"));
        assert!(!admitted.is(&two, b"Bearer x") && !admitted.is(&one, b"Bearer y"));
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let admitted = Admitted::default();
        let organization = OrganizationId::parse("a").unwrap();
        for number in 0..3 * MOST {
            admitted.note(&organization, &number.to_le_bytes());
        }
        assert!(admitted.when.lock().unwrap().len() <= MOST);
    }
}
