//! Health: whether the process is alive, and whether it should get requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;

use crate::condition::Trouble;
use crate::provisioner::Provisioner;

/// The path by which monitoring asks whether the process is alive.
pub(crate) const LIVE: &str = "/healthz";
/// The path by which load balancers ask whether the server should get requests.
pub(crate) const READY: &str = "/readyz";

/// Whether monitoring asks by this path whether the server is alive.
pub(super) fn is_probe(path: &str) -> bool {
    [LIVE, READY].contains(&path)
}

/// Whether the server accepts requests. This ends before the server stops.
#[derive(Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub(crate) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    /// Whether the server accepts requests.
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) provisioner: Provisioner,
    pub(crate) readiness: Readiness,
}

/// `GET /healthz`: the process answers.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the server can serve requests, because the storage accepts writes and the component answers calls.
pub(crate) async fn ready(State(health): State<Health>) -> (StatusCode, String) {
    if !health.readiness.get() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is starting or stopping\n".into());
    }
    match health.provisioner.trouble().await {
        None => (StatusCode::OK, "ready\n".into()),
        // Strangers may read this answer, so it does not say what the storage says about itself. That is in the log.
        Some(trouble) => {
            let text = match trouble {
                Trouble::StorageFull => "the storage is full",
                Trouble::Storage(_) => "the storage does not accept writes",
                Trouble::Component(_) => "the component answers no call",
                Trouble::TooSlow => "storage or component are too slow",
            };
            (StatusCode::SERVICE_UNAVAILABLE, format!("{text}\n"))
        }
    }
}
