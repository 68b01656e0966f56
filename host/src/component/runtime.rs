//! Calls: each waits for its turn, gets an instance of its own, and ends in time.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::time::timeout;
use wasmtime::{Engine, Trap};

use super::Isolation;
use super::bindings::ProvisionerPre;
use super::compiled::{ComponentError, compile};
use super::instance::{Exports, Instance, InstanceState, InstanceStore};
use super::lanes::Lanes;
use super::limits::Limits;
use super::meter::{Metered, Ticker};
use super::tenant::{Memory, OutOfMemory, Tenant};
use super::warm::Warm;
use crate::capability::Capabilities;
use crate::capability::http::HttpClient;
use crate::capability::storage::OrganizationId;
use crate::capability::storage_glue::measure;
use crate::fair::{Gate, Turn};
use crate::ledger::{Account, Ledger};
use crate::quota::Usage;
use crate::registry::QuotaBook;
use crate::scim::{self, ScimResponse};

/// Why a call has no answer. Every transaction that the call had committed before stands; it left no half of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Too many calls at the same time, of this organization or of all; the same call may succeed a moment later.
    #[error("too many calls at the same time")]
    Busy,
    /// It computed or waited longer than a call may.
    #[error("the call took too long")]
    Deadline,
    /// It needed more memory than an instance, an organization or all of them may have.
    #[error("the call needed too much memory")]
    Memory,
    /// It failed inside the component; the host's log has the backtrace.
    #[error("the call failed inside the component")]
    Trap,
    /// The organization is not there, or was deleted while the call was under way. What the call had committed before is
    /// gone with the organization.
    #[error("there is no such organization any more")]
    Deleted,
}

impl CallError {
    /// What the metrics call it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Trap => "trap",
            Self::Deleted => "deleted",
        }
    }

    /// The refusal of a SCIM request that has no answer.
    pub(crate) fn response(&self, request_id: &str) -> ScimResponse {
        let (status, detail) = match self {
            Self::Busy => (503, "Too many requests at the same time."),
            Self::Deadline => (503, "The request took too long."),
            Self::Memory => (503, "The request needed too much memory."),
            Self::Trap => (500, "An internal error occurred."),
            Self::Deleted => return scim::deleted(request_id),
        };
        ScimResponse::error(status, detail, request_id)
    }
}

/// What a call does with its instance.
pub(crate) type Run<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// The compiled component and its instances.
pub(crate) struct Runtime {
    engine: Engine,
    linked: ProvisionerPre<InstanceState>,
    capabilities: Arc<Capabilities>,
    limits: Arc<Limits>,
    isolation: Isolation,
    /// Calls that are under way.
    turns: Gate<OrganizationId>,
    lanes: Lanes,
    ledger: Ledger,
    tenants: Mutex<HashMap<OrganizationId, Arc<Tenant>>>,
    warm: Mutex<Warm>,
    ticker: Ticker,
    quotas: QuotaBook,
}

impl Runtime {
    /// Compiles the component and gets ready to call it. Blocks for seconds if the compiled code is not in `cache`.
    pub(crate) fn new(
        wasm: &[u8],
        limits: Limits,
        isolation: Isolation,
        cache: Option<&Path>,
        capabilities: Arc<Capabilities>,
        quotas: QuotaBook,
    ) -> Result<Self, ComponentError> {
        let (engine, linked) = compile(wasm, &limits, cache)?;
        let ticker = Ticker::start(&engine).map_err(|error| ComponentError::Engine(error.to_string()))?;
        Ok(Self {
            engine,
            linked,
            capabilities,
            isolation,
            turns: Gate::with_room(limits.calls, limits.calls_per_organization),
            lanes: Lanes::new(),
            ledger: Ledger::new(limits.memory, limits.memory_for_strangers),
            tenants: Mutex::new(HashMap::new()),
            warm: Mutex::new(Warm::new(limits.warm_instances, limits.memory / 4)),
            limits: Arc::new(limits),
            ticker,
            quotas,
        })
    }

    /// What sends requests for organizations.
    pub(crate) fn http(&self) -> &dyn HttpClient {
        &*self.capabilities.http
    }

    /// Calls the component for the organization.
    ///
    /// A call that is dropped ends where it waits; its instance is dropped with it. So is one that trapped or was
    /// interrupted: what it left in its memory is unknown.
    pub(crate) async fn call<T: Send>(
        &self,
        organization: &OrganizationId,
        run: impl for<'a> FnOnce(&'a mut InstanceStore, &'a Exports) -> Run<'a, T> + Send,
    ) -> Result<T, CallError> {
        let begun = Instant::now();
        let tenant = self.tenant(organization);
        self.look_up_limits(organization, &tenant.usage).await;
        let outcome = tokio::select! {
            biased;
            () = tenant.ended.cancelled() => Err(CallError::Deleted),
            outcome = self.call_of(organization, &tenant, run) => outcome,
        };
        // A call that learnt it by itself has an answer that counts no more.
        let outcome = if tenant.ended.is_cancelled() { Err(CallError::Deleted) } else { outcome };
        let kind = outcome.as_ref().map_or_else(CallError::kind, |_| "answered");
        self.capabilities.metrics.calls.ended(kind, begun.elapsed());
        outcome
    }

    async fn call_of<T: Send>(
        &self,
        organization: &OrganizationId,
        tenant: &Arc<Tenant>,
        run: impl for<'a> FnOnce(&'a mut InstanceStore, &'a Exports) -> Run<'a, T> + Send,
    ) -> Result<T, CallError> {
        let _turn = self.turn(organization, tenant).await?;
        let _running = self.ticker.running();
        let outcome = timeout(self.limits.time_per_call, async {
            let mut instance = self.instance(organization, tenant).await?;
            instance.begin();
            let meter = Arc::clone(&instance.meter);
            let call = run(&mut instance.store, &instance.exports);
            let called = Metered::new(Arc::clone(&meter), call, &self.lanes, organization, &tenant.usage).await;
            self.capabilities.metrics.calls.computed(meter.spent());
            Ok::<_, wasmtime::Error>((called?, instance))
        });
        match outcome.await {
            Ok(Ok((called, instance))) => {
                if !tenant.ended.is_cancelled() {
                    self.keep(organization, instance);
                }
                Ok(called)
            }
            Ok(Err(error)) => Err(failure(organization, &error)),
            Err(_) => {
                tracing::error!(%organization, "a call was ended after {:?}", self.limits.time_per_call);
                Err(CallError::Deadline)
            }
        }
    }

    /// Drops the instances that are too old to be called again, and forgets the organizations of which nothing is left.
    pub(crate) fn sweep(&self) {
        let dropped = lock(&self.warm).sweep(|instance| instance.may_serve(&self.limits));
        drop(dropped);
        let mut unmeasured = Vec::new();
        lock(&self.tenants).retain(|organization, tenant| {
            if !tenant.is_idle() || tenant.usage.is_settled() {
                return !tenant.is_idle();
            }
            if tenant.usage.asks_before_it_is_forgotten() {
                unmeasured.push((organization.clone(), Arc::clone(&tenant.usage)));
            }
            true
        });
        for (organization, usage) in unmeasured {
            measure(Arc::clone(&self.capabilities.storage), organization, usage);
        }
    }

    /// What the organization has used of its quotas, with its limits as they are now.
    pub(crate) async fn usage(&self, organization: &OrganizationId) -> Arc<Usage> {
        let usage = Arc::clone(&self.tenant(organization).usage);
        self.look_up_limits(organization, &usage).await;
        usage
    }

    /// The quotas that the operator has set.
    pub(crate) fn quotas(&self) -> &QuotaBook {
        &self.quotas
    }

    async fn look_up_limits(&self, organization: &OrganizationId, usage: &Usage) {
        if organization.is_nobody() || !usage.asks_for_limits() {
            return;
        }
        match self.quotas.limits(organization).await {
            Ok(limits) => usage.set_limits(limits),
            Err(error) => tracing::warn!(%organization, "the quotas can't be read, so the known ones go on: {error}"),
        }
    }

    /// Ends all calls of an organization that is being deleted, and drops its instances.
    pub(crate) fn end(&self, organization: &OrganizationId) {
        if let Some(tenant) = lock(&self.tenants).remove(organization) {
            tenant.ended.cancel();
        }
        loop {
            // Its own statement: the lock is released before an instance is dropped.
            let kept = lock(&self.warm).take(organization);
            if kept.is_none() {
                break;
            }
        }
    }

    /// How many organizations are remembered.
    pub(crate) fn tenants(&self) -> usize {
        lock(&self.tenants).len()
    }

    /// How many instances wait for their next call.
    pub(crate) fn kept(&self) -> usize {
        lock(&self.warm).len()
    }

    /// Who holds how much of the host's memory.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Who computes when.
    pub(crate) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// The organization's account in the ledger.
    pub(crate) fn account(&self, organization: &OrganizationId) -> Arc<Account> {
        Arc::clone(&self.tenant(organization).account)
    }

    fn tenant(&self, organization: &OrganizationId) -> Arc<Tenant> {
        let mut tenants = lock(&self.tenants);
        if let Some(tenant) = tenants.get(organization) {
            return Arc::clone(tenant);
        }
        let tenant = Arc::new(Tenant::new(organization.as_str(), &self.limits, &self.ledger));
        tenants.insert(organization.clone(), Arc::clone(&tenant));
        tenant
    }

    /// Waits until the organization may have one more call under way.
    async fn turn(&self, organization: &OrganizationId, tenant: &Tenant) -> Result<Turn<OrganizationId>, CallError> {
        if let Some(turn) = self.turns.try_enter(organization) {
            return Ok(turn);
        }
        let _waiting = Waiting::enter(&tenant.waiting, self.limits.waiting_per_organization)?;
        timeout(self.limits.wait, self.turns.enter(organization)).await.map_err(|_| CallError::Busy)
    }

    async fn instance(&self, organization: &OrganizationId, tenant: &Arc<Tenant>) -> wasmtime::Result<Instance> {
        if self.isolation == Isolation::Organization {
            loop {
                // Its own statement: the lock is released before an instance is looked at or dropped.
                let kept = lock(&self.warm).take(organization);
                match kept {
                    Some(instance) if instance.may_serve(&self.limits) => {
                        self.capabilities.metrics.calls.began(true);
                        return Ok(instance);
                    }
                    Some(_) => {}
                    None => break,
                }
            }
        }
        self.capabilities.metrics.calls.began(false);
        let memory = Memory::new(Arc::clone(tenant), &self.limits);
        let capabilities = Arc::clone(&self.capabilities);
        Instance::new(&self.engine, &self.linked, organization.clone(), capabilities, memory, &self.limits).await
    }

    fn keep(&self, organization: &OrganizationId, instance: Instance) {
        if self.isolation == Isolation::Organization && instance.may_serve(&self.limits) {
            let dropped = lock(&self.warm).put(organization.clone(), instance);
            drop(dropped);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a call that waits.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize, most: usize) -> Result<Self, CallError> {
        let entered = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < most { Ok(entered) } else { Err(CallError::Busy) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Says in the log what went wrong inside, and to the caller only which kind it was.
fn failure(organization: &OrganizationId, error: &wasmtime::Error) -> CallError {
    let kind = if error.downcast_ref::<OutOfMemory>().is_some() {
        CallError::Memory
    } else if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        CallError::Deadline
    } else {
        CallError::Trap
    };
    tracing::error!(%organization, "{kind}: {error:?}");
    kind
}
