//! Who computes when: short work goes first, and organizations take turns.
//!
//! A call computes in slices (module `meter`). Before each it takes a turn in one of two lanes, which it gives back at
//! the slice's end and while it waits for the host. In each lane organizations are served one after the other, a slice
//! each, however many calls each has.
//!
//! - **The short lane** is for the first slice of a call, which is all that most calls need. It runs on the thread that
//!   serves the request.
//! - **The long lane** is for what comes after: searches through all users, sorts, exports, large groups, and what the host
//!   compresses and inflates. It has a turn for each processor. It runs on threads of its own, so that those which take
//!   requests in are never kept from it; the system shares the processors between the two.

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
    /// As many turns as the machine has processors in the long lane, and one more in the short one: a thread that has
    /// just given its turn away need not wait for the next.
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, std::num::NonZero::get);
        Self { short: Gate::new(processors + 1), long: Gate::new(processors) }
    }

    /// The lane of a call that has computed so long.
    pub(super) fn after(&self, computed: Duration) -> &Gate<OrganizationId> {
        if computed < SHORT { &self.short } else { &self.long }
    }

    /// Whether a call that has computed so long computes on a thread of its own.
    pub(super) fn is_long(computed: Duration) -> bool {
        computed >= SHORT
    }

    /// Turns for long work that the host itself does for the organization, step by step.
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
    /// Waits for the next turn. It is to be dropped within a millisecond.
    pub(crate) async fn next(&self) -> Turn<OrganizationId> {
        // Also where the lane is free: a task that always finds a turn would never let its thread go.
        tokio::task::yield_now().await;
        self.lane.enter(self.organization).await
    }

    /// Does a step in the next turn, on a thread of its own as far as the runtime has one: what takes requests in goes on.
    pub(crate) async fn run<T>(&self, step: impl FnOnce() -> T) -> T {
        let _turn = self.next().await;
        aside(step)
    }
}

/// Computes while others take over what else this thread has to do.
pub(super) fn aside<T>(compute: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(compute),
        // There is no other thread.
        _ => compute(),
    }
}
