//! The collector of finished spans.

use std::time::Duration;

use async_trait::async_trait;

/// The reason why a message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The same message may be accepted later. If the collector has given a time, it must not be sent before.
    #[error("{why}")]
    Later {
        /// The reason.
        why: String,
        /// How long the collector asks to wait.
        after: Option<Duration>,
    },
    /// The collector will never take this message.
    #[error("{0}")]
    Never(String),
}

/// Takes messages of OTLP. [`crate::http::OtlpCollector`] posts them.
#[async_trait]
pub trait Collector: Send + Sync + 'static {
    /// Takes an `ExportTraceServiceRequest`, encoded in Protocol Buffers.
    ///
    /// # Errors
    /// [`NotTaken`] says whether the same message may be tried again.
    async fn take(&self, message: Vec<u8>) -> Result<(), NotTaken>;
}
