//! The capabilities of the host that an embedder can implement, one file each.

pub mod clock;
pub mod email;
pub mod http;
pub mod schedule;
pub mod secrets;
pub mod storage;
pub(crate) mod storage_glue;

use std::sync::Arc;

use crate::alarm::Alarm;
use crate::metrics::Metrics;

/// All that an instance can reach, for whichever organization it is bound to.
pub(crate) struct Capabilities {
    pub(crate) storage: Arc<dyn storage::Storage>,
    pub(crate) mailer: Arc<dyn email::Mailer>,
    pub(crate) http: Arc<dyn http::HttpClient>,
    pub(crate) secrets: Arc<dyn secrets::Secrets>,
    pub(crate) clock: Arc<dyn clock::Clock>,
    pub(crate) alarm: Arc<Alarm>,
    pub(crate) metrics: Arc<Metrics>,
}
