//! The state of an instance, which the host's functions use.

use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::limits::{HANDLES, RANDOM_BYTES};
use super::log_stream::LogStream;
use super::memory::Memory;
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
    usage: Arc<Usage>,
    ended: CancellationToken,
    /// The quota because of which the storage refused a commit of the current call.
    refused: Mutex<Option<Exceeded>>,
    /// Whether the current call adds new data, which is refused if the organization's quota is used up.
    adds: bool,
    /// Whether the component itself reports that it failed.
    failed: bool,
    /// The name and version of the component, as `rules@0123456789ab`.
    component: Arc<str>,
}

impl InstanceState {
    /// The state of an instance for this organization. It has no environment, no arguments, no files and no input.
    pub(super) fn new(
        organization: OrganizationId,
        capabilities: Arc<Capabilities>,
        memory: Memory,
        usage: Arc<Usage>,
        ended: CancellationToken,
        component: Arc<str>,
    ) -> Self {
        let wasi = WasiCtx::builder()
            .wall_clock(WallClock(Arc::clone(&capabilities.clock)))
            .stderr(LogStream::new(organization.clone()))
            .max_random_size(RANDOM_BYTES)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        let refused = Mutex::default();
        Self {
            organization,
            capabilities,
            wasi,
            table,
            memory,
            usage,
            ended,
            refused,
            adds: false,
            failed: false,
            component,
        }
    }

    /// Prepares the state for the next call.
    pub(super) fn begin(&mut self) {
        self.adds = false;
        self.failed = false;
        *self.refused.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The memory of the instance.
    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The memory of the instance, for wasmtime, which asks it whether the memory may grow.
    pub(super) fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The organization to which every call of this instance is bound. It can't be changed.
    pub(crate) fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    pub(crate) fn capabilities(&self) -> &Arc<Capabilities> {
        &self.capabilities
    }

    /// What the organization has used of its quotas.
    pub(crate) fn usage(&self) -> &Arc<Usage> {
        &self.usage
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

    /// The name and version of the component.
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
        &self.ended
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
