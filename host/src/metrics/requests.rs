//! HTTP requests.

use std::time::Duration;

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

use super::{SECONDS, registered};

/// Methods with a label of their own. Clients may invent others.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// The paths of the interfaces, and their names.
const FACES: [(&str, &str); 6] = [
    ("/scim", "scim"),
    ("/api", "api"),
    ("/oauth", "oauth"),
    ("/organizations", "page"),
    ("/healthz", "health"),
    ("/readyz", "health"),
];

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

    /// Counts a request that was answered.
    pub(crate) fn count(&self, path: &str, method: &str, status: u16, took: Duration) {
        let face = face(path);
        let method = METHODS.iter().find(|known| **known == method).copied().unwrap_or("other");
        self.ended.with_label_values(&[face, method, &status.to_string()]).inc();
        self.seconds.with_label_values(&[face, method]).observe(took.as_secs_f64());
    }
}

/// The interface to which a path belongs. Receivers of SCIM events have their own, because their requests may wait for
/// half a minute.
fn face(path: &str) -> &'static str {
    if path.starts_with("/scim/") && path.split('/').nth(4) == Some("streams") {
        return "streams";
    }
    let is_below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    FACES.iter().find(|(root, _)| is_below(root)).map_or("other", |(_, face)| face)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_face_and_nothing_of_what_a_client_invents_becomes_a_label() {
        assert_eq!(face("/scim/v2/acme/Users"), "scim");
        assert_eq!(face("/scim"), "scim");
        assert_eq!(face("/scim/v2/acme/streams/1/poll"), "streams");
        assert_eq!(face("/scimitar"), "other");
        assert_eq!(face("/organizations/acme/scim"), "page");
        assert_eq!(face("/readyz"), "health");
        assert_eq!(face("/"), "other");
        let registry = Registry::new();
        let requests = Requests::new(&registry).unwrap();
        requests.count("/scim/v2/acme", "BREW", 405, Duration::ZERO);
        let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        assert!(
            text.contains(r#"insomnia_scim_http_requests_total{face="scim",method="other",status="405"} 1"#),
            "{text}"
        );
    }
}
