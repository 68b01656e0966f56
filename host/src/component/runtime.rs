//! Calls of the component. Each call waits for its turn, uses an instance that no other call uses at the same time, and
//! has a time limit.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::time::timeout;
use wasmtime::Engine;

use super::Isolation;
use super::assigned::{Because, Choice};
use super::compiled::{self, Linked};
use super::components::Components;
use super::error::{CallError, ComponentError, Unusable};
use super::instance::{Exports, Instance, InstanceStore};
use super::lanes::Lanes;
use super::limits::Limits;
use super::memory::Memory;
use super::meter::{Metered, Ticker};
use super::shelf::{LoadError, Shelf};
use super::state::InstanceState;
use super::tenant::{Tenant, Tenants};
use super::warm::Warm;
use crate::capability::Capabilities;
use crate::capability::http::HttpClient;
use crate::capability::storage::OrganizationId;
use crate::capability::storage_glue::measure;
use crate::fair::{Gate, Turn};
use crate::hourly::warn_hourly;
use crate::ledger::{Account, Ledger};
use crate::quota::{Quota, Usage};
use crate::registry::{ComponentBook, QuotaBook};
use crate::traces::Span;

/// The work of a call with its instance.
pub(crate) type Run<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// The compiled components and their instances.
pub(crate) struct Runtime {
    engine: Engine,
    components: Components,
    capabilities: Arc<Capabilities>,
    limits: Arc<Limits>,
    isolation: Isolation,
    /// Limits the number of running calls.
    turns: Gate<OrganizationId>,
    lanes: Lanes,
    tenants: Arc<Tenants>,
    warm: Mutex<Warm<Instance>>,
    ticker: Ticker,
    quotas: QuotaBook,
}

/// Whether the instance of a call is kept for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It is kept if it may serve another call.
    Every,
    /// It is kept only if it was kept before as well. A loop over all organizations therefore does not replace the
    /// instances of organizations that are in use by those of organizations that are not.
    UsedBefore,
}

impl Runtime {
    /// Compiles the component and prepares to call it. Blocks for seconds if the compiled code is not in `cache`.
    pub(crate) fn new(
        wasm: &[u8],
        limits: Limits,
        isolation: Isolation,
        cache: Option<&Path>,
        capabilities: Arc<Capabilities>,
        quotas: QuotaBook,
    ) -> Result<Self, ComponentError> {
        let (engine, default) = compiled::first(wasm, &limits, cache)?;
        let book = ComponentBook::new(Arc::clone(&capabilities.storage));
        let shelf = Shelf::new(engine.clone(), book.clone());
        let ticker = Ticker::start(&engine).map_err(|error| ComponentError::Engine(error.to_string()))?;
        let limits = Arc::new(limits);
        let tenants = Arc::new(Tenants::new(Arc::clone(&limits)));
        Ok(Self {
            components: Components::new(default, book, shelf, Arc::clone(&tenants), limits.time_per_call),
            engine,
            capabilities,
            isolation,
            turns: Gate::with_room(limits.calls, limits.calls_per_organization),
            lanes: Lanes::new(),
            tenants,
            warm: Mutex::new(Warm::new(limits.warm_instances, limits.memory / 4)),
            limits,
            ticker,
            quotas,
        })
    }

    /// The client that sends requests for organizations.
    pub(crate) fn http(&self) -> &dyn HttpClient {
        &*self.capabilities.http
    }

    /// Calls the component for the organization. `function` is the name of the called function, such as
    /// `insomnia_scim_jobs.call_run_due`.
    ///
    /// A call whose future is dropped ends where it waits, and its instance is dropped with it. An instance that
    /// trapped or was interrupted is dropped too, since the state of its memory is unknown.
    pub(crate) async fn call<T: Send>(
        &self,
        organization: &OrganizationId,
        keep: Keep,
        function: &'static str,
        run: impl for<'a> FnOnce(&'a mut InstanceStore, &'a Exports) -> Run<'a, T> + Send,
    ) -> Result<T, CallError> {
        let begun = Instant::now();
        let span = self.capabilities.traces.of_call(function, organization.as_str());
        let tenant = self.tenants.get(organization);
        self.look_up_limits(organization, &tenant.usage).await;
        let outcome = tokio::select! {
            biased;
            () = tenant.ended.cancelled() => Err(CallError::Deleted),
            outcome = self.call_of(organization, &tenant, None, keep, &span, run) => outcome,
        };
        // If the call itself has found out that the organization was deleted, its answer is ignored.
        let outcome = if tenant.ended.is_cancelled() { Err(CallError::Deleted) } else { outcome };
        let kind = outcome.as_ref().map_or_else(CallError::kind, |_| "answered");
        self.capabilities.metrics.calls.ended(kind, begun.elapsed());
        if outcome.is_err() {
            span.fail(kind);
        }
        outcome
    }

    async fn call_of<T: Send>(
        &self,
        organization: &OrganizationId,
        tenant: &Tenant,
        component: Option<Choice>,
        keep: Keep,
        span: &Span,
        run: impl for<'a> FnOnce(&'a mut InstanceStore, &'a Exports) -> Run<'a, T> + Send,
    ) -> Result<T, CallError> {
        let _turn = self.turn(organization, tenant).await?;
        let choice = match component {
            Some(choice) => choice,
            None => self.components.of(organization, tenant).await?,
        };
        let _running = self.ticker.running();
        let outcome = timeout(self.limits.time_per_call, async {
            let mut instance = self.instance(organization, tenant, &choice.linked).await?;
            instance.begin();
            let meter = Arc::clone(&instance.meter);
            span.set("insomnia.component", || choice.linked.label.to_string());
            let call = span.within(run(&mut instance.store, &instance.exports));
            let called = Metered::new(Arc::clone(&meter), call, &self.lanes, organization, &tenant.usage).await;
            self.capabilities.metrics.calls.computed(meter.spent());
            Ok::<_, wasmtime::Error>((called?, instance))
        });
        let component = &choice.linked.label;
        let outcome = match outcome.await {
            Ok(Ok((called, instance))) => {
                self.components.judge(choice.because, instance.store.data().has_failed());
                // If the organization runs another component by now, this was the last call of the old instance.
                let is_current = tenant.assigned.last().is_none_or(|last| instance.is_of(&last.linked));
                let is_wanted = keep == Keep::Every || instance.has_served_before();
                if !tenant.ended.is_cancelled() && is_current && is_wanted {
                    self.keep(organization, instance);
                }
                return Ok(called);
            }
            Ok(Err(error)) => CallError::of(organization, component, &error),
            Err(_) => {
                let limit = self.limits.time_per_call;
                tracing::error!(%organization, %component, "a call was ended after {limit:?}");
                CallError::Deadline
            }
        };
        self.components.judge(choice.because, outcome.is_failure_of_component());
        Err(outcome)
    }

    /// The stored components, the pins and the canary.
    pub(crate) fn components(&self) -> &ComponentBook {
        self.components.book()
    }

    /// The name and version of the component that the organization must run. Waits until it is loaded.
    pub(crate) async fn component_of(&self, organization: &OrganizationId) -> Result<String, CallError> {
        self.components.label_of(organization).await
    }

    /// Makes the organization's next call check which component it runs.
    pub(crate) fn reassign(&self, organization: &OrganizationId) {
        self.tenants.get(organization).assigned.expire();
    }

    /// Makes the next call of every organization check which component it runs.
    pub(crate) fn reassign_all(&self) {
        self.tenants.reassign_all();
    }

    /// Checks whether the component can be used: whether it compiles, imports only what is offered, fits the world, and
    /// refuses a caller without a token in a test call that is bound to no organization.
    pub(crate) async fn examine(&self, name: &str, wasm: Vec<u8>) -> Result<(), Unusable> {
        let linked = match self.components.prepare(name, wasm).await {
            Ok(linked) => linked,
            Err(LoadError::Unusable(error)) => return Err(Unusable::Component(error)),
            Err(_) => return Err(Unusable::Silent(CallError::Busy)),
        };
        let (nobody, choice) = (OrganizationId::nobody(), Choice { linked, because: Because::Pinned });
        let tenant = self.tenants.get(&nobody);
        let span = Span::none();
        let called = self.call_of(&nobody, &tenant, Some(choice), Keep::Every, &span, move |store, exports| {
            Box::pin(async move { exports.insomnia_scim_scim().call_admits(store, None).await })
        });
        match called.await {
            Ok(false) => Ok(()),
            Ok(true) => Err(Unusable::LetsStrangersIn),
            Err(error) => Err(Unusable::Silent(error)),
        }
    }

    /// Drops instances that are too old to be called again, and forgets organizations that use no resources any more.
    pub(crate) fn sweep(&self) {
        let dropped = lock(&self.warm).sweep(|instance| instance.may_serve(&self.limits));
        drop(dropped);
        for (organization, usage) in self.tenants.sweep() {
            measure(Arc::clone(&self.capabilities.storage), organization, usage);
        }
    }

    /// What the organization has used of its quotas. Its limits are read again before, if they are outdated.
    pub(crate) async fn usage(&self, organization: &OrganizationId) -> Arc<Usage> {
        let usage = Arc::clone(&self.tenants.get(organization).usage);
        self.look_up_limits(organization, &usage).await;
        usage
    }

    /// The quotas that have refused something since this function was last called, each with its organization.
    pub(crate) fn newly_refused(&self) -> Vec<(OrganizationId, Quota)> {
        self.tenants.newly_refused()
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
            Err(error) => {
                warn_hourly!("quotas-read"; %organization, "the quotas can't be read, so the known ones go on: {error}")
            }
        }
    }

    /// Ends all calls of an organization that is being deleted, and drops its instances.
    pub(crate) fn end(&self, organization: &OrganizationId) {
        self.tenants.end(organization);
        loop {
            // This is a statement of its own, so that the lock is released before an instance is dropped.
            let kept = lock(&self.warm).take(organization);
            if kept.is_none() {
                break;
            }
        }
    }

    /// How many organizations this process remembers, including those that have not been called for a while.
    pub(crate) fn tenants(&self) -> usize {
        self.tenants.len()
    }

    /// How many instances are kept for their next call.
    pub(crate) fn kept(&self) -> usize {
        lock(&self.warm).len()
    }

    /// The ledger of the host's memory.
    pub(crate) fn ledger(&self) -> &Ledger {
        self.tenants.ledger()
    }

    /// The queues for computing time.
    pub(crate) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// The organization's account in the ledger.
    pub(crate) fn account(&self, organization: &OrganizationId) -> Arc<Account> {
        Arc::clone(&self.tenants.get(organization).account)
    }

    /// Waits until one more call of the organization may run.
    async fn turn(&self, organization: &OrganizationId, tenant: &Tenant) -> Result<Turn<OrganizationId>, CallError> {
        if let Some(turn) = self.turns.try_enter(organization) {
            return Ok(turn);
        }
        let _waiting = Waiting::enter(&tenant.waiting, self.limits.waiting_per_organization)?;
        timeout(self.limits.wait, self.turns.enter(organization)).await.map_err(|_| CallError::Busy)
    }

    async fn instance(
        &self,
        organization: &OrganizationId,
        tenant: &Tenant,
        linked: &Arc<Linked>,
    ) -> wasmtime::Result<Instance> {
        if self.isolation == Isolation::Organization {
            loop {
                // This is a statement of its own, so that the lock is released before an instance is checked or
                // dropped.
                let kept = lock(&self.warm).take(organization);
                match kept {
                    Some(instance) if instance.is_of(linked) && instance.may_serve(&self.limits) => {
                        self.capabilities.metrics.calls.began(true);
                        return Ok(instance);
                    }
                    Some(_) => {}
                    None => break,
                }
            }
        }
        self.capabilities.metrics.calls.began(false);
        let state = InstanceState::new(
            organization.clone(),
            Arc::clone(&self.capabilities),
            Memory::new(Arc::clone(&tenant.account), self.limits.memory_per_instance),
            Arc::clone(&tenant.usage),
            tenant.ended.clone(),
            Arc::clone(&linked.label),
        );
        Instance::new(&self.engine, Arc::clone(linked), state, &self.limits).await
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
