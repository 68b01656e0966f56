//! One instance of the component, which is bound to one organization for its whole life.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::bindings::Provisioner;
use super::compiled::Linked;
use super::limits::{HANDLES, HOSTCALL_BYTES, Limits, RANDOM_BYTES};
use super::log_stream::LogStream;
use super::meter::Meter;
use super::tenant::Memory;
use super::warm::Weighed;
use crate::capability::Capabilities;
use crate::capability::clock::WallClock;
use crate::capability::storage::OrganizationId;
use crate::quota::{Exceeded, Usage};

/// The state of an instance that the host functions use.
pub(crate) struct InstanceState {
    organization: OrganizationId,
    capabilities: Arc<Capabilities>,
    wasi: WasiCtx,
    table: ResourceTable,
    memory: Memory,
    /// The quota because of which the storage refused a commit of the current call.
    refused: Mutex<Option<Exceeded>>,
    /// Whether the current call adds new data, which is refused if the organization's quota is used up.
    adds: bool,
    /// Whether the component itself reports that it failed.
    failed: bool,
    /// The name of the component.
    component: Arc<str>,
}

impl InstanceState {
    /// The organization to which every call of this instance is bound. It can't be changed.
    pub(crate) fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    pub(crate) fn capabilities(&self) -> &Arc<Capabilities> {
        &self.capabilities
    }

    /// What the organization has used of its quotas.
    pub(crate) fn usage(&self) -> &Arc<Usage> {
        &self.memory.tenant().usage
    }

    /// Notes whether the current call adds new data.
    pub(crate) fn note_adding(&mut self, adds: bool) {
        self.adds = adds;
    }

    /// Whether the current call adds new data.
    pub(crate) fn adds(&self) -> bool {
        self.adds
    }

    /// Notes that the answer of the current call reports a failure of the component.
    pub(crate) fn note_failure(&mut self) {
        self.failed = true;
    }

    /// Whether the answer of the current call reports a failure of the component.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// The name and version of the component, as `rules@0123456789ab`.
    pub(crate) fn component(&self) -> &Arc<str> {
        &self.component
    }

    /// The quota because of which the storage refused a commit of the current call.
    pub(crate) fn refused(&self) -> &Mutex<Option<Exceeded>> {
        &self.refused
    }

    /// Cancels all calls of the organization in this process. A capability uses it when it learns that the organization
    /// was deleted.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.memory.tenant().ended
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// An instance's memory, tables and stack, with its state.
pub(crate) type InstanceStore = Store<InstanceState>;
/// The functions that an instance exports.
pub(crate) type Exports = Provisioner;

/// An instance that can be called.
pub(super) struct Instance {
    pub(super) store: InstanceStore,
    pub(super) exports: Exports,
    pub(super) meter: Arc<Meter>,
    /// The component from which it was made.
    linked: Arc<Linked>,
    made: Instant,
    calls: u32,
}

impl Instance {
    /// Makes an instance for the organization. It has no environment, no arguments, no files and no input.
    pub(super) async fn new(
        engine: &Engine,
        linked: Arc<Linked>,
        organization: OrganizationId,
        capabilities: Arc<Capabilities>,
        memory: Memory,
        limits: &Limits,
    ) -> wasmtime::Result<Self> {
        let wasi = WasiCtx::builder()
            .wall_clock(WallClock(Arc::clone(&capabilities.clock)))
            .stderr(LogStream::new(organization.clone()))
            .max_random_size(RANDOM_BYTES)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        let state = InstanceState {
            organization,
            capabilities,
            wasi,
            table,
            memory,
            refused: Mutex::default(),
            adds: false,
            failed: false,
            component: Arc::clone(&linked.label),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(HOSTCALL_BYTES);
        let meter = Arc::new(Meter::new(limits.compute_per_call));
        store.epoch_deadline_callback({
            let meter = Arc::clone(&meter);
            move |_| Ok(meter.verdict())
        });
        store.set_epoch_deadline(1);
        let exports = linked.pre.instantiate_async(&mut store).await?;
        Ok(Self { store, exports, meter, linked, made: Instant::now(), calls: 0 })
    }

    /// Prepares the instance for the next call.
    pub(super) fn begin(&mut self) {
        self.calls += 1;
        self.meter.reset();
        self.store.data_mut().adds = false;
        self.store.data_mut().failed = false;
        *self.store.data().refused.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.store.set_epoch_deadline(1);
    }

    /// Whether it has served another call before the current or last one.
    pub(super) fn has_served_before(&self) -> bool {
        self.calls > 1
    }

    /// Whether it was made from this component.
    pub(super) fn is_of(&self, linked: &Arc<Linked>) -> bool {
        Arc::ptr_eq(&self.linked, linked)
    }

    /// Whether it may serve another call: it is not too old, has not served too many calls, and is not too large.
    pub(super) fn may_serve(&self, limits: &Limits) -> bool {
        self.calls < limits.calls_per_instance
            && self.made.elapsed() < limits.instance_age
            && self.store.data().memory.held() <= limits.warm_memory
    }
}

impl Weighed for Instance {
    fn size(&self) -> usize {
        self.store.data().memory.held()
    }
}
