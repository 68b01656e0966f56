//! What the host knows of the organizations whose calls it runs: their waiting calls, the memory of their instances,
//! their quotas, and the component that they run.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::assigned::Assigned;
use super::limits::Limits;
use crate::capability::storage::OrganizationId;
use crate::ledger::{Account, Ledger};
use crate::quota::{Quota, Usage};

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

    /// Whether the organization has no running call and holds nothing, so that it may be forgotten. Each of its
    /// instances holds its account and its usage, so the counts of references show that none is left.
    pub(super) fn is_idle(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) == 1 && Arc::strong_count(&self.account) == 1 && Arc::strong_count(&self.usage) == 1
    }
}

/// The organizations that this process remembers.
pub(super) struct Tenants {
    limits: Arc<Limits>,
    ledger: Ledger,
    known: Mutex<HashMap<OrganizationId, Arc<Tenant>>>,
}

impl Tenants {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        let ledger = Ledger::new(limits.memory, limits.memory_for_strangers);
        Self { limits, ledger, known: Mutex::default() }
    }

    /// The ledger of the host's memory.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The organization, which is remembered from now on.
    pub(super) fn get(&self, organization: &OrganizationId) -> Arc<Tenant> {
        let mut known = self.lock();
        if let Some(tenant) = known.get(organization) {
            return Arc::clone(tenant);
        }
        let tenant = Arc::new(Tenant::new(organization.as_str(), &self.limits, &self.ledger));
        known.insert(organization.clone(), Arc::clone(&tenant));
        tenant
    }

    /// How many organizations are remembered, including those that have not been called for a while.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Makes the next call of every organization check which component it runs.
    pub(super) fn reassign_all(&self) {
        self.lock().values().for_each(|tenant| tenant.assigned.expire());
    }

    /// The quotas that have refused something since this function was last called, each with its organization.
    pub(super) fn newly_refused(&self) -> Vec<(OrganizationId, Quota)> {
        let known = self.lock();
        let of = |(organization, tenant): (&OrganizationId, &Arc<Tenant>)| {
            tenant.usage.newly_refused().into_iter().map(|quota| (organization.clone(), quota)).collect::<Vec<_>>()
        };
        known.iter().flat_map(of).collect()
    }

    /// Forgets organizations that use no resources any more. Returns those whose usage must be measured first.
    pub(super) fn sweep(&self) -> Vec<(OrganizationId, Arc<Usage>)> {
        let mut unmeasured = Vec::new();
        self.lock().retain(|organization, tenant| {
            if !tenant.is_idle() || tenant.usage.is_settled() {
                return !tenant.is_idle();
            }
            if tenant.usage.asks_before_it_is_forgotten() {
                unmeasured.push((organization.clone(), Arc::clone(&tenant.usage)));
            }
            true
        });
        unmeasured
    }

    /// Forgets an organization that is being deleted, and ends all its calls.
    pub(super) fn end(&self, organization: &OrganizationId) {
        if let Some(tenant) = self.lock().remove(organization) {
            tenant.ended.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrganizationId, Arc<Tenant>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
