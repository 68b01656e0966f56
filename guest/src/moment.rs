//! Times that were stored by a clock that may have been wrong.
//!
//! A clock that was ahead leaves times behind: when it is set right, they lie in the future. What such a time stands for
//! has a longest duration, and so a time that lies further ahead than that is wrong and is not believed.

/// How far the clocks of two hosts may be apart, in milliseconds.
pub const TOLERANCE: u64 = 60_000;

/// Whether what ends at `until` still lasts at `now`, all in milliseconds. It never lasts longer than `longest`: an end
/// that is further ahead was set by a clock that was wrong, and counts as past.
#[must_use]
pub fn lasts(until: u64, now: u64, longest: u64) -> bool {
    until > now && until - now <= longest.saturating_add(TOLERANCE)
}

/// Whether `time` can be when something happened: it does not lie in the future.
#[must_use]
pub fn has_come(time: u64, now: u64) -> bool {
    time <= now.saturating_add(TOLERANCE)
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
        assert!(has_come(10 + TOLERANCE, 10) && !has_come(11 + TOLERANCE, 10));
    }
}
