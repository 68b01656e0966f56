//! Which component an organization's calls run, as it was when somebody last looked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::compiled::Linked;

/// How long a look counts: somebody may pin the organization to another component meanwhile, in another process too.
const FRESH: Duration = Duration::from_secs(2);

/// The component of a call.
#[derive(Clone)]
pub(super) struct Choice {
    pub(super) linked: Arc<Linked>,
    pub(super) because: Because,
}

/// Why a call runs its component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Because {
    /// The host was started with it.
    Default,
    /// The organization is one of those that run the canary that began at this moment, in milliseconds since the Unix epoch.
    Canary {
        /// When it began: what an earlier one has done does not count for it.
        began: u64,
    },
    /// The organization is pinned to it, so its failures say nothing about what others run.
    Pinned,
}

/// One organization's component. A call keeps the one that it began with.
#[derive(Default)]
pub(super) struct Assigned(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    choice: Option<Choice>,
    /// When somebody looked; `None` if somebody is to look before the next call.
    at: Option<Instant>,
    /// How often somebody was told to look.
    told: u64,
}

impl Assigned {
    /// A look begins: the number is for [`Assigned::note`].
    pub(super) fn look(&self) -> u64 {
        self.lock().told
    }

    /// What was seen a moment ago; `None` if somebody has to look.
    pub(super) fn fresh(&self) -> Option<Choice> {
        let seen = self.lock();
        seen.choice.clone().filter(|_| seen.at.is_some_and(|at| at.elapsed() < FRESH))
    }

    /// What was seen last, however long ago.
    pub(super) fn last(&self) -> Option<Choice> {
        self.lock().choice.clone()
    }

    /// Notes what was seen by a look, and returns what was seen before. If somebody was told to look meanwhile, it may be out
    /// of date already, and the next call looks again.
    pub(super) fn note(&self, choice: Choice, look: u64) -> Option<Choice> {
        let mut seen = self.lock();
        seen.at = (seen.told == look).then(Instant::now);
        seen.choice.replace(choice)
    }

    /// Has the next call look.
    pub(super) fn expire(&self) {
        let mut seen = self.lock();
        seen.at = None;
        seen.told += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
