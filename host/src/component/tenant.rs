//! The resources that one organization uses at the moment: its calls, the memory of its instances, and its quotas.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio_util::sync::CancellationToken;
use wasmtime::ResourceLimiter;

use super::assigned::Assigned;
use super::limits::Limits;
use crate::ledger::{Account, Full, Held, Ledger};
use crate::quota::Usage;

/// The resources of one organization.
pub(super) struct Tenant {
    /// The number of waiting calls.
    pub(super) waiting: AtomicUsize,
    /// Cancelled when the organization is deleted.
    pub(super) ended: CancellationToken,
    /// The account of the memory that the host holds for it.
    pub(super) account: Arc<Account>,
    /// What it has used of its quotas.
    pub(super) usage: Arc<Usage>,
    /// The component that its calls run.
    pub(super) assigned: Assigned,
}

impl Tenant {
    pub(super) fn new(name: &str, limits: &Limits, ledger: &Ledger) -> Self {
        let account = ledger.open(limits.memory_per_organization);
        let usage = Arc::new(Usage::new(name));
        let (waiting, ended) = (AtomicUsize::new(0), CancellationToken::new());
        Self { waiting, ended, account, usage, assigned: Assigned::default() }
    }

    /// Whether the organization has no running call and holds nothing, so that it may be forgotten.
    pub(super) fn is_idle(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && Arc::strong_count(&self.account) == 1 && Arc::strong_count(&self.usage) == 1
    }
}

/// The reason why memory was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum OutOfMemory {
    #[error("the instance has all the memory that one instance may have")]
    Instance,
    #[error("the organization holds all the memory that one organization may have")]
    Organization,
    #[error("all organizations together hold all the memory that they may have")]
    Host,
}

impl From<Full> for OutOfMemory {
    fn from(full: Full) -> Self {
        match full {
            Full::Account => Self::Organization,
            Full::Everybody => Self::Host,
        }
    }
}

/// Counts the memory of one instance, and releases it when the instance is dropped.
pub(super) struct Memory {
    held: Held,
    most: usize,
    /// The tenant exists at least as long as its instances.
    tenant: Arc<Tenant>,
}

impl Memory {
    pub(super) fn new(tenant: Arc<Tenant>, limits: &Limits) -> Self {
        Self { held: Held::nothing(Arc::clone(&tenant.account)), most: limits.memory_per_instance, tenant }
    }

    /// The organization of the instance.
    pub(super) fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// How many bytes the instance has.
    pub(super) fn held(&self) -> usize {
        self.held.bytes()
    }

    fn grow(&mut self, by: usize) -> Result<(), OutOfMemory> {
        if self.held.bytes().saturating_add(by) > self.most {
            return Err(OutOfMemory::Instance);
        }
        Ok(self.held.grow(by)?)
    }
}

impl ResourceLimiter for Memory {
    /// An error ends the call at once, with a backtrace of the code that asked for the memory. If the growth itself
    /// fails later, the counted memory is not released here, since the instance is dropped anyway.
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

    #[test]
    fn memory_is_bounded_per_instance_per_organization_and_for_all() {
        let limits = Limits { memory_per_instance: 10, memory_per_organization: 15, ..Limits::default() };
        let ledger = Ledger::new(40, 1);
        let [one, two] = [(); 2].map(|()| Arc::new(Tenant::new("acme", &limits, &ledger)));
        let instance = |tenant: &Arc<Tenant>| Memory::new(Arc::clone(tenant), &limits);
        let (mut first, mut second, mut other) = (instance(&one), instance(&one), instance(&two));
        assert_eq!(first.grow(11), Err(OutOfMemory::Instance));
        assert_eq!(first.grow(10), Ok(()));
        assert_eq!(second.grow(6), Err(OutOfMemory::Organization));
        assert_eq!(second.grow(5), Ok(()));
        let mut third = instance(&two);
        assert_eq!(other.grow(10), Ok(()));
        assert_eq!(third.grow(5), Err(OutOfMemory::Host));
        drop(first);
        assert_eq!(ledger.held(), 15);
        assert_eq!(third.grow(2), Ok(()));
        assert!(!one.is_idle());
        drop((second, other, third));
        assert_eq!(ledger.held(), 0);
        assert!(one.is_idle());
    }
}
