//! The functions of capabilities that the component calls.

use std::time::{Duration, Instant};

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use super::{SECONDS, registered};

/// Counts and measures the calls of capabilities.
pub(crate) struct Outgoing {
    ended: IntCounterVec,
    seconds: HistogramVec,
}

impl Outgoing {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let ended = Opts::new(
            "insomnia_scim_capability_calls_total",
            "What the component had the host do, by capability, function and whether it succeeded.",
        );
        let seconds = HistogramOpts::new(
            "insomnia_scim_capability_call_duration_seconds",
            "Time that a capability took, with what it waited for.",
        );
        let seconds = seconds.buckets(SECONDS.to_vec());
        Ok(Self {
            ended: registered(registry, IntCounterVec::new(ended, &["capability", "function", "outcome"])?)?,
            seconds: registered(registry, HistogramVec::new(seconds, &["capability", "function"])?)?,
        })
    }

    /// Waits for a function of a capability, counts it and measures it.
    pub(crate) async fn measured<T, E>(
        &self,
        capability: &'static str,
        function: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let begun = Instant::now();
        let outcome = call.await;
        self.ended(capability, function, outcome.is_ok(), begun.elapsed());
        outcome
    }

    /// Counts a function of a capability that has ended.
    fn ended(&self, capability: &'static str, function: &'static str, succeeded: bool, took: Duration) {
        let outcome = if succeeded { "ok" } else { "error" };
        self.ended.with_label_values(&[capability, function, outcome]).inc();
        self.seconds.with_label_values(&[capability, function]).observe(took.as_secs_f64());
    }
}
