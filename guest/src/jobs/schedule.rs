//! When a failed delivery is tried again, and when it is given up: one table for emails, one for events.

use crate::store::Store;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The times at which a delivery is tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// The pause after each failure in a row, in milliseconds; the last one repeats.
    pauses: &'static [u64],
    /// After how many milliseconds of trying the delivery is parked.
    pub(super) given_up_after: u64,
}

/// For an email, and while the mail system is out of order.
pub(super) const EMAIL: Schedule = Schedule {
    pauses: &[MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 16 * MINUTE, 32 * MINUTE, HOUR],
    given_up_after: 3 * DAY,
};

/// For the webhook, together with all its waiting events; also for each stream.
pub(super) const WEBHOOK: Schedule = Schedule {
    pauses: &[5 * SECOND, 20 * SECOND, 80 * SECOND, 320 * SECOND, 1_280 * SECOND, HOUR],
    given_up_after: 3 * DAY,
};

/// The longest pause, in milliseconds: an hour and the random part. A time further ahead was set by a wrong clock.
pub(super) const LONGEST_PAUSE: u64 = HOUR + HOUR / 10;

/// If an attempt is later than planned by more than this, in milliseconds, no host was up meanwhile: while a host is
/// up, an attempt is never so late.
pub(super) const DOWNTIME: u64 = 2 * HOUR;

impl Schedule {
    /// The pause after this many failures in a row, in milliseconds. It includes up to a tenth more at random, so that
    /// retries do not all come at once.
    pub(super) fn pause(&self, store: &Store, failures: u32) -> u64 {
        let [chance] = store.random::<1>();
        spread(self.after(failures), chance)
    }

    fn after(&self, failures: u32) -> u64 {
        let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        self.pauses.get(index).or(self.pauses.last()).copied().unwrap_or(HOUR)
    }
}

fn spread(pause: u64, chance: u8) -> u64 {
    pause + pause * u64::from(chance) / 2_560
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each case: the pauses after the first failures, in seconds, and after how many hours of trying the delivery is
    /// parked.
    #[test]
    fn what_was_not_taken_is_tried_again_after_these_pauses_and_given_up_after_so_long() {
        let cases: [(&str, Schedule, &[u64], u64); 2] = [
            ("email", EMAIL, &[60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600], 72),
            ("webhook", WEBHOOK, &[5, 20, 80, 320, 1_280, 3_600, 3_600, 3_600], 72),
        ];
        for (name, schedule, seconds, hours) in cases {
            let pauses: Vec<u64> =
                (1..).take(seconds.len()).map(|failures| schedule.after(failures) / SECOND).collect();
            assert_eq!(pauses, seconds, "{name}");
            assert_eq!(schedule.after(u32::MAX), HOUR, "{name}: an hour at the most");
            assert_eq!(schedule.given_up_after, hours * HOUR, "{name}");
        }
    }

    #[test]
    fn chance_makes_a_pause_up_to_a_tenth_longer_and_never_longer_than_the_longest() {
        assert_eq!(spread(HOUR, 0), HOUR);
        assert!((HOUR + 1..=LONGEST_PAUSE).contains(&spread(HOUR, 255)));
    }
}
