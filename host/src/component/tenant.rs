//! What one organization takes at the moment, and the memory that all take together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use wasmtime::ResourceLimiter;

use super::limits::Limits;

/// One organization's share.
pub(super) struct Tenant {
    /// Calls that may run.
    pub(super) turns: Semaphore,
    /// Calls that wait.
    pub(super) waiting: AtomicUsize,
    /// Cancelled when the organization is deleted.
    pub(super) ended: CancellationToken,
    memory: AtomicUsize,
}

impl Tenant {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            turns: Semaphore::new(limits.calls_per_organization),
            waiting: AtomicUsize::new(0),
            ended: CancellationToken::new(),
            memory: AtomicUsize::new(0),
        }
    }
}

/// Why memory was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OutOfMemory {
    #[error("the instance has all the memory that one instance may have")]
    Instance,
    #[error("the organization's instances have all the memory that one organization may have")]
    Organization,
    #[error("all instances together have all the memory that they may have")]
    Host,
}

/// Counts the memory of one instance, and gives it back when the instance is dropped.
pub(super) struct Memory {
    held: usize,
    tenant: Arc<Tenant>,
    host: Arc<AtomicUsize>,
    limits: Arc<Limits>,
}

impl Memory {
    pub(super) fn new(tenant: Arc<Tenant>, host: Arc<AtomicUsize>, limits: Arc<Limits>) -> Self {
        Self { held: 0, tenant, host, limits }
    }

    /// Whose instance it is.
    pub(super) fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Bytes that the instance has.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    fn grow(&mut self, by: usize) -> Result<(), OutOfMemory> {
        if self.held.saturating_add(by) > self.limits.memory_per_instance {
            return Err(OutOfMemory::Instance);
        }
        take(&self.tenant.memory, by, self.limits.memory_per_organization).ok_or(OutOfMemory::Organization)?;
        if take(&self.host, by, self.limits.memory).is_none() {
            self.tenant.memory.fetch_sub(by, Ordering::Relaxed);
            return Err(OutOfMemory::Host);
        }
        self.held += by;
        Ok(())
    }
}

/// Adds to the counter unless it would be more than `most`.
fn take(counter: &AtomicUsize, by: usize, most: usize) -> Option<()> {
    let within = |now: usize| now.checked_add(by).filter(|sum| *sum <= most);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).ok().map(|_| ())
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.tenant.memory.fetch_sub(self.held, Ordering::Relaxed);
        self.host.fetch_sub(self.held, Ordering::Relaxed);
    }
}

impl ResourceLimiter for Memory {
    /// An error ends the call at once, with a backtrace of who asked for the memory. What is counted is not given back
    /// when the growth itself fails afterwards: the instance is dropped then anyway.
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(desired.saturating_sub(current))?;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= super::limits::TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        8
    }

    fn tables(&self) -> usize {
        4
    }

    fn memories(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Arc<Limits> {
        Arc::new(Limits { memory_per_instance: 10, memory_per_organization: 15, memory: 20, ..Limits::default() })
    }

    #[test]
    fn memory_is_bounded_per_instance_per_organization_and_for_all() {
        let (limits, host) = (limits(), Arc::new(AtomicUsize::new(0)));
        let [one, two] = [(); 2].map(|()| Arc::new(Tenant::new(&limits)));
        let instance = |tenant: &Arc<Tenant>| Memory::new(Arc::clone(tenant), Arc::clone(&host), Arc::clone(&limits));
        let (mut first, mut second, mut other) = (instance(&one), instance(&one), instance(&two));
        assert_eq!(first.grow(11), Err(OutOfMemory::Instance));
        assert_eq!(first.grow(10), Ok(()));
        assert_eq!(second.grow(6), Err(OutOfMemory::Organization));
        assert_eq!(second.grow(5), Ok(()));
        assert_eq!(other.grow(6), Err(OutOfMemory::Host));
        assert_eq!(other.grow(5), Ok(()));
        drop(first);
        assert_eq!(host.load(Ordering::Relaxed), 10);
        assert_eq!(other.grow(5), Ok(()));
        assert_eq!(second.grow(5), Ok(()));
        drop((second, other));
        assert_eq!((host.load(Ordering::Relaxed), one.memory.load(Ordering::Relaxed)), (0, 0));
    }
}
