//! Calls of the component.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounterVec, Opts, Registry};

use super::{SECONDS, registered};

/// Counts calls of the component, and measures them.
pub(crate) struct Calls {
    ended: IntCounterVec,
    instances: IntCounterVec,
    seconds: Histogram,
    computing: Histogram,
}

impl Calls {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let ended = Opts::new(
            "insomnia_scim_component_calls_total",
            "Calls of the component, by how they ended: answered, busy, deadline, memory, trap, deleted, component.",
        );
        let instances = Opts::new(
            "insomnia_scim_component_instances_total",
            "Instances that a call got, by where they came from: made for it, or kept from an earlier call.",
        );
        let seconds = HistogramOpts::new(
            "insomnia_scim_component_call_duration_seconds",
            "Time of a call of the component with all that it waited for.",
        );
        let computing = HistogramOpts::new(
            "insomnia_scim_component_computing_seconds",
            "Time in which a call of the component computed.",
        );
        Ok(Self {
            ended: registered(registry, IntCounterVec::new(ended, &["outcome"])?)?,
            instances: registered(registry, IntCounterVec::new(instances, &["origin"])?)?,
            seconds: registered(registry, Histogram::with_opts(seconds.buckets(SECONDS.to_vec()))?)?,
            computing: registered(registry, Histogram::with_opts(computing.buckets(SECONDS.to_vec()))?)?,
        })
    }

    /// A call got its instance, which was kept or is new.
    pub(crate) fn began(&self, kept: bool) {
        self.instances.with_label_values(&[if kept { "kept" } else { "made" }]).inc();
    }

    /// A call has computed for this long, without its waits.
    pub(crate) fn computed(&self, computing: Duration) {
        self.computing.observe(computing.as_secs_f64());
    }

    /// A call ended.
    pub(crate) fn ended(&self, outcome: &'static str, took: Duration) {
        self.ended.with_label_values(&[outcome]).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}
