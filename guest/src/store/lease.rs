//! Leases: only one host delivers at a time, and nobody before a pause after failures is over.

use serde::{Deserialize, Serialize};

use super::{Batch, Store, StoreError, encode, keys};

/// The longest pause that a holder leaves who is killed, in milliseconds.
const LONGEST_PAUSE: u64 = 60 * 60 * 1_000;

/// Who delivers now. JSON under `lease/{name}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeaseRecord {
    /// Nobody else delivers before, in milliseconds since the Unix epoch: the end of the lease, or of a pause.
    pub until: u64,
    /// How many rounds in a row have failed.
    pub failures: u32,
    /// Whether somebody delivers: else it is a pause.
    pub held: bool,
    /// Until when whoever delivers has it, in milliseconds since the Unix epoch: what comes after that is a pause.
    pub ends: u64,
}

/// A lease that was taken.
#[derive(Clone, Debug)]
pub struct Lease {
    name: &'static str,
    version: u64,
    record: LeaseRecord,
    before: LeaseRecord,
}

impl Lease {
    /// When it ends, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn ends(&self) -> u64 {
        self.record.ends
    }

    /// From when on it could be taken, in milliseconds since the Unix epoch; 0 if nothing kept anybody from it.
    #[must_use]
    pub fn planned(&self) -> u64 {
        self.before.until
    }

    /// How many rounds in a row had failed before.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.before.failures
    }
}

impl Store<'_> {
    /// Takes the lease until `now + duration`, in milliseconds; `Err` has the time at which to ask again.
    ///
    /// Whoever takes it is noted as failed until the lease is given back: so a holder that hangs and is killed leaves a
    /// pause, which becomes longer each time.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn take_lease(&self, name: &'static str, now: u64, duration: u64) -> Result<Result<Lease, u64>, StoreError> {
        let stored = self.document::<LeaseRecord>(&keys::lease(name))?;
        let seen = stored.as_ref().map(|stored| stored.version);
        let old = stored.map(|stored| stored.record).unwrap_or_default();
        if old.until > now {
            return Ok(Err(old.until));
        }
        let pause = duration.saturating_mul(1 << old.failures.min(10)).min(LONGEST_PAUSE.max(duration));
        let failures = old.failures.saturating_add(1);
        let record = LeaseRecord { until: now + pause, failures, held: true, ends: now + duration };
        let mut batch = Batch::new();
        batch.require_unchanged(keys::lease(name), seen);
        batch.put(keys::lease(name), encode(&record)?);
        // Should the holder crash, somebody takes over.
        batch.wake_at(record.until);
        match self.commit(batch) {
            Ok(version) => Ok(Ok(Lease { name, version, record, before: old })),
            Err(StoreError::Conflict) => Ok(Err(now + 1_000)),
            Err(error) => Err(error),
        }
    }

    /// Adds to the batch that a pause ends at once; while somebody delivers there is none.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn end_pause(&self, batch: &mut Batch, name: &'static str) -> Result<(), StoreError> {
        let Some(stored) = self.document::<LeaseRecord>(&keys::lease(name))? else { return Ok(()) };
        let is_held = stored.record.held && stored.record.ends > self.now();
        if !is_held && stored.record.until > 0 {
            batch.require_unchanged(keys::lease(name), Some(stored.version));
            batch.put(keys::lease(name), encode(&LeaseRecord { until: 0, ..stored.record })?);
        }
        Ok(())
    }

    /// Gives the lease back: nobody delivers before `until`, which is a pause after so many failures.
    ///
    /// # Errors
    /// If the storage can't answer; a lease that somebody else has taken since stays theirs.
    pub fn release_lease(&self, lease: &Lease, until: u64, failures: u32) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.require_unchanged(keys::lease(lease.name), Some(lease.version));
        batch.put(keys::lease(lease.name), encode(&LeaseRecord { until, failures, held: false, ends: 0 })?);
        match self.commit(batch) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
