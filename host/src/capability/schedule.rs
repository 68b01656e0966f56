//! When an organization's jobs run: the rules for every [`Storage`](super::storage::Storage), as one pure type.
//!
//! A storage keeps one [`Schedule`] for each organization, beside its keys and in the same transactions:
//!
//! 1. A commit may set a time ([`Schedule::wake`]); the earlier one stays.
//! 2. Before a host calls `jobs.run-due`, it claims the organization ([`Schedule::claim`]). This removes the time that
//!    has come, and stores until when the claim lasts. Commits that arrive meanwhile set a time of their own.
//! 3. While the call runs, the host renews its claim ([`Schedule::renew`]). A host that has crashed does not, so
//!    another host can claim the organization when the claim has ended. No due work is forgotten.
//! 4. Afterwards the host ends its claim with the time that the call has returned ([`Schedule::release`]). The earlier
//!    one of that time and of the time that commits have set meanwhile is used.
//!
//! Claims are numbered. A host whose claim has ended and was given to another host can't renew or end the other's
//! claim.
//!
//! A clock may be wrong and be corrected later. So a time that is further ahead than possible (a claim beyond
//! [`CLAIM`], a time beyond [`LONGEST_PAUSE`]) is wrong, and counts as due now.

use super::clock::is_possible;

/// How long a claim lasts unless it is renewed, in milliseconds. If a host crashes in the middle of a call, the
/// organization's jobs do not run for this long.
pub const CLAIM: u64 = 15_000;

/// The longest time between two calls for an organization that has something planned, in milliseconds. The host calls
/// again by then, whatever the last call has returned.
pub const LONGEST_PAUSE: u64 = 6 * 60 * 60 * 1_000;

/// A host's right to run an organization's jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Greater than the number of every earlier claim of the organization.
    pub number: u64,
    /// When it ends unless it is renewed, in milliseconds since the Unix epoch.
    pub until: u64,
}

/// When an organization's jobs are due, and who runs them now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Schedule {
    /// When they are due, in milliseconds since the Unix epoch.
    pub wake_at: Option<u64>,
    /// The claim of the host that runs them now. That host may have crashed.
    pub claim: Option<Claim>,
}

impl Schedule {
    /// Makes the jobs due at this time (milliseconds since the Unix epoch), unless they are due earlier.
    pub fn wake(&mut self, at: u64) {
        self.wake_at = Some(self.wake_at.map_or(at, |set| set.min(at)));
    }

    /// When a host may claim the organization next, in milliseconds since the Unix epoch; `None` if nothing is planned.
    /// It is `now` if the stored time is too far ahead to be right.
    pub fn next(&self, now: u64) -> Option<u64> {
        Some(match self.claim {
            Some(claim) => plausible(claim.until, now, CLAIM),
            None => plausible(self.wake_at?, now, LONGEST_PAUSE),
        })
    }

    /// Whether a host may claim the organization now.
    pub fn is_due(&self, now: u64) -> bool {
        self.next(now).is_some_and(|time| time <= now)
    }

    /// Claims the organization under this number, and removes the time that has come; `None` if it is not due.
    pub fn claim(&mut self, number: u64, now: u64) -> Option<Claim> {
        if !self.is_due(now) {
            return None;
        }
        self.wake_at = self.wake_at.filter(|at| *at > now && is_possible(*at, now, LONGEST_PAUSE));
        self.claim = Some(Claim { number, until: now.saturating_add(CLAIM) });
        self.claim
    }

    /// Renews the claim from now on; `None` if another host has claimed the organization meanwhile.
    pub fn renew(&mut self, number: u64, now: u64) -> Option<Claim> {
        let claim = self.claim.as_mut().filter(|claim| claim.number == number)?;
        claim.until = now.saturating_add(CLAIM);
        Some(*claim)
    }

    /// Makes the jobs due at `next` unless they are due earlier, and ends the claim. Returns whether it was still this
    /// claim: another host's claim stays.
    pub fn release(&mut self, number: u64, next: Option<u64>) -> bool {
        if let Some(next) = next {
            self.wake(next);
        }
        let is_current = self.claim.is_some_and(|claim| claim.number == number);
        if is_current {
            self.claim = None;
        }
        is_current
    }
}

/// Returns the time, or `now` if the time is further ahead than `longest`: such a time can't be right.
pub(crate) fn plausible(time: u64, now: u64, longest: u64) -> u64 {
    if is_possible(time, now, longest) { time } else { now }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_760_000_000_000;

    #[test]
    fn a_claim_takes_the_time_away_and_leaves_one_that_has_not_come() {
        let mut schedule = Schedule { wake_at: Some(NOW), claim: None };
        assert_eq!(schedule.claim(1, NOW - 1), None, "it is not due yet");
        let claim = schedule.claim(1, NOW).unwrap();
        assert_eq!(schedule, Schedule { wake_at: None, claim: Some(claim) });
        schedule.wake(NOW + 60_000);
        assert!(schedule.claim(2, NOW + CLAIM - 1).is_none(), "it is claimed");
        assert!(schedule.claim(2, NOW + CLAIM).is_some());
        assert_eq!(schedule.wake_at, Some(NOW + 60_000));
    }

    #[test]
    fn of_the_answer_and_what_commits_set_meanwhile_the_earlier_holds() {
        for (meanwhile, answer, expected) in [
            (Some(NOW + 1), Some(NOW + 9), Some(NOW + 1)),
            (Some(NOW + 9), Some(NOW + 1), Some(NOW + 1)),
            (Some(NOW + 9), None, Some(NOW + 9)),
            (None, Some(NOW + 9), Some(NOW + 9)),
            (None, None, None),
        ] {
            let mut schedule = Schedule { wake_at: Some(NOW), claim: None };
            schedule.claim(1, NOW).unwrap();
            if let Some(at) = meanwhile {
                schedule.wake(at);
            }
            assert!(schedule.release(1, answer));
            assert_eq!(schedule, Schedule { wake_at: expected, claim: None });
        }
    }

    #[test]
    fn who_has_lost_a_claim_can_neither_renew_nor_end_the_other_one() {
        let mut schedule = Schedule { wake_at: Some(NOW), claim: None };
        schedule.claim(1, NOW).unwrap();
        let second = schedule.claim(2, NOW + CLAIM).unwrap();
        assert_eq!(schedule.renew(1, NOW + CLAIM), None);
        assert!(!schedule.release(1, Some(NOW + 30_000)));
        assert_eq!(schedule, Schedule { wake_at: Some(NOW + 30_000), claim: Some(second) });
    }

    #[test]
    fn what_lies_further_ahead_than_it_ever_can_has_come() {
        let month = 30 * 24 * 60 * 60 * 1_000;
        let ahead = Schedule { wake_at: Some(NOW + month), claim: None };
        assert_eq!(ahead.next(NOW), Some(NOW));
        let claimed = Schedule { wake_at: None, claim: Some(Claim { number: 1, until: NOW + month }) };
        assert!(claimed.is_due(NOW));
        let longest = Schedule { wake_at: Some(NOW + LONGEST_PAUSE), claim: None };
        assert_eq!(longest.next(NOW), longest.wake_at);
        let never = Schedule { wake_at: Some(u64::MAX), claim: Some(Claim { number: u64::MAX, until: u64::MAX }) };
        assert!(never.is_due(0));
        let mut never = never;
        never.claim(1, 0).unwrap();
        assert_eq!(never.wake_at, None);
    }
}
