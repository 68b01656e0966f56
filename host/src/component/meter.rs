//! Measures how long a call has computed, and runs the ticker that makes running code check its time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use wasmtime::{Engine, EngineWeak, UpdateDeadline};

use super::lanes::{self, Lanes};
use crate::capability::storage::OrganizationId;
use crate::fair::Turn;
use crate::quota::Usage;

/// How long the guest computes before it lets other tasks of its thread run and checks its deadline.
const SLICE: Duration = Duration::from_millis(5);
/// The ticker sleeps after this many ticks without a call, so that an idle host uses no processor time.
const IDLE_TICKS: u32 = 200;

/// Measures the time during which a call is polled. Waiting for storage or for a thread does not count.
pub(super) struct Meter {
    base: Instant,
    /// Nanoseconds in polls that have ended.
    spent: AtomicU64,
    /// When the current poll began, in nanoseconds since `base`.
    resumed: AtomicU64,
    budget: u64,
}

impl Meter {
    pub(super) fn new(budget: Duration) -> Self {
        Self { base: Instant::now(), spent: AtomicU64::new(0), resumed: AtomicU64::new(0), budget: nanoseconds(budget) }
    }

    /// Resets the time for the next call.
    pub(super) fn reset(&self) {
        self.spent.store(0, Ordering::Relaxed);
    }

    /// Decides at the end of a slice whether the call continues.
    pub(super) fn verdict(&self) -> UpdateDeadline {
        let running = self.running();
        if self.spent.load(Ordering::Relaxed) + running > self.budget {
            UpdateDeadline::Interrupt
        } else if running < nanoseconds(SLICE) / 2 {
            // The tick came while the guest waited for the host, so its new slice has only just begun.
            UpdateDeadline::Continue(1)
        } else {
            UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
        }
    }

    /// How long the call has computed, without the current poll.
    pub(super) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Ordering::Relaxed))
    }

    fn running(&self) -> u64 {
        nanoseconds(self.base.elapsed()).saturating_sub(self.resumed.load(Ordering::Relaxed))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A call whose polls are measured. Before each poll it waits for a turn of its organization.
pub(super) struct Metered<'a, T> {
    meter: Arc<Meter>,
    call: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    lanes: &'a Lanes,
    organization: &'a OrganizationId,
    usage: &'a Usage,
    /// The call's place in the lane's queue.
    place: Option<Pin<Box<dyn Future<Output = Turn<OrganizationId>> + Send + 'a>>>,
}

impl<'a, T> Metered<'a, T> {
    pub(super) fn new(
        meter: Arc<Meter>,
        call: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
        lanes: &'a Lanes,
        organization: &'a OrganizationId,
        usage: &'a Usage,
    ) -> Self {
        Self { meter, call, lanes, organization, usage, place: None }
    }

    fn poll_turn(&mut self, computed: Duration, context: &mut Context<'_>) -> Poll<Turn<OrganizationId>> {
        let place = match &mut self.place {
            Some(place) => place,
            None => {
                let lane = self.lanes.after(computed);
                if let Some(turn) = lane.try_enter(self.organization) {
                    return Poll::Ready(turn);
                }
                self.place.insert(Box::pin(lane.enter(self.organization)))
            }
        };
        let turn = std::task::ready!(place.as_mut().poll(context));
        self.place = None;
        Poll::Ready(turn)
    }
}

impl<T> Future for Metered<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let computed = self.meter.spent();
        let _turn = std::task::ready!(self.poll_turn(computed, context));
        let now = nanoseconds(self.meter.base.elapsed());
        self.meter.resumed.store(now, Ordering::Relaxed);
        let polled = if Lanes::is_long(computed) {
            lanes::aside(|| self.call.as_mut().poll(context))
        } else {
            self.call.as_mut().poll(context)
        };
        let running = self.meter.running();
        self.meter.spent.fetch_add(running, Ordering::Relaxed);
        self.usage.has_computed(Duration::from_nanos(running));
        polled
    }
}

/// The thread that ends slices: it increments the engine's epoch while calls run.
pub(super) struct Ticker {
    state: Arc<TickerState>,
    thread: Thread,
}

#[derive(Default)]
struct TickerState {
    /// Whether a call has begun since the last tick.
    called: AtomicBool,
    /// The number of running calls.
    running: AtomicU64,
    asleep: AtomicBool,
    stopped: AtomicBool,
}

impl Ticker {
    /// Starts the thread, which stops when this value is dropped.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let state = Arc::new(TickerState::default());
        let thread = thread::Builder::new()
            .name("wasm-ticker".into())
            .spawn({
                let (state, engine) = (Arc::clone(&state), engine.weak());
                move || tick(&state, &engine)
            })?
            .thread()
            .clone();
        Ok(Self { state, thread })
    }

    /// Keeps the ticker running as long as the returned value lives.
    pub(super) fn running(&self) -> Running<'_> {
        self.state.running.fetch_add(1, Ordering::SeqCst);
        self.state.called.store(true, Ordering::Relaxed);
        if self.state.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(&self.state)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Keeps the ticker awake.
pub(super) struct Running<'a>(&'a TickerState);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(state: &TickerState, engine: &EngineWeak) {
    let mut idle = 0;
    while !state.stopped.load(Ordering::SeqCst) {
        if idle < IDLE_TICKS {
            thread::sleep(SLICE);
        } else {
            state.asleep.store(true, Ordering::SeqCst);
            // A call that began before it could see the flag is already counted.
            if state.running.load(Ordering::SeqCst) == 0 && !state.stopped.load(Ordering::SeqCst) {
                thread::park();
            }
            state.asleep.store(false, Ordering::SeqCst);
            idle = 0;
        }
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        let called = state.called.swap(false, Ordering::Relaxed);
        idle = if called || state.running.load(Ordering::SeqCst) > 0 { 0 } else { idle + 1 };
    }
}
