//! Calls of the component: each waits for its turn, uses an instance that no other call uses, and has a time limit.

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
use super::assigned::{Because, Choice};
use super::compiled::{self, ComponentError, Linked};
use super::instance::{Exports, Instance, InstanceStore};
use super::lanes::Lanes;
use super::limits::Limits;
use super::meter::{Metered, Ticker};
use super::shelf::{LoadError, Shelf};
use super::tenant::{Memory, OutOfMemory, Tenant};
use super::trial::Trial;
use super::warm::Warm;
use crate::capability::Capabilities;
use crate::capability::http::HttpClient;
use crate::capability::storage::OrganizationId;
use crate::capability::storage_glue::measure;
use crate::fair::{Gate, Turn};
use crate::hourly::{error_hourly, warn_hourly};
use crate::ledger::{Account, Ledger};
use crate::quota::{Quota, Usage};
use crate::registry::{Assignment, Canary, ComponentBook, QuotaBook};
use crate::scim::{self, ScimResponse};
use crate::traces::Span;

/// The reason why a call has no answer. Every transaction that the call has committed is complete and stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There are too many calls at the same time, of this organization or of all; the same call may succeed a moment
    /// later.
    #[error("too many calls at the same time")]
    Busy,
    /// It computed or waited for longer than is allowed.
    #[error("the call took too long")]
    Deadline,
    /// It needed more memory than an instance, an organization or all of them together may have.
    #[error("the call needed too much memory")]
    Memory,
    /// It failed inside the component; the host's log has the backtrace.
    #[error("the call failed inside the component")]
    Trap,
    /// The organization does not exist, or was deleted while the call was running. What the call has committed was
    /// deleted with it.
    #[error("there is no such organization any more")]
    Deleted,
    /// The component that the organization is pinned to can't be loaded; the host's log says why.
    #[error("the component of the organization is not available")]
    Component,
}

impl CallError {
    /// The name of the error in metrics.
    fn kind(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Trap => "trap",
            Self::Deleted => "deleted",
            Self::Component => "component",
        }
    }

    /// Whether the component has caused the error.
    fn is_failure_of_component(&self) -> bool {
        matches!(self, Self::Deadline | Self::Memory | Self::Trap)
    }

    /// The SCIM error for a request that has no answer.
    pub(crate) fn response(&self, request_id: &str) -> ScimResponse {
        let (status, detail) = match self {
            Self::Busy => (503, "Too many requests at the same time."),
            Self::Deadline => (503, "The request took too long."),
            Self::Memory => (503, "The request needed too much memory."),
            Self::Trap => (500, "An internal error occurred."),
            Self::Deleted => return scim::deleted(request_id),
            Self::Component => (503, "The component of the organization is not available."),
        };
        ScimResponse::error(status, detail, request_id)
    }
}

/// The reason why organizations can't be pinned to a component.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error(transparent)]
    Component(Arc<ComponentError>),
    #[error("the component answers no call ({0}); the log has the backtrace")]
    Silent(CallError),
    #[error("the component lets a request in that has no token")]
    LetsStrangersIn,
}

/// The work of a call with its instance.
pub(crate) type Run<'a, T> = Pin<Box<dyn Future<Output = wasmtime::Result<T>> + Send + 'a>>;

/// The compiled components and their instances.
pub(crate) struct Runtime {
    engine: Engine,
    /// The component of all organizations that are not pinned to another one.
    default: Arc<Linked>,
    book: ComponentBook,
    shelf: Arc<Shelf>,
    /// The canary, and its results so far.
    trial: Mutex<Option<Trial>>,
    capabilities: Arc<Capabilities>,
    limits: Arc<Limits>,
    isolation: Isolation,
    /// Limits the number of running calls.
    turns: Gate<OrganizationId>,
    lanes: Lanes,
    ledger: Ledger,
    tenants: Mutex<HashMap<OrganizationId, Arc<Tenant>>>,
    warm: Mutex<Warm>,
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
        let ticker = Ticker::start(&engine).map_err(|error| ComponentError::Engine(error.to_string()))?;
        Ok(Self {
            shelf: Arc::new(Shelf::new(engine.clone(), book.clone())),
            engine,
            default: Arc::new(default),
            book,
            trial: Mutex::default(),
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
        let tenant = self.tenant(organization);
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
        tenant: &Arc<Tenant>,
        component: Option<Choice>,
        keep: Keep,
        span: &Span,
        run: impl for<'a> FnOnce(&'a mut InstanceStore, &'a Exports) -> Run<'a, T> + Send,
    ) -> Result<T, CallError> {
        let _turn = self.turn(organization, tenant).await?;
        let choice = match component {
            Some(choice) => choice,
            None => self.assigned(organization, tenant).await?,
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
                self.judge(choice.because, instance.store.data().has_failed());
                // If the organization runs another component by now, this was the last call of the old instance.
                let is_current = tenant.assigned.last().is_none_or(|last| instance.is_of(&last.linked));
                let is_wanted = keep == Keep::Every || instance.has_served_before();
                if !tenant.ended.is_cancelled() && is_current && is_wanted {
                    self.keep(organization, instance);
                }
                return Ok(called);
            }
            Ok(Err(error)) => failure(organization, component, &error),
            Err(_) => {
                let limit = self.limits.time_per_call;
                tracing::error!(%organization, %component, "a call was ended after {limit:?}");
                CallError::Deadline
            }
        };
        self.judge(choice.because, outcome.is_failure_of_component());
        Err(outcome)
    }

    /// The component that a call of the organization runs now.
    ///
    /// If it is another one than before, it is loaded while calls still run the former one. Only the first call of an
    /// organization waits until it is loaded.
    async fn assigned(&self, organization: &OrganizationId, tenant: &Tenant) -> Result<Choice, CallError> {
        if organization.is_nobody() {
            return Ok(self.default());
        }
        if let Some(choice) = tenant.assigned.fresh() {
            return Ok(choice);
        }
        let (before, look) = (tenant.assigned.last(), tenant.assigned.look());
        let choice = match self.book.assignment(organization).await {
            Ok(assignment) => {
                let choice = self.choose(organization, assignment, before.as_ref());
                timeout(self.limits.time_per_call, choice).await.map_err(|_| CallError::Component)??
            }
            Err(error) => {
                warn_hourly!("component-looked-up"; %organization,
                    "the organization's component can't be looked up: {error}");
                before.ok_or(CallError::Component)?
            }
        };
        if let Some(before) = tenant.assigned.note(choice.clone(), look)
            && !Arc::ptr_eq(&before.linked, &choice.linked)
        {
            let (component, former) = (&choice.linked.label, &before.linked.label);
            tracing::info!(%organization, %component, %former, "the organization runs another component");
        }
        Ok(choice)
    }

    async fn choose(
        &self,
        organization: &OrganizationId,
        assignment: Assignment,
        before: Option<&Choice>,
    ) -> Result<Choice, CallError> {
        let canary = self.watched(assignment.canary);
        let (id, because) = match (assignment.pin.component, canary) {
            (Some(id), _) => (id, Because::Pinned),
            (None, Some(canary)) if canary.takes(organization) => {
                (canary.component, Because::Canary { began: canary.began })
            }
            (None, _) => return Ok(self.default()),
        };
        if let Some(linked) = self.shelf.ready(&id) {
            return Ok(Choice { linked, because });
        }
        if let Some(before) = before {
            let shelf = Arc::clone(&self.shelf);
            tokio::spawn(async move { shelf.load(id).await.map(drop) });
            // If the component fails to load at once, the next call sees that.
            if !self.shelf.has_failed(&id) {
                return Ok(before.clone());
            }
        }
        let error = match self.shelf.load(id).await {
            Ok(linked) => return Ok(Choice { linked, because }),
            Err(error) => error,
        };
        error_hourly!(&format!("component {}", id.short()); %organization, component = id.short(),
            "the organization's component can't be loaded: {error}");
        match because {
            Because::Canary { .. } => {
                // A temporary error, such as a storage that can't be reached, says nothing about the component.
                if matches!(error, LoadError::Removed | LoadError::Unusable(_)) {
                    self.roll_back(format!("it can't be loaded: {error}"));
                }
                Ok(self.default())
            }
            Because::Pinned | Because::Default => Err(CallError::Component),
        }
    }

    fn default(&self) -> Choice {
        Choice { linked: Arc::clone(&self.default), because: Because::Default }
    }

    /// The canary, if it is running and was not found to fail. From now on its calls are counted.
    fn watched(&self, canary: Option<Canary>) -> Option<Canary> {
        let mut trial = lock(&self.trial);
        let canary = canary?;
        let known = trial.as_ref().filter(|trial| *trial.canary() == canary);
        if known.is_some_and(Trial::has_failed) {
            return None;
        }
        if known.is_none() {
            *trial = Some(Trial::new(canary.clone()));
        }
        Some(canary)
    }

    /// Counts a call for or against the canary, and rolls the canary back if it fails more often than the other
    /// component.
    fn judge(&self, because: Because, failed: bool) {
        let ended = match (&mut *lock(&self.trial), because) {
            (Some(trial), Because::Canary { began }) if trial.canary().began == began => trial.count(true, failed),
            (Some(trial), Because::Default) => trial.count(false, failed),
            _ => return,
        };
        if let Some(reason) = ended {
            self.roll_back(reason);
        }
    }

    /// Rolls the canary back: at once in this process, and in the storage for all processes.
    fn roll_back(&self, reason: String) {
        let canary = match &mut *lock(&self.trial) {
            Some(trial) => {
                trial.end();
                trial.canary().clone()
            }
            None => return,
        };
        lock(&self.tenants).values().for_each(|tenant| tenant.assigned.expire());
        let book = self.book.clone();
        tokio::spawn(async move {
            let component = canary.component.short();
            match book.roll_canary_back(&canary, &reason).await {
                Ok(true) => tracing::error!(component, "the canary was rolled back: {reason}"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(component, "the canary fails ({reason}) and can't be rolled back: {error}")
                }
            }
        });
    }

    /// The stored components, the pins and the canary.
    pub(crate) fn components(&self) -> &ComponentBook {
        &self.book
    }

    /// The name and version of the component that the organization must run. Waits until it is loaded.
    pub(crate) async fn component_of(&self, organization: &OrganizationId) -> Result<String, CallError> {
        let assignment = self.book.assignment(organization).await.map_err(|error| {
            warn_hourly!("component-looked-up"; %organization,
                "the organization's component can't be looked up: {error}");
            CallError::Component
        })?;
        Ok(self.choose(organization, assignment, None).await?.linked.label.to_string())
    }

    /// Makes the organization's next call check which component it runs.
    pub(crate) fn reassign(&self, organization: &OrganizationId) {
        self.tenant(organization).assigned.expire();
    }

    /// Makes the next call of every organization check which component it runs.
    pub(crate) fn reassign_all(&self) {
        lock(&self.tenants).values().for_each(|tenant| tenant.assigned.expire());
    }

    /// Checks whether the component can be used: it compiles, imports only what is offered, fits the world, and answers
    /// a test call that is bound to no organization.
    pub(crate) async fn examine(&self, name: &str, wasm: Vec<u8>) -> Result<(), Unusable> {
        let linked = match self.shelf.prepare(name.to_owned(), wasm).await {
            Ok(linked) => linked,
            Err(LoadError::Unusable(error)) => return Err(Unusable::Component(error)),
            Err(_) => return Err(Unusable::Silent(CallError::Busy)),
        };
        let (nobody, choice) = (OrganizationId::nobody(), Choice { linked, because: Because::Pinned });
        let tenant = self.tenant(&nobody);
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

    /// The quotas that have refused something since this function was last called, each with its organization.
    pub(crate) fn newly_refused(&self) -> Vec<(OrganizationId, Quota)> {
        let tenants = lock(&self.tenants);
        let of = |(organization, tenant): (&OrganizationId, &Arc<Tenant>)| {
            tenant.usage.newly_refused().into_iter().map(|quota| (organization.clone(), quota)).collect::<Vec<_>>()
        };
        tenants.iter().flat_map(of).collect()
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
        if let Some(tenant) = lock(&self.tenants).remove(organization) {
            tenant.ended.cancel();
        }
        loop {
            // This is a statement of its own, so that the lock is released before an instance is dropped.
            let kept = lock(&self.warm).take(organization);
            if kept.is_none() {
                break;
            }
        }
    }

    /// How many organizations this process remembers, those included that have not been called for a while.
    pub(crate) fn tenants(&self) -> usize {
        lock(&self.tenants).len()
    }

    /// How many instances are kept for their next call.
    pub(crate) fn kept(&self) -> usize {
        lock(&self.warm).len()
    }

    /// The ledger of the host's memory.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The queues for computing time.
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
        tenant: &Arc<Tenant>,
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
        let memory = Memory::new(Arc::clone(tenant), &self.limits);
        let capabilities = Arc::clone(&self.capabilities);
        Instance::new(&self.engine, Arc::clone(linked), organization.clone(), capabilities, memory, &self.limits).await
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

/// Writes the internal error to the log, and returns only its kind to the caller.
fn failure(organization: &OrganizationId, component: &str, error: &wasmtime::Error) -> CallError {
    let kind = if error.downcast_ref::<OutOfMemory>().is_some() {
        CallError::Memory
    } else if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        CallError::Deadline
    } else {
        CallError::Trap
    };
    tracing::error!(%organization, component, "{kind}: {error:?}");
    kind
}
