//! HTTP: the SCIM endpoint as a service to mount, and the standalone server around it.

mod answer;
pub(crate) mod body;
mod coding;
mod health;
mod listen;
mod oauth;
#[cfg(test)]
mod oauth_tests;
pub(crate) mod request_id;
mod service;
pub(crate) mod streams;
pub(crate) mod throttle;

pub use body::{MAX_BODY, MAX_LARGE_BODY};
pub use listen::{ServeError, serve};
pub use service::ScimService;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use crate::provisioner::Provisioner;

/// What every connector URL begins with, below the base URL; the organization's name follows.
pub(crate) const SCIM_PATH: &str = "/scim/v2/";

impl Provisioner {
    /// The SCIM endpoint as a service: everything below `/scim`, and nothing else. It needs no router and costs the
    /// least.
    pub fn scim_service(&self) -> ScimService {
        ScimService::new(self.clone())
    }

    /// The routes of the SCIM endpoint, and of OAuth 2.0 but for the authorization endpoint, to be merged into a backend's
    /// own.
    pub fn router(&self) -> Router {
        let scim = self.scim_service();
        Router::new()
            .route_service("/scim", scim.clone())
            .route_service("/scim/", scim.clone())
            .route_service("/scim/{*rest}", scim)
            .merge(oauth::router(self))
    }
}

/// All routes of the standalone server.
pub(crate) fn routes(provisioner: &Provisioner, readiness: health::Readiness) -> Router {
    let serving = readiness.clone();
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(health::Health { provisioner: provisioner.clone(), readiness })
        .merge(provisioner.router())
        .merge(provisioner.api().router())
        .merge(provisioner.page().until(move || !serving.get()).router())
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
}
