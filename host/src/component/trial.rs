//! Decides whether a canary fails more often than the component of the other organizations.

use std::time::Duration;

use tokio::time::Instant;

use crate::registry::Canary;

/// The counts are halved after this time, so that recent calls count most.
const HALVED: Duration = Duration::from_secs(300);
/// With fewer failures than this, nothing is decided.
const FEWEST: f64 = 5.0;
/// By how many standard deviations the failure rates must differ. By chance that happens in one of 700 comparisons.
const APART: f64 = 3.0;

/// The number of calls, and how many of them failed.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    calls: f64,
    failed: f64,
}

/// A canary and its results in this process.
#[derive(Debug)]
pub(super) struct Trial {
    canary: Canary,
    of_canary: Share,
    of_others: Share,
    halved: Instant,
    /// Whether it was found to fail, so that no call runs it any more.
    failed: bool,
}

impl Trial {
    pub(super) fn new(canary: Canary) -> Self {
        let (of_canary, of_others) = (Share::default(), Share::default());
        Self { canary, of_canary, of_others, halved: Instant::now(), failed: false }
    }

    pub(super) fn canary(&self) -> &Canary {
        &self.canary
    }

    /// Whether it was found to fail.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Ends the trial: no call runs the canary any more.
    pub(super) fn end(&mut self) {
        self.failed = true;
    }

    /// Counts a call. Returns the reason if the canary must be rolled back now.
    pub(super) fn count(&mut self, is_canary: bool, failed: bool) -> Option<String> {
        if self.halved.elapsed() >= HALVED {
            self.halved = Instant::now();
            for share in [&mut self.of_canary, &mut self.of_others] {
                *share = Share { calls: share.calls / 2.0, failed: share.failed / 2.0 };
            }
        }
        let share = if is_canary { &mut self.of_canary } else { &mut self.of_others };
        share.calls += 1.0;
        share.failed += f64::from(u8::from(failed));
        if self.failed || !(is_canary && failed) || !is_worse(self.of_canary, self.of_others) {
            return None;
        }
        self.failed = true;
        let said = |share: Share| format!("{:.0} of {:.0} calls failed", share.failed, share.calls);
        Some(format!("{}, and of the other organizations {}", said(self.of_canary), said(self.of_others)))
    }
}

/// Compares the two failure rates (pooled test). If no other organization has called, it assumes the same number of
/// calls without a failure.
fn is_worse(canary: Share, others: Share) -> bool {
    let others = if others.calls < 1.0 { Share { calls: canary.calls, failed: 0.0 } } else { others };
    let (share, of_others) = (canary.failed / canary.calls, others.failed / others.calls);
    let pooled = (canary.failed + others.failed) / (canary.calls + others.calls);
    let deviation = (pooled * (1.0 - pooled) * (1.0 / canary.calls + 1.0 / others.calls)).sqrt();
    canary.failed >= FEWEST && share > of_others && share - of_others >= APART * deviation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::ComponentId;

    fn trial() -> Trial {
        Trial::new(Canary { component: ComponentId::of(b"x"), percent: 10, began: 7, rolled_back: None })
    }

    /// After how many calls of the canary it is rolled back, if one in `one_in` of its calls fails, and of the others
    /// one in `others_one_in`.
    fn ends_after(one_in: usize, others_one_in: usize) -> Option<usize> {
        let mut trial = trial();
        (1..=20_000_usize).find(|&call| {
            for other in 0..9 {
                let number = call * 9 + other;
                assert_eq!(trial.count(false, others_one_in > 0 && number.is_multiple_of(others_one_in)), None);
            }
            trial.count(true, one_in > 0 && call.is_multiple_of(one_in)).is_some()
        })
    }

    #[test]
    fn a_canary_is_rolled_back_when_its_share_of_failures_is_above_that_of_the_rest() {
        assert_eq!(ends_after(1, 0), Some(5));
        assert!(ends_after(20, 0).is_some_and(|calls| calls <= 100));
        assert!(ends_after(10, 100).is_some_and(|calls| calls <= 500));
    }

    #[test]
    fn a_canary_that_fails_as_often_as_the_rest_goes_on() {
        for one_in in [0, 1, 2, 10, 500] {
            assert_eq!(ends_after(one_in, one_in), None, "one in {one_in}");
        }
        assert_eq!(ends_after(100, 10), None, "it fails less often");
    }

    #[test]
    fn where_all_run_the_canary_it_is_compared_with_none_that_fail() {
        let mut trial = trial();
        let ended = (0..10).find_map(|_| trial.count(true, true)).unwrap();
        assert!(ended.contains("5 of 5 calls failed"), "{ended}");
        assert!(trial.has_failed() && trial.count(true, true).is_none(), "it is rolled back once");
    }
}
