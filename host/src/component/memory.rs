//! The memory of one instance, which is counted and bounded.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::limits::TABLE_ELEMENTS;
use crate::ledger::{Account, Full, Held};

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
}

impl Memory {
    /// The memory of an instance that may have at most `most` bytes, which are counted in the account of its
    /// organization.
    pub(super) fn new(account: Arc<Account>, most: usize) -> Self {
        Self { held: Held::nothing(account), most }
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
        Ok(desired <= TABLE_ELEMENTS)
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
    use crate::component::limits::Limits;
    use crate::component::tenant::Tenant;
    use crate::ledger::Ledger;

    #[test]
    fn memory_is_bounded_per_instance_per_organization_and_for_all() {
        let limits = Limits { memory_per_instance: 10, memory_per_organization: 15, ..Limits::default() };
        let ledger = Ledger::new(40, 1);
        let [one, two] = [(); 2].map(|()| Arc::new(Tenant::new("acme", &limits, &ledger)));
        let instance = |tenant: &Tenant| Memory::new(Arc::clone(&tenant.account), limits.memory_per_instance);
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
