//! The resource limits of one call, of one organization and of all together. No limit can be switched off.

use std::time::Duration;

const MIB: usize = 1 << 20;

/// The resource limits for calls of the component. The defaults are for a dedicated machine with 2 cores and 4 GiB or
/// more.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Memory of one instance, in bytes. It is more than the largest request needs: a group of 16 MiB with 100,000
    /// members and their names.
    pub memory_per_instance: usize,
    /// Memory for one organization, in bytes: its instances, its requests, and its answers until they are sent. It is
    /// enough for two of the largest requests at a time. Whatever this limit is, an organization never gets more memory
    /// than then remains free for the others.
    pub memory_per_organization: usize,
    /// Memory for all organizations, in bytes.
    pub memory: usize,
    /// Memory for callers who are not authenticated, in bytes.
    pub memory_for_strangers: usize,
    /// How long a call may compute; waiting for storage, mail or HTTP does not count. The largest request takes about a
    /// second.
    pub compute_per_call: Duration,
    /// How long a call may take in total, including waiting.
    pub time_per_call: Duration,
    /// Calls that run at the same time. A call waits for storage most of its time, so this is far more than the number
    /// of cores.
    pub calls: usize,
    /// Calls of one organization that run at the same time. Whatever this limit is, an organization never gets more
    /// turns than then remain free for the others.
    pub calls_per_organization: usize,
    /// Calls of one organization that wait for their turn. More are refused at once.
    pub waiting_per_organization: usize,
    /// How long a call waits for its turn before it is refused.
    pub wait: Duration,
    /// Instances that are kept for their organizations' next calls.
    pub warm_instances: usize,
    /// An instance is dropped after this many calls, so that its leaks and its fragmentation stay small.
    pub calls_per_instance: u32,
    /// The age at which an instance is dropped.
    pub instance_age: Duration,
    /// Memory of a kept instance, in bytes: one that has grown beyond it, because of a rare large request, is dropped.
    /// All kept instances together take at most a quarter of `memory`.
    pub warm_memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_per_instance: 256 * MIB,
            memory_per_organization: 512 * MIB,
            memory: 2048 * MIB,
            memory_for_strangers: 24 * MIB,
            compute_per_call: Duration::from_secs(10),
            time_per_call: Duration::from_secs(60),
            calls: 128,
            calls_per_organization: 32,
            waiting_per_organization: 256,
            wait: Duration::from_secs(5),
            warm_instances: 256,
            calls_per_instance: 10_000,
            instance_age: Duration::from_secs(600),
            warm_memory: 16 * MIB,
        }
    }
}

impl Limits {
    /// The most instances that exist at the same time: running ones, kept ones, and for each running one another that
    /// is just being dropped.
    pub(super) fn instances(&self) -> usize {
        self.calls * 2 + self.warm_instances
    }
}

/// The most bytes that the guest may pass to the host in one call. They suffice for a transaction of 96 MiB, which is
/// the largest that the contract allows, with its lists.
pub(super) const HOSTCALL_BYTES: usize = 192 * MIB;

/// The most elements of a table. The guest's own function table has a few thousand.
pub(super) const TABLE_ELEMENTS: usize = 20_000;

/// The most WASI handles of one instance. The guest holds three streams at the most.
pub(super) const HANDLES: usize = 64;

/// The most random bytes in one call. The guest draws 32 at a time.
pub(super) const RANDOM_BYTES: u64 = 64 << 10;
