//! Health: whether the process lives, and whether it should be sent requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;

use crate::capability::storage::OrganizationId;
use crate::provisioner::Provisioner;

/// Whether the server takes requests. It stops doing so before it stops.
#[derive(Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicBool>);

impl Readiness {
    pub(crate) fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }

    /// Whether it is.
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

/// `GET /readyz`: requests can be served, and the storage answers.
pub(crate) async fn ready(State(health): State<Health>) -> (StatusCode, &'static str) {
    if !health.readiness.get() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is starting or stopping\n");
    }
    match health.provisioner.storage().get(&OrganizationId::host(), vec![b"ready".to_vec()]).await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!("not ready: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "the storage does not answer\n")
        }
    }
}
