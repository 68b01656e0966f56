//! Metrics of this process for an operator's monitoring, in the text format of Prometheus.
//!
//! All names begin with `insomnia_scim_`, except those of the process itself (`process_…`), which have Prometheus' own
//! names. Labels have few values, which are listed here. No label and no value names an organization, a member or a
//! path, so that systems that must not hold personal data may keep them.
//!
//! | file | what it measures |
//! |---|---|
//! | `requests` | HTTP requests, by interface, method and status |
//! | `calls` | calls of the component: how they ended, how long they took, how long they computed |
//! | `jobs` | emails, webhook events and refreshes that fell due: for how long they have waited, and how they ended |
//! | `outgoing` | calls of the host by the component: storage, email, HTTP |
//! | `levels` | values at the moment of the scrape: memory, instances, connections |

mod calls;
mod jobs;
mod levels;
mod outgoing;
mod requests;

use prometheus::core::Collector;
use prometheus::{Registry, TextEncoder};

pub(crate) use calls::Calls;
pub(crate) use jobs::{JobOutcome, Jobs};
pub(crate) use levels::{Held, Levels};
pub(crate) use outgoing::Outgoing;
pub(crate) use requests::Requests;

/// The `Content-Type` of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Upper bounds of the buckets of durations, in seconds: from the time of a short read to the longest time of a call.
const SECONDS: [f64; 15] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];

/// The metrics of one provisioner. There is nothing global: two provisioners in one process count apart.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) requests: Requests,
    pub(crate) calls: Calls,
    pub(crate) jobs: Jobs,
    pub(crate) outgoing: Outgoing,
    pub(crate) levels: Levels,
}

impl Metrics {
    /// All metrics, with the value 0; those of the process only if it `has_process`.
    ///
    /// # Errors
    /// If two metrics had one name; a test keeps it from happening.
    pub(crate) fn new(has_process: bool) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        #[cfg(target_os = "linux")]
        if has_process {
            registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        }
        #[cfg(not(target_os = "linux"))]
        let _ = has_process;
        Ok(Self {
            requests: Requests::new(&registry)?,
            calls: Calls::new(&registry)?,
            jobs: Jobs::new(&registry)?,
            outgoing: Outgoing::new(&registry)?,
            levels: Levels::new(&registry)?,
            registry,
        })
    }

    /// Adds the metrics of another part of the host.
    ///
    /// # Errors
    /// If there is a metric of that name.
    #[cfg(feature = "otlp")]
    pub(crate) fn add(&self, metric: impl Collector + 'static) -> Result<(), prometheus::Error> {
        self.registry.register(Box::new(metric))
    }

    /// All metrics as text, in the format of Prometheus 0.0.4.
    ///
    /// # Errors
    /// If the text can't be made, which says a library's fault.
    pub(crate) fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// Registers a metric, and returns it.
fn registered<M: Collector + Clone + 'static>(registry: &Registry, metric: M) -> Result<M, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn every_metric_has_help_a_type_and_the_prefix() {
        let metrics = Metrics::new(true).unwrap();
        metrics.requests.count("scim", "GET", 200, Duration::from_millis(1));
        metrics.calls.ended("answered", Duration::from_millis(1));
        metrics.calls.began(true);
        metrics.jobs.waited(3);
        metrics.jobs.ended(JobOutcome::Done);
        let committed = async { Ok::<_, ()>(()) };
        metrics.outgoing.measured("storage", "commit", committed).await.unwrap();
        let text = metrics.text().unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.starts_with("insomnia_scim_") || line.starts_with("process_"), "{line}");
        }
        for name in ["http_requests_total", "component_calls_total", "jobs_total", "capability_calls_total"] {
            assert!(text.contains(&format!("# HELP insomnia_scim_{name} ")), "{name}: {text}");
            assert!(text.contains(&format!("# TYPE insomnia_scim_{name} counter")), "{name}: {text}");
        }
        assert!(!text.contains("acme"), "{text}");
    }

    #[test]
    fn two_sets_of_metrics_count_apart() {
        let (one, other) = (Metrics::new(true).unwrap(), Metrics::new(true).unwrap());
        one.calls.began(false);
        assert!(one.text().unwrap().contains("insomnia_scim_component_instances_total{origin=\"made\"} 1"));
        assert!(!other.text().unwrap().contains("insomnia_scim_component_instances_total{origin=\"made\"} 1"));
    }
}
