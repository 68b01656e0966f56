//! A token bucket that may go into debt: what is known only after it was done, such as computing, is charged then.
//!
//! It is kept as one number, the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371), so
//! that it needs neither a lock nor anybody who fills it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How fast a bucket fills, and how much it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// How much comes back ...
    pub(super) amount: u64,
    /// ... in this time.
    pub(super) per: Duration,
    /// So long an empty bucket takes to be full.
    pub(super) depth: Duration,
}

impl Rate {
    /// How long so much takes to come back, in nanoseconds.
    fn cost(self, amount: u64) -> u64 {
        let cost = u128::from(amount) * self.per.as_nanos() / u128::from(self.amount.max(1));
        u64::try_from(cost).unwrap_or(u64::MAX)
    }
}

/// The bucket. All times are nanoseconds since one moment, which the caller chooses.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    full_at: AtomicU64,
}

impl Bucket {
    /// Takes so much if it is there, or says in how many nanoseconds it will be.
    pub(super) fn take(&self, rate: Rate, now: u64, amount: u64) -> Result<(), u64> {
        let cost = rate.cost(amount);
        let after = |full_at: u64| full_at.max(now).saturating_add(cost);
        let latest = now.saturating_add(nanoseconds(rate.depth));
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            Some(after(full_at)).filter(|after| *after <= latest)
        });
        taken.map(drop).map_err(|full_at| after(full_at) - latest)
    }

    /// Takes so much whether it is there or not.
    pub(super) fn charge(&self, rate: Rate, now: u64, amount: u64) {
        let cost = rate.cost(amount);
        let after = |full_at: u64| Some(full_at.max(now).saturating_add(cost));
        let _ = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
    }

    /// In how many nanoseconds something is in it again, if it is empty or in debt.
    pub(super) fn debt(&self, rate: Rate, now: u64) -> Option<u64> {
        let latest = now.saturating_add(nanoseconds(rate.depth));
        self.full_at.load(Ordering::Relaxed).checked_sub(latest).filter(|debt| *debt > 0)
    }

    /// Whether nothing is missing from it.
    pub(super) fn is_full(&self, now: u64) -> bool {
        self.full_at.load(Ordering::Relaxed) <= now
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const RATE: Rate = Rate { amount: 25, per: Duration::from_secs(1), depth: Duration::from_secs(10) };

    #[test]
    fn a_bucket_gives_what_it_holds_and_then_as_much_as_comes_back() {
        let bucket = Bucket::default();
        for _ in 0..250 {
            assert_eq!(bucket.take(RATE, 0, 1), Ok(()));
        }
        assert_eq!(bucket.take(RATE, 0, 1), Err(SECOND / 25));
        assert_eq!(bucket.take(RATE, 0, 25), Err(SECOND));
        for _ in 0..25 {
            assert_eq!(bucket.take(RATE, SECOND, 1), Ok(()));
        }
        assert!(bucket.take(RATE, SECOND, 1).is_err());
        assert!(!bucket.is_full(10 * SECOND) && bucket.is_full(11 * SECOND));
    }

    #[test]
    fn what_was_refused_takes_nothing() {
        let bucket = Bucket::default();
        assert!(bucket.take(RATE, 0, 251).is_err());
        assert_eq!(bucket.take(RATE, 0, 250), Ok(()));
    }

    #[test]
    fn a_debt_is_paid_before_anything_is_given() {
        let bucket = Bucket::default();
        bucket.charge(RATE, 0, 250);
        assert_eq!(bucket.debt(RATE, 0), None);
        bucket.charge(RATE, 0, 50);
        assert_eq!(bucket.debt(RATE, 0), Some(2 * SECOND));
        assert_eq!(bucket.take(RATE, SECOND, 1), Err(SECOND + SECOND / 25));
        assert_eq!(bucket.debt(RATE, 2 * SECOND), None);
    }

    #[test]
    fn small_amounts_of_a_large_limit_are_counted() {
        let day = Duration::from_secs(86_400);
        let rate = Rate { amount: 64 << 30, per: day, depth: day };
        let bucket = Bucket::default();
        bucket.charge(rate, 0, 32 << 30);
        for _ in 0..32 {
            bucket.charge(rate, 0, 1 << 30);
        }
        assert_eq!(bucket.debt(rate, 0), None);
        bucket.charge(rate, 0, 1 << 20);
        assert!(bucket.debt(rate, 0).is_some());
    }

    #[test]
    fn no_amount_overflows() {
        let bucket = Bucket::default();
        bucket.charge(RATE, u64::MAX / 2, u64::MAX);
        assert!(bucket.take(RATE, u64::MAX / 2, u64::MAX).is_err());
        assert!(bucket.debt(RATE, 0).is_some());
    }
}
