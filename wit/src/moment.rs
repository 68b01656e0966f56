//! Times that were stored by a clock that may have been wrong.
//!
//! A clock that was ahead leaves times behind: when it is set right, they lie in the future. What such a time stands for
//! has a longest duration, and so a time that lies further ahead than that is wrong and is not believed.

/// How far the clocks of two hosts may be apart, in milliseconds, before one takes the other's times for wrong.
pub const TOLERANCE: u64 = 60_000;

/// Whether what ends at `until` still lasts at `now`, all in milliseconds. It never lasts longer than `longest`: an end
/// that is further ahead was set by a clock that was wrong, and counts as past.
#[must_use]
pub const fn lasts(until: u64, now: u64, longest: u64) -> bool {
    until > now && is_possible(until, now, longest)
}

/// Whether a time that was stored can be right: it lies no further ahead of `now` than `longest`, all in milliseconds.
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
