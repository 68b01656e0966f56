//! A cache of the component that an organization's calls run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::compiled::Linked;

/// How long a cached choice is valid. Meanwhile the organization may be pinned to another component, possibly by
/// another process.
const FRESH: Duration = Duration::from_secs(2);

/// The component that a call runs.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) linked: Arc<Linked>,
    pub(super) because: Because,
}

/// Why a call runs this component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// It is the component with which the host was started.
    Default,
    /// The organization is one of those that run the canary.
    Canary {
        /// When the canary began, in milliseconds since the Unix epoch. Failures of an earlier canary do not count for
        /// this one.
        began: u64,
    },
    /// The organization is pinned to this component. Its failures say nothing about what other organizations run, so
    /// they do not count.
    Pinned,
}

/// The cached choice for one organization. A call keeps the component with which it began.
#[derive(Default)]
pub(super) struct Assigned(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    choice: Option<Choice>,
    /// When the choice was read; `None` if the next call must read it again.
    at: Option<Instant>,
    /// How often the cache was invalidated.
    told: u64,
}

impl Assigned {
    /// Returns the number that [`Assigned::note`] needs. It must be called before the choice is read from the storage,
    /// so that `note` can tell whether the cache was invalidated meanwhile.
    pub(super) fn look(&self) -> u64 {
        self.lock().told
    }

    /// The choice, if it was read within the last two seconds; `None` if it must be read again.
    pub(super) fn fresh(&self) -> Option<Choice> {
        let seen = self.lock();
        seen.choice.clone().filter(|_| seen.at.is_some_and(|at| at.elapsed() < FRESH))
    }

    /// The choice that was read last, however long ago.
    pub(super) fn last(&self) -> Option<Choice> {
        self.lock().choice.clone()
    }

    /// Stores the choice that was read from the storage, and returns the former one. If the cache was invalidated since
    /// `look` was called, the choice may be outdated, so the next call reads it again.
    pub(super) fn note(&self, choice: Choice, look: u64) -> Option<Choice> {
        let mut seen = self.lock();
        seen.at = (seen.told == look).then(Instant::now);
        seen.choice.replace(choice)
    }

    /// Invalidates the cache, so that the next call reads the choice again.
    pub(super) fn expire(&self) {
        let mut seen = self.lock();
        seen.at = None;
        seen.told += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
