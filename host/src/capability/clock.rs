//! The clock: the trait by which an embedder, or a test, tells the time, and its place in WASI.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use wasmtime_wasi::HostWallClock;

/// The wall clock that the component and the host's scheduler read.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> u64;
}

/// How far the clocks of two hosts may be apart, in milliseconds, before one takes the other's times for wrong.
pub const TOLERANCE: u64 = 60_000;

/// Whether a time that was stored can be right: it lies no further ahead of `now` than `longest`, all in milliseconds. A
/// clock that was ahead, and was set right later, leaves times behind that do.
pub fn is_possible(time: u64, now: u64, longest: u64) -> bool {
    time.saturating_sub(now) <= longest.saturating_add(TOLERANCE)
}

/// Whether what ends at `until`, and never lasts longer than `longest`, still lasts at `now`, all in milliseconds.
pub fn lasts(until: u64, now: u64, longest: u64) -> bool {
    until > now && is_possible(until, now, longest)
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> u64 {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }
}

/// A clock that stands still until it is set: for tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows `now`, in milliseconds since the Unix epoch.
    pub fn new(now: u64) -> Self {
        Self(AtomicU64::new(now))
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now: u64) {
        self.0.store(now, Ordering::SeqCst);
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A clock as `wasi:clocks/wall-clock`.
pub(crate) struct WallClock(pub(crate) Arc<dyn Clock>);

impl HostWallClock for WallClock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now())
    }
}
