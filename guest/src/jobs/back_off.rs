//! How long to wait after failures.

use crate::store::Store;

/// The longest wait, in milliseconds.
const LONGEST: u64 = 60 * 60 * 1_000;
/// From how long behind its plan on an attempt says that no host was up, in milliseconds: what comes in the regular way is
/// never so late.
pub(super) const DOWNTIME: u64 = 2 * LONGEST;
/// How long something is tried before it is parked, in milliseconds.
pub(super) const TRIED_FOR: u64 = 3 * 24 * 60 * 60 * 1_000;

/// How long to wait after so many failures in a row, in milliseconds: `first`, then `factor` times as long each time, up
/// to an hour; and up to a tenth more, so that not all come back at once.
pub(super) fn back_off(store: &Store, first: u64, factor: u64, failures: u32) -> u64 {
    let wait = factor.saturating_pow(failures.saturating_sub(1).min(32)).saturating_mul(first).min(LONGEST);
    let [jitter] = store.random::<1>();
    wait + wait * u64::from(jitter) / 2_560
}
