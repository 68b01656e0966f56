//! The capabilities of the host that an embedder can implement, one file each.

pub mod clock;
pub mod email;
pub(crate) mod host_space;
pub mod http;
pub mod schedule;
pub mod secrets;
pub mod storage;
pub(crate) mod storage_glue;

use std::sync::Arc;

use crate::alarm::Alarm;
use crate::metrics::Metrics;
use crate::traces::Traces;

/// All capabilities that an instance can use, for the organization to which it is bound.
pub(crate) struct Capabilities {
    pub(crate) storage: Arc<dyn storage::Storage>,
    pub(crate) mailer: Arc<dyn email::Mailer>,
    pub(crate) http: Arc<dyn http::HttpClient>,
    pub(crate) secrets: Arc<dyn secrets::Secrets>,
    pub(crate) clock: Arc<dyn clock::Clock>,
    pub(crate) alarm: Arc<Alarm>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) traces: Traces,
}

impl Capabilities {
    /// Runs a function of a capability, with a metric and a trace span.
    pub(crate) async fn measured<T, E>(
        &self,
        capability: &'static str,
        function: &'static str,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let span = self.traces.of_capability(capability, function);
        let outcome = self.metrics.outgoing.measured(capability, function, call).await;
        if outcome.is_err() {
            span.fail("refused");
        }
        outcome
    }
}
