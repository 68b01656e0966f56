//! HTTP requests.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use super::{SECONDS, registered};

/// Methods with a label of their own. Clients may invent others.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Counts HTTP requests and measures how long they take until their answer begins.
pub(crate) struct Requests {
    ended: IntCounterVec,
    seconds: HistogramVec,
}

impl Requests {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let ended = Opts::new("insomnia_scim_http_requests_total", "HTTP requests that were answered.");
        let seconds = HistogramOpts::new(
            "insomnia_scim_http_request_duration_seconds",
            "Time from the head of an HTTP request until the head of its answer.",
        );
        Ok(Self {
            ended: registered(registry, IntCounterVec::new(ended, &["face", "method", "status"])?)?,
            seconds: registered(registry, HistogramVec::new(seconds.buckets(SECONDS.to_vec()), &["face", "method"])?)?,
        })
    }

    /// Counts a request that this interface has answered.
    pub(crate) fn count(&self, face: &'static str, method: &str, status: u16, took: Duration) {
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or("other");
        self.ended.with_label_values(&[face, method, &status.to_string()]).inc();
        self.seconds.with_label_values(&[face, method]).observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_what_a_client_invents_becomes_a_label() {
        let registry = Registry::new();
        let requests = Requests::new(&registry).unwrap();
        requests.count("scim", "BREW", 405, Duration::ZERO);
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(
            text.contains(r#"insomnia_scim_http_requests_total{face="scim",method="other",status="405"} 1"#),
            "{text}"
        );
    }
}
