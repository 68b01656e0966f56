//! Scheduling of computing time: short work goes first, and organizations take turns.
//!
//! A call computes in slices (module `meter`). Before each slice it waits for a turn in one of two queues, here called
//! lanes. It gives the turn back at the slice's end and while it waits for the host. In each lane, organizations get
//! one slice after the other, however many calls each of them has.
//!
//! - **The short lane** is for the first slice of a call. Most calls need no more. It runs on the thread that serves
//!   the request.
//! - **The long lane** is for all further slices: searches through all users, sorting, exports, large groups, and
//!   compression by the host. It has one turn for each processor. It runs on threads of its own, so that the threads
//!   that accept requests are always free; the operating system shares the processors between the two.

use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};

use crate::capability::storage::OrganizationId;
use crate::fair::{Gate, Turn};

/// How long a call may compute in the short lane.
const SHORT: Duration = Duration::from_millis(3);

/// The two lanes.
pub(crate) struct Lanes {
    short: Gate<OrganizationId>,
    long: Gate<OrganizationId>,
}

impl Lanes {
    /// The long lane has as many turns as the machine has processors. The short lane has one more, so that a thread
    /// that has just given its turn back need not wait for the next.
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, std::num::NonZero::get);
        Self { short: Gate::new(processors + 1), long: Gate::new(processors) }
    }

    /// The lane for a call that has computed for this long.
    pub(super) fn after(&self, computed: Duration) -> &Gate<OrganizationId> {
        if computed < SHORT { &self.short } else { &self.long }
    }

    /// Whether a call that has computed for this long runs on a thread of its own.
    pub(super) fn is_long(computed: Duration) -> bool {
        computed >= SHORT
    }

    /// Turns for long work that the host itself does for the organization in steps.
    pub(crate) fn steps<'a>(&'a self, organization: &'a OrganizationId) -> Steps<'a> {
        Steps { lane: &self.long, organization }
    }
}

/// An organization's turns in the long lane.
#[derive(Clone, Copy)]
pub(crate) struct Steps<'a> {
    lane: &'a Gate<OrganizationId>,
    organization: &'a OrganizationId,
}

impl Steps<'_> {
    /// Waits for the next turn, which must be dropped within a millisecond.
    pub(crate) async fn next(&self) -> Turn<OrganizationId> {
        // The task yields even if a turn is free: otherwise it would never release its thread.
        tokio::task::yield_now().await;
        self.lane.enter(self.organization).await
    }

    /// Does a step in the next turn, on a thread of its own if the runtime has several, so that others can accept
    /// requests.
    pub(crate) async fn run<T>(&self, step: impl FnOnce() -> T) -> T {
        let _turn = self.next().await;
        aside(step)
    }
}

/// Computes while other threads take over the other tasks of this one.
pub(super) fn aside<T>(compute: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(compute),
        // The runtime has no other thread.
        _ => compute(),
    }
}
