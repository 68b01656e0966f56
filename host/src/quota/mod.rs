//! Quotas: how much one organization may use in a second, a minute, an hour or a day, and how much it may store.
//!
//! The ledger and the turns of module `fair` divide the machine among the organizations that want it at the same moment.
//! Quotas limit what one organization uses over time, also while no other wants anything. The operator sets them for all
//! organizations and for single ones. The defaults are so large that no honest customer reaches them: a full synchronisation
//! by any identity provider stays far below.
//!
//! | quota | default | what is refused | how |
//! |---|---|---|---|
//! | `requests-per-second` | 1,000, with a reserve of ten seconds | requests with a valid token or API key | 429 |
//! | `requests-at-once` | 256 | the same | 429 |
//! | `computing-seconds-per-minute` | 600 | the same | 429 |
//! | `written-bytes-per-day` | 64 GiB | the same; everything that is stored counts, also the log and the events | 429 |
//! | `storage-bytes`, `storage-keys` | 64 GiB, 100,000,000 | requests that create something; an eighth more is reserved for changes and removals | 503 |
//! | `http-requests-per-hour` | 360,000 | webhooks and requests to the identity provider; they are tried again later | |
//! | `emails-per-day` | 250,000 | emails; they are sent later | |
//!
//! A refusal names the quota and is counted. A line in the host's log tells the operator, at most once an hour for each quota
//! of an organization.

mod bucket;
mod usage;
mod volume;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub(crate) use usage::{AtOnce, Usage};
pub use volume::Size;

/// The kinds of quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Quota {
    /// Requests with a valid token or API key in a second; at least 25. The requests of ten seconds may come at once.
    RequestsPerSecond,
    /// Requests with a valid token or API key that are served or wait at the same time.
    RequestsAtOnce,
    /// Seconds for which the component computes in a minute, on all processors together.
    ComputingSecondsPerMinute,
    /// Bytes that are written in a day: data, the log and events. Bytes that replace others count too.
    WrittenBytesPerDay,
    /// Bytes that are stored, keys and values.
    StorageBytes,
    /// Keys that are stored.
    StorageKeys,
    /// Outgoing HTTP requests in an hour: webhooks, and requests to the identity provider.
    HttpRequestsPerHour,
    /// Emails in a day.
    EmailsPerDay,
}

impl Quota {
    /// All quotas.
    pub const ALL: [Self; 8] = [
        Self::RequestsPerSecond,
        Self::RequestsAtOnce,
        Self::ComputingSecondsPerMinute,
        Self::WrittenBytesPerDay,
        Self::StorageBytes,
        Self::StorageKeys,
        Self::HttpRequestsPerHour,
        Self::EmailsPerDay,
    ];

    /// Its name in settings, refusals and the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestsPerSecond => "requests-per-second",
            Self::RequestsAtOnce => "requests-at-once",
            Self::ComputingSecondsPerMinute => "computing-seconds-per-minute",
            Self::WrittenBytesPerDay => "written-bytes-per-day",
            Self::StorageBytes => "storage-bytes",
            Self::StorageKeys => "storage-keys",
            Self::HttpRequestsPerHour => "http-requests-per-hour",
            Self::EmailsPerDay => "emails-per-day",
        }
    }

    /// The limit unless the operator sets another.
    pub fn default_limit(self) -> u64 {
        match self {
            Self::RequestsPerSecond => 1_000,
            Self::RequestsAtOnce => 256,
            Self::ComputingSecondsPerMinute => 600,
            Self::WrittenBytesPerDay | Self::StorageBytes => 64 << 30,
            Self::StorageKeys => 100_000_000,
            Self::HttpRequestsPerHour => 360_000,
            Self::EmailsPerDay => 250_000,
        }
    }

    /// The lowest limit that may be set. Entra ID and Okta expect to be served 25 requests in a second.
    pub fn least(self) -> u64 {
        match self {
            Self::RequestsPerSecond => 25,
            _ => 1,
        }
    }

    /// In which time the limit's worth comes back, and how long a time's worth may be taken at once; `None` for what
    /// does not come back by itself.
    fn refill(self) -> Option<(Duration, Duration)> {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        match self {
            Self::RequestsPerSecond => Some((Duration::from_secs(1), Duration::from_secs(10))),
            Self::ComputingSecondsPerMinute => Some((minutes(1), minutes(1))),
            Self::HttpRequestsPerHour => Some((minutes(60), minutes(60))),
            Self::WrittenBytesPerDay | Self::EmailsPerDay => Some((minutes(24 * 60), minutes(24 * 60))),
            Self::RequestsAtOnce | Self::StorageBytes | Self::StorageKeys => None,
        }
    }

    fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a quota can't be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidQuota {
    /// There is no quota of this name.
    #[error("there is no quota {0:?}; there are {all}", all = Quota::ALL.map(Quota::name).join(", "))]
    Unknown(String),
    /// The limit is too low for this quota.
    #[error("the quota {0} can't be lower than {least}", least = .0.least())]
    TooLow(Quota),
    /// The limit is too high for this quota.
    #[error("the quota {0} can't be higher than {MOST}")]
    TooHigh(Quota),
}

/// The highest limit: the largest whole number that every reader of JSON keeps exactly (RFC 8259 §6).
const MOST: u64 = (1 << 53) - 1;

impl FromStr for Quota {
    type Err = InvalidQuota;

    fn from_str(name: &str) -> Result<Self, InvalidQuota> {
        Self::ALL.into_iter().find(|quota| quota.name() == name).ok_or_else(|| InvalidQuota::Unknown(name.to_owned()))
    }
}

/// The limits of all quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas([u64; Quota::ALL.len()]);

impl Default for Quotas {
    fn default() -> Self {
        Self(Quota::ALL.map(Quota::default_limit))
    }
}

impl Quotas {
    /// The limit of a quota.
    pub fn limit(&self, quota: Quota) -> u64 {
        self.0.get(quota.place()).copied().unwrap_or(u64::MAX)
    }

    /// These limits, with this limit for one quota.
    ///
    /// # Errors
    /// [`InvalidQuota::TooLow`] or [`InvalidQuota::TooHigh`].
    pub fn with(mut self, quota: Quota, limit: u64) -> Result<Self, InvalidQuota> {
        if limit < quota.least() {
            return Err(InvalidQuota::TooLow(quota));
        }
        if limit > MOST {
            return Err(InvalidQuota::TooHigh(quota));
        }
        if let Some(place) = self.0.get_mut(quota.place()) {
            *place = limit;
        }
        Ok(self)
    }

    /// These limits, with the given ones in place of those of the same names.
    ///
    /// # Errors
    /// [`InvalidQuota`] if there is no such quota, or a limit is too low or too high.
    pub fn with_all(self, named: &BTreeMap<String, u64>) -> Result<Self, InvalidQuota> {
        named.iter().try_fold(self, |quotas, (name, limit)| quotas.with(name.parse()?, *limit))
    }
}

/// Something was refused because a quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the organization has used up its quota {quota} of {limit}; the operator of the server can raise it")]
pub(crate) struct Exceeded {
    /// Which.
    pub(crate) quota: Quota,
    /// How much it allows.
    pub(crate) limit: u64,
    /// When to try again, in whole seconds; at least one.
    pub(crate) wait: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_have_names_and_a_floor() {
        for quota in Quota::ALL {
            assert_eq!(quota.name().parse(), Ok(quota));
            assert!(quota.default_limit() >= quota.least());
            let lowest = Quotas::default().with(quota, quota.least()).unwrap();
            assert_eq!(lowest.limit(quota), quota.least());
            assert_eq!(lowest.with(quota, quota.least() - 1), Err(InvalidQuota::TooLow(quota)));
            assert!(lowest.with(quota, MOST).is_ok());
            assert_eq!(lowest.with(quota, MOST + 1), Err(InvalidQuota::TooHigh(quota)));
        }
        assert!(matches!("requests".parse::<Quota>(), Err(InvalidQuota::Unknown(_))));
        assert_eq!(Quota::RequestsPerSecond.least(), 25);
    }

    #[test]
    fn what_is_named_takes_the_place_of_the_default_and_the_rest_stays() {
        let named = BTreeMap::from([("emails-per-day".to_owned(), 7)]);
        let quotas = Quotas::default().with_all(&named).unwrap();
        assert_eq!(quotas.limit(Quota::EmailsPerDay), 7);
        assert_eq!(quotas.limit(Quota::StorageKeys), Quota::StorageKeys.default_limit());
        assert!(Quotas::default().with_all(&BTreeMap::from([("x".to_owned(), 7)])).is_err());
    }
}
