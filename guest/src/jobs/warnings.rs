//! When administrators are warned about an expiry: 20, 10, 5, 2 and 1 days before it, and when it has happened (rule
//! P2).
//!
//! Each warning is sent once. After a downtime over several thresholds only the nearest one is sent.

use insomnia_scim_contract::TOLERANCE;

use crate::store::Told;

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How many days before the expiry administrators are warned, nearest first.
const THRESHOLDS: [u32; 5] = [1, 2, 5, 10, 20];

/// The warning that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// No warning is due before this time, in milliseconds since the Unix epoch; `None` if all were sent.
    Nothing(Option<u64>),
    /// A warning that it expires soon is due.
    Soon {
        /// The threshold that was passed, in days.
        threshold: u32,
        /// How many days are really left. After a downtime there are fewer than the threshold says.
        left: u32,
        /// When the next warning is due, in milliseconds since the Unix epoch.
        next: Option<u64>,
        /// The warnings that are sent once this one is.
        told: Told,
    },
    /// A message that it has expired is due.
    Over {
        /// The warnings that are sent once this one is.
        told: Told,
    },
}

/// The warning that is due at `now` for an expiry at `expires`, given the warnings that were sent. Times are
/// milliseconds since the epoch.
pub(super) fn due(told: Told, expires: u64, now: u64) -> Due {
    let left = expires.saturating_sub(now);
    let told = as_far_as_it_can_be(told, left);
    if left == 0 {
        return if told.expired { Due::Nothing(None) } else { Due::Over { told: Told { expired: true, ..told } } };
    }
    let next_threshold = THRESHOLDS.into_iter().rev().map(|days| expires.saturating_sub(u64::from(days) * DAY));
    let next = next_threshold.chain([expires]).find(|time| *time > now);
    let passed = THRESHOLDS.into_iter().find(|days| left <= u64::from(*days) * DAY);
    match passed.filter(|days| told.days.is_none_or(|told| *days < told)) {
        Some(threshold) => {
            let left = u32::try_from(left.div_ceil(DAY)).unwrap_or(threshold);
            Due::Soon { threshold, left, next, told: Told { days: Some(threshold), ..told } }
        }
        None => Due::Nothing(next),
    }
}

/// A warning that was sent too early, because a clock was ahead, is sent again in its time.
fn as_far_as_it_can_be(told: Told, left: u64) -> Told {
    let is_early = |days: &u32| left > u64::from(*days) * DAY + TOLERANCE;
    Told { days: told.days.filter(|days| !is_early(days)), expired: told.expired && left <= TOLERANCE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_each_threshold_is_told_once_and_the_nearest_only() {
        let expires = 100 * DAY;
        let (mut told, mut now, mut days) = (Told::default(), 0, Vec::new());
        loop {
            match due(told, expires, now) {
                Due::Nothing(Some(next)) => now = next,
                Due::Nothing(None) => break,
                Due::Soon { left, told: after, .. } => {
                    days.push(left);
                    told = after;
                }
                Due::Over { told: after } => {
                    days.push(0);
                    told = after;
                }
            }
        }
        assert_eq!(days, [20, 10, 5, 2, 1, 0]);
        let late = due(Told::default(), expires, 97 * DAY + 1);
        assert!(matches!(late, Due::Soon { threshold: 5, left: 3, .. }), "{late:?}");
    }

    #[test]
    fn p2_what_a_clock_that_was_ahead_has_told_is_told_again() {
        let told = Told { days: Some(1), expired: true };
        assert_eq!(due(told, 100 * DAY, 0), Due::Nothing(Some(80 * DAY)));
        assert!(matches!(due(told, 100 * DAY, 80 * DAY), Due::Soon { left: 20, .. }));
        assert_eq!(due(told, 100 * DAY, 100 * DAY), Due::Nothing(None));
    }
}
