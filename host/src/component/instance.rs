//! One instance of the component, which is bound to one organization for its whole life.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::{Engine, Store};

use super::bindings::Provisioner;
use super::compiled::Linked;
use super::limits::{HOSTCALL_BYTES, Limits};
use super::meter::Meter;
use super::state::InstanceState;
use super::warm::Weighed;

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
    /// Makes an instance with this state.
    pub(super) async fn new(
        engine: &Engine,
        linked: Arc<Linked>,
        state: InstanceState,
        limits: &Limits,
    ) -> wasmtime::Result<Self> {
        let mut store = Store::new(engine, state);
        store.limiter(|state| state.memory_mut());
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
        self.store.data_mut().begin();
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
            && self.store.data().memory().held() <= limits.warm_memory
    }
}

impl Weighed for Instance {
    fn size(&self) -> usize {
        self.store.data().memory().held()
    }
}
