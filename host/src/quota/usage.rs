//! What one organization has used of its quotas.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::bucket::{Bucket, Rate};
use super::volume::{Fullness, Size, Volume};
use super::{Exceeded, Quota, Quotas};
use crate::hourly::warn_hourly;

/// How long limits count that were read: somebody may set others meanwhile, in another process too.
const FRESH: Duration = Duration::from_secs(5);
/// Between two measurements because something was refused.
const MEASURED: Duration = Duration::from_secs(5);
/// Between two refusals that the component writes into the organization's log.
const TOLD: Duration = Duration::from_secs(1);
/// What comes back within this time counts as if it were there, when the use is to be forgotten: less than passes between
/// two looks for what can be.
const FORGIVEN: Duration = Duration::from_millis(100);
/// How long to wait when the organization's storage is full, in seconds: somebody has to make room.
const WAIT_WHEN_FULL: u32 = 300;

/// One organization's use.
#[derive(Debug)]
pub(crate) struct Usage {
    /// For the host's log.
    name: String,
    /// What all times here are counted from, in nanoseconds.
    base: Instant,
    limits: RwLock<Quotas>,
    /// When the limits are to be read again.
    stale_at: AtomicU64,
    buckets: [Bucket; Quota::ALL.len()],
    at_once: AtomicUsize,
    volume: Mutex<Volume>,
    /// When what is kept may be measured again because something was refused.
    measure_at: AtomicU64,
    refused: [Refused; Quota::ALL.len()],
    /// When a refusal may be written into the organization's log again.
    tell_at: AtomicU64,
    /// Refusals that were not written there since the last one that was.
    untold: AtomicU64,
}

/// Refusals of one quota.
#[derive(Debug, Default)]
struct Refused {
    count: AtomicU64,
    /// How many of them somebody was told of who asked what is new.
    noticed: AtomicU64,
}

impl Usage {
    /// Nothing was used yet. The limits are the default ones until they are read.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            base: Instant::now(),
            limits: RwLock::default(),
            stale_at: AtomicU64::new(0),
            buckets: Default::default(),
            at_once: AtomicUsize::new(0),
            volume: Mutex::default(),
            measure_at: AtomicU64::new(0),
            refused: Default::default(),
            tell_at: AtomicU64::new(0),
            untold: AtomicU64::new(0),
        }
    }

    /// Whether the limits are to be read now; whoever is told so does it.
    pub(crate) fn asks_for_limits(&self) -> bool {
        self.passes(&self.stale_at, FRESH)
    }

    /// The limits were read.
    pub(crate) fn set_limits(&self, limits: Quotas) {
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    fn limits(&self) -> Quotas {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request of a caller who is known, before it is served, as long as the answer lives.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<AtOnce, Exceeded> {
        for quota in [Quota::ComputingSecondsPerMinute, Quota::WrittenBytesPerDay] {
            if let Some(wait) = self.bucket(quota).and_then(|(bucket, rate)| bucket.debt(rate, self.now())) {
                return Err(self.refuse(quota, seconds(wait)));
            }
        }
        // It is counted before the place is looked for, so that many who are refused for that count as well.
        self.take(Quota::RequestsPerSecond, 1)?;
        let entered = AtOnce(Arc::clone(self));
        let before = self.at_once.fetch_add(1, Ordering::Relaxed) as u64;
        if before < self.limits().limit(Quota::RequestsAtOnce) {
            Ok(entered)
        } else {
            Err(self.refuse(Quota::RequestsAtOnce, 1))
        }
    }

    /// Counts a request whose caller turned out to be known after it was served.
    pub(crate) fn has_served(&self) {
        self.charge(Quota::RequestsPerSecond, 1);
    }

    /// The component has computed for the organization.
    pub(crate) fn has_computed(&self, time: Duration) {
        // In microseconds, of which the limit's seconds have a million.
        if let Some((bucket, rate)) = self.bucket(Quota::ComputingSecondsPerMinute) {
            let rate = Rate { amount: rate.amount.saturating_mul(1_000_000), ..rate };
            bucket.charge(rate, self.now(), u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Takes so much of a quota that comes back by itself.
    pub(crate) fn take(&self, quota: Quota, amount: u64) -> Result<(), Exceeded> {
        let Some((bucket, rate)) = self.bucket(quota) else { return Ok(()) };
        bucket.take(rate, self.now(), amount).map_err(|wait| self.refuse(quota, seconds(wait)))
    }

    fn charge(&self, quota: Quota, amount: u64) {
        if let Some((bucket, rate)) = self.bucket(quota) {
            bucket.charge(rate, self.now(), amount);
        }
    }

    fn bucket(&self, quota: Quota) -> Option<(&Bucket, Rate)> {
        let (per, depth) = quota.refill()?;
        let bucket = self.buckets.get(quota.place())?;
        Some((bucket, Rate { amount: self.limits().limit(quota), per, depth }))
    }

    /// Whether something may be stored: nothing new in a full organization, and nothing large in one that is far beyond its
    /// quota. What is small and not new always may: whoever is removed or deactivated must lose the access.
    pub(crate) fn may_store(&self, is_new: bool, is_small: bool) -> Result<(), Exceeded> {
        let quota = self.kept();
        let fullness = self.volume().fullness(quota);
        let refuses = match fullness {
            Fullness::Below => false,
            Fullness::At => is_new,
            Fullness::Beyond => is_new || !is_small,
        };
        if !refuses {
            return Ok(());
        }
        let bytes = self.volume().measured().is_some_and(|measured| measured.bytes > quota.bytes);
        Err(self.refuse(if bytes { Quota::StorageBytes } else { Quota::StorageKeys }, WAIT_WHEN_FULL))
    }

    /// So much was stored. Returns whether what is kept is to be measured now.
    pub(crate) fn has_stored(&self, size: Size) -> bool {
        self.charge(Quota::WrittenBytesPerDay, size.bytes);
        let quota = self.kept();
        let mut volume = self.volume();
        volume.wrote(size);
        volume.asks(quota)
    }

    /// Whether what is kept is to be measured now, after something was refused: what was removed since then counts soon.
    pub(crate) fn asks_after_a_refusal(&self) -> bool {
        self.passes(&self.measure_at, MEASURED) && self.volume().asks_again()
    }

    /// Measures what is kept, by `measure`.
    pub(crate) async fn measure<E: std::fmt::Display>(&self, measure: impl Future<Output = Result<Size, E>>) {
        let counted = self.volume().written();
        match measure.await {
            Ok(size) => self.volume().is(size, counted),
            Err(error) => {
                warn_hourly!("quota-measured"; organization = self.name,
                    "the organization's data can't be measured: {error}");
                self.volume().unknown();
            }
        }
    }

    fn kept(&self) -> Size {
        let limits = self.limits();
        Size { bytes: limits.limit(Quota::StorageBytes), keys: limits.limit(Quota::StorageKeys) }
    }

    fn volume(&self) -> MutexGuard<'_, Volume> {
        self.volume.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is lost if the use is forgotten: all comes back that was taken, and nobody is inside.
    pub(crate) fn is_settled(&self) -> bool {
        let soon = self.now().saturating_add(u64::try_from(FORGIVEN.as_nanos()).unwrap_or(u64::MAX));
        self.at_once.load(Ordering::Relaxed) == 0
            && self.buckets.iter().all(|bucket| bucket.is_full(soon))
            && self.volume().is_settled(self.kept())
    }

    /// Whether what is kept is to be measured so that the use can be forgotten.
    pub(crate) fn asks_before_it_is_forgotten(&self) -> bool {
        let quota = self.kept();
        self.volume().asks_before_it_is_forgotten(quota)
    }

    /// Counts a refusal, and tells the operator of it now and then.
    fn refuse(&self, quota: Quota, wait: u32) -> Exceeded {
        let exceeded = Exceeded { quota, limit: self.limits().limit(quota), wait: wait.max(1) };
        if let Some(refused) = self.refused.get(quota.place()) {
            refused.count.fetch_add(1, Ordering::Relaxed);
        }
        warn_hourly!(&format!("quota {quota} {}", self.name); organization = self.name, quota = %quota, "{exceeded}");
        exceeded
    }

    /// How often the quota was the reason of a refusal.
    pub(crate) fn refusals(&self, quota: Quota) -> u64 {
        self.refused.get(quota.place()).map_or(0, |refused| refused.count.load(Ordering::Relaxed))
    }

    /// Quotas because of which something was refused since the last call of this.
    pub(crate) fn newly_refused(&self) -> Vec<Quota> {
        let is_new = |quota: &Quota| {
            self.refused.get(quota.place()).is_some_and(|refused| {
                let count = refused.count.load(Ordering::Relaxed);
                refused.noticed.swap(count, Ordering::Relaxed) != count
            })
        };
        Quota::ALL.into_iter().filter(is_new).collect()
    }

    /// Whether a refusal is to be written into the organization's log: one a second. The answer is how many were not
    /// written since the last one.
    pub(crate) fn tells(&self) -> Option<u64> {
        if self.passes(&self.tell_at, TOLD) {
            return Some(self.untold.swap(0, Ordering::Relaxed));
        }
        self.untold.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Whether the time has come; then it comes again after `pause`.
    fn passes(&self, time: &AtomicU64, pause: Duration) -> bool {
        let now = self.now().max(1);
        let next = now.saturating_add(u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX));
        let come = |time: u64| (time <= now).then_some(next);
        time.fetch_update(Ordering::Relaxed, Ordering::Relaxed, come).is_ok()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// In whole seconds, rounded up.
fn seconds(nanoseconds: u64) -> u32 {
    u32::try_from(nanoseconds.div_ceil(1_000_000_000)).unwrap_or(u32::MAX)
}

/// A request that is counted as one of those at the same time until this is dropped.
#[derive(Debug)]
pub(crate) struct AtOnce(Arc<Usage>);

impl Drop for AtOnce {
    fn drop(&mut self) {
        self.0.at_once.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn usage(limits: &[(Quota, u64)]) -> Arc<Usage> {
        let usage = Arc::new(Usage::new("acme"));
        let quotas = limits.iter().try_fold(Quotas::default(), |quotas, (quota, limit)| quotas.with(*quota, *limit));
        usage.set_limits(quotas.unwrap());
        usage
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_rate_at_the_limit_is_never_refused_and_a_flood_is_told_when_to_come_again() {
        let usage = usage(&[(Quota::RequestsPerSecond, 25)]);
        for _ in 0..10_000 {
            usage.enter().unwrap();
            advance(Duration::from_millis(40)).await;
        }
        for _ in 0..250 {
            usage.enter().unwrap();
        }
        let refused = usage.enter().unwrap_err();
        assert_eq!((refused.quota, refused.limit, refused.wait), (Quota::RequestsPerSecond, 25, 1));
        assert_eq!(usage.refusals(Quota::RequestsPerSecond), 1);
        assert_eq!((usage.newly_refused(), usage.newly_refused()), (vec![Quota::RequestsPerSecond], Vec::new()));
        advance(Duration::from_secs(1)).await;
        usage.enter().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn requests_at_once_are_counted_until_they_are_answered() {
        let usage = usage(&[(Quota::RequestsAtOnce, 2)]);
        let (one, _two) = (usage.enter().unwrap(), usage.enter().unwrap());
        assert_eq!(usage.enter().unwrap_err().quota, Quota::RequestsAtOnce);
        drop(one);
        usage.enter().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_computes_or_writes_beyond_the_quota_waits_until_it_has_come_back() {
        let usage = usage(&[(Quota::ComputingSecondsPerMinute, 30), (Quota::WrittenBytesPerDay, 86_400)]);
        usage.has_computed(Duration::from_secs(30));
        usage.enter().unwrap();
        usage.has_computed(Duration::from_millis(500));
        let refused = usage.enter().unwrap_err();
        assert_eq!((refused.quota, refused.wait), (Quota::ComputingSecondsPerMinute, 1));
        advance(Duration::from_secs(1)).await;
        usage.enter().unwrap();
        let _ = usage.has_stored(Size { bytes: 86_400 + 10, keys: 1 });
        let refused = usage.enter().unwrap_err();
        assert_eq!((refused.quota, refused.wait), (Quota::WrittenBytesPerDay, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_organization_may_still_change_and_remove() {
        let usage = usage(&[(Quota::StorageBytes, 1_000)]);
        assert!(usage.has_stored(Size { bytes: 100, keys: 1 }));
        usage.measure(async { Ok::<_, String>(Size { bytes: 1_001, keys: 9 }) }).await;
        assert_eq!(usage.may_store(true, false).unwrap_err().quota, Quota::StorageBytes);
        assert_eq!(usage.may_store(false, false), Ok(()));
        usage.measure(async { Ok::<_, String>(Size { bytes: 2_000, keys: 9 }) }).await;
        assert!(usage.may_store(false, false).is_err());
        assert_eq!(usage.may_store(false, true), Ok(()));
        assert!(!usage.is_settled());
        // What was removed meanwhile counts soon after the next refusal.
        assert!(usage.asks_after_a_refusal() && !usage.asks_after_a_refusal());
        usage.measure(async { Ok::<_, String>(Size { bytes: 900, keys: 9 }) }).await;
        assert_eq!(usage.may_store(true, false), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_used_is_forgotten_only_after_it_has_come_back() {
        let usage = usage(&[]);
        assert!(usage.is_settled());
        usage.take(Quota::EmailsPerDay, 250_000).unwrap();
        advance(Duration::from_secs(86_399)).await;
        assert!(!usage.is_settled());
        advance(Duration::from_secs(2)).await;
        assert!(usage.is_settled());
    }

    #[tokio::test(start_paused = true)]
    async fn one_refusal_a_second_is_told_and_the_others_are_counted() {
        let usage = usage(&[]);
        advance(Duration::from_secs(1)).await;
        assert_eq!((usage.tells(), usage.tells(), usage.tells()), (Some(0), None, None));
        advance(Duration::from_secs(1)).await;
        assert_eq!(usage.tells(), Some(2));
    }
}
