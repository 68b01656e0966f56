//! When an organization's jobs must be called, and which host calls them, as `wit/storage.wit` requires at `wake-at`.

use insomnia_scim_contract::is_possible;

use crate::bytes::Reader;
use crate::files::Fault;

/// How long a claim lasts unless it is renewed, in milliseconds. Here only commits renew it: requests to others, between two
/// commits, have a shorter limit.
pub(crate) const CLAIM: u64 = 15_000;

/// The longest pause between two calls of an organization that has something planned, in milliseconds.
pub const LONGEST_PAUSE: u64 = 6 * 60 * 60 * 1000;

/// The right to call an organization's jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The number of the claim. It is greater than that of every claim before.
    pub number: u64,
    /// When it ends unless it is renewed, in milliseconds since the Unix epoch.
    pub until: u64,
}

/// The times that are stored with every commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// When the jobs must be called, in milliseconds since the Unix epoch.
    pub(crate) wake_at: Option<u64>,
    /// The claim of the instance that calls them now.
    pub(crate) claim: Option<Claim>,
}

impl Times {
    /// When the organization may be claimed. If the stored time can't be right, the organization may be claimed now.
    pub(crate) fn next(&self, now: u64) -> Option<u64> {
        let (time, longest) = match self.claim {
            Some(claim) => (claim.until, CLAIM),
            None => (self.wake_at?, LONGEST_PAUSE),
        };
        Some(if is_possible(time, now, longest) { time } else { now })
    }

    /// The times after a claim at `now`; `None` if the organization is not due.
    pub(crate) fn claimed(self, number: u64, now: u64) -> Option<Self> {
        self.next(now).filter(|time| *time <= now)?;
        let is_ahead = |time: &u64| *time > now && is_possible(*time, now, LONGEST_PAUSE);
        let claim = Claim { number, until: now.saturating_add(CLAIM) };
        Some(Self { wake_at: self.wake_at.filter(is_ahead), claim: Some(claim) })
    }

    /// These times, with this time set unless an earlier one is set already.
    pub(crate) fn with_wake_at(self, time: Option<u64>) -> Self {
        Self { wake_at: self.wake_at.into_iter().chain(time).min(), ..self }
    }

    /// Whether the claim with this number is the present one.
    pub(crate) fn is_claimed_by(&self, number: u64) -> bool {
        self.claim.is_some_and(|claim| claim.number == number)
    }

    /// Writes them.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.wake_at.is_some()) | u8::from(self.claim.is_some()) << 1);
        let claim = self.claim.unwrap_or(Claim { number: 0, until: 0 });
        for number in [self.wake_at.unwrap_or_default(), claim.number, claim.until] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    /// Reads what [`Times::put`] wrote.
    pub(crate) fn take(reader: &mut Reader<'_>) -> Result<Self, Fault> {
        let there = reader.byte()?;
        let (wake_at, number, until) = (reader.number()?, reader.number()?, reader.number()?);
        Ok(Self {
            wake_at: (there & 1 != 0).then_some(wake_at),
            claim: (there & 2 != 0).then_some(Claim { number, until }),
        })
    }
}
