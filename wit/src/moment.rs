//! Checks stored times, because the clock may have been wrong.
//!
//! If a clock was ahead, it has stored times that are in the future once it is set right. Every stored time has a longest
//! possible distance from now. A time that is further ahead than that is wrong, and is ignored.

/// How far the clocks of two hosts may differ, in milliseconds, before one treats the other's times as wrong.
pub const TOLERANCE: u64 = 60_000;

/// Whether a period that ends at `until` still lasts at `now`, all in milliseconds. It never lasts longer than `longest`: an
/// end that is further ahead was set by a wrong clock, and counts as past.
#[must_use]
pub const fn lasts(until: u64, now: u64, longest: u64) -> bool {
    until > now && is_possible(until, now, longest)
}

/// Whether a stored time can be right: it is at most `longest` ahead of `now`, all in milliseconds.
#[must_use]
pub const fn is_possible(time: u64, now: u64, longest: u64) -> bool {
    time.saturating_sub(now) <= longest.saturating_add(TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_believed_as_far_ahead_as_it_ever_can_be() {
        let cases = [(9, false), (10, false), (11, true), (110 + TOLERANCE, true), (111 + TOLERANCE, false)];
        for (until, expected) in cases {
            assert_eq!(lasts(until, 10, 100), expected, "{until}");
        }
        assert!(!lasts(u64::MAX, 10, 100));
        assert!(lasts(u64::MAX, 10, u64::MAX));
    }
}
