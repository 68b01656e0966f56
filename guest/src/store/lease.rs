//! Leases: only one host delivers at a time, and after failures no host delivers before a pause is over.
//!
//! A host that takes a lease writes the lease's document and keeps the version of that write. Between two attempts it
//! checks that the lease is still its own, and to record a failure it requires that version. A host that was too slow,
//! so that another host has taken or ended its lease, therefore stops without causing a pause for others. Deliveries
//! that it has made stay valid.

use insomnia_scim_contract::lasts;
use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, Versioned, keys};

/// The longest pause, in milliseconds: an hour, and the random part of a schedule.
const LONGEST_PAUSE: u64 = 66 * 60 * 1_000;
/// The longest pause after holders of the lease that were killed one after the other, in milliseconds.
const LONGEST_AFTER_CRASHES: u64 = 60 * 60 * 1_000;
/// The pause after the second such holder, in milliseconds; it doubles with each further one.
const AFTER_CRASHES: u64 = 2 * 60 * 1_000;
/// The longest lease, in milliseconds.
const LONGEST_LEASE: u64 = 2 * 60 * 1_000;

/// The state of a lease. JSON under `lease/{name}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct LeaseRecord {
    /// No other host delivers before this time, in milliseconds since the Unix epoch: the end of the lease, or of a
    /// pause.
    pub until: u64,
    /// How many rounds in a row have failed.
    pub failures: u32,
    /// Whether a host holds the lease; otherwise the record is a pause.
    pub held: bool,
    /// When the lease of its holder ends, in milliseconds since the Unix epoch. The time from there to `until` is a
    /// pause.
    pub ends: u64,
}

impl LeaseRecord {
    /// Until when no host may take the lease; `None` if it is free now. A time further ahead than any lease or pause
    /// lasts was set by a wrong clock.
    #[must_use]
    pub fn taken_until(&self, now: u64) -> Option<u64> {
        let lease = Some(self.ends).filter(|ends| self.held && lasts(*ends, now, LONGEST_LEASE));
        let pause = Some(self.until).filter(|until| lasts(*until, now, LONGEST_PAUSE));
        pause.or(lease)
    }

    /// The record of a host that takes the lease now for this many milliseconds. It counts as failed until the lease is
    /// given back: if a holder hangs and is killed, this leaves a pause, from the second such holder on, and the pause
    /// grows each time.
    #[must_use]
    pub fn taken(&self, now: u64, duration: u64) -> Self {
        let pause = match self.failures.checked_sub(1) {
            None => 0,
            Some(more) => AFTER_CRASHES.saturating_mul(1 << more.min(10)).min(LONGEST_AFTER_CRASHES),
        };
        let failures = self.failures.saturating_add(1);
        Self { until: now + pause.max(duration), failures, held: true, ends: now + duration }
    }

    /// The record of a pause until this time, after this many failures.
    #[must_use]
    pub fn released(until: u64, failures: u32) -> Self {
        Self { until, failures, held: false, ends: 0 }
    }
}

/// A lease that this host has taken.
#[derive(Clone, Debug)]
pub struct Lease {
    name: String,
    version: u64,
    record: LeaseRecord,
    before: LeaseRecord,
    duration: u64,
}

impl Lease {
    /// When it ends, in milliseconds since the Unix epoch.
    #[cfg(test)]
    pub fn ends(&self) -> u64 {
        self.record.ends
    }

    /// Since when the lease could have been taken, in milliseconds since the Unix epoch; 0 if it was free all the time.
    #[must_use]
    pub fn planned(&self) -> u64 {
        self.before.until
    }

    /// How many rounds in a row had failed before this one.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.before.failures
    }

    /// A batch that writes the lease again, if this holder still has it.
    fn rewritten(&self, record: &LeaseRecord) -> Result<Batch, StoreError> {
        let mut batch = Batch::new();
        batch.replace(keys::lease(&self.name), Some(self.version), record)?;
        Ok(batch)
    }
}

impl Store<'_> {
    /// Takes the lease until `now + duration`, in milliseconds. `Err` contains the time at which to ask again.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn take_lease(&self, name: &str, now: u64, duration: u64) -> Result<Result<Lease, u64>, StoreError> {
        let (seen, before) = Versioned::or_default(self.document::<LeaseRecord>(&keys::lease(name))?);
        if let Some(until) = before.taken_until(now) {
            return Ok(Err(until));
        }
        let record = before.taken(now, duration);
        let mut batch = Batch::new();
        batch.replace(keys::lease(name), seen, &record)?;
        match self.commit(batch) {
            Ok(version) => Ok(Ok(Lease { name: name.to_owned(), version, record, before, duration })),
            Err(StoreError::Conflict) => Ok(Err(now + 1_000)),
            Err(error) => Err(error),
        }
    }

    /// Whether this holder still has the lease. If the lease ends before `needed` (milliseconds since the Unix epoch),
    /// it is renewed from `now` on.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn renew_lease(&self, lease: &mut Lease, now: u64, needed: u64) -> Result<bool, StoreError> {
        let version = self.item(keys::lease(&lease.name))?.map(|item| item.version);
        if version != Some(lease.version) {
            return Ok(false);
        }
        if lasts(lease.record.ends, now, lease.duration) && needed <= lease.record.ends {
            return Ok(true);
        }
        let record = lease.before.taken(now, lease.duration);
        match self.commit(lease.rewritten(&record)?) {
            Ok(version) => {
                (lease.version, lease.record) = (version, record);
                Ok(true)
            }
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Adds to the batch that a pause ends at once. If a host delivers at that time, its lease ends too: should its
    /// current attempt fail, that causes no pause, and the next round begins at once.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn end_pause(&self, batch: &mut Batch, name: &str) -> Result<(), StoreError> {
        let Some(stored) = self.document::<LeaseRecord>(&keys::lease(name))? else { return Ok(()) };
        batch.replace(keys::lease(name), Some(stored.version), &LeaseRecord::released(0, 0))?;
        Ok(())
    }

    /// Gives the lease back. No host delivers before `until`, which is the pause after this many failures. Returns
    /// whether this holder still had the lease: one that another host has taken or ended stays unchanged.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn release_lease(&self, lease: &Lease, until: u64, failures: u32) -> Result<bool, StoreError> {
        match self.commit(lease.rewritten(&LeaseRecord::released(until, failures))?) {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_760_000_000_000;
    const MINUTE: u64 = 60_000;

    #[test]
    fn holders_who_are_killed_one_after_the_other_leave_longer_pauses() {
        let mut record = LeaseRecord::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            record = record.taken(NOW, 45_000);
            waits.push((record.taken_until(NOW).unwrap() - NOW) / 1_000);
        }
        assert_eq!(waits, [45, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
    }

    #[test]
    fn a_lease_or_a_pause_further_ahead_than_any_is_not_believed() {
        let held = LeaseRecord::default().taken(NOW, 45_000);
        assert_eq!(held.taken_until(NOW + 44_999), Some(NOW + 45_000));
        assert_eq!(held.taken_until(NOW + 45_000), None);
        assert_eq!(held.taken_until(NOW - 3 * 60 * MINUTE), None);
        let pause = LeaseRecord::released(NOW + 66 * MINUTE, 9);
        assert_eq!(pause.taken_until(NOW), Some(NOW + 66 * MINUTE));
        assert_eq!(pause.taken_until(NOW - 2 * MINUTE), None);
    }
}
