//! HTTP: the SCIM endpoint as a service to mount, and the standalone server around it.

mod admitted;
mod answer;
pub(crate) mod bill;
pub(crate) mod body;
mod client_address;
mod coding;
mod connection;
mod contained;
#[cfg(test)]
mod contained_tests;
mod face;
pub(crate) mod health;
pub(crate) mod layers;
mod listen;
pub(crate) mod loggable;
mod metrics;
mod oauth;
#[cfg(test)]
mod oauth_tests;
pub(crate) mod receivers;
pub(crate) mod request_id;
pub(crate) mod service;
pub(crate) mod streams;
pub(crate) mod throttle;
pub(crate) mod tls;
mod tracked;
mod turns;
mod unreadable;

pub use body::{MAX_BODY, MAX_LARGE_BODY};
pub use client_address::{InvalidProxy, TrustedProxies};
pub(crate) use listen::listen;
pub use listen::{Listener, ServeError};
pub use metrics::serve as serve_metrics;
pub(crate) use oauth::well_known;
pub use service::ScimService;
pub use tls::{Tls, TlsError, TlsFiles};

use axum::Router;

use self::receivers::Stopping;
use crate::provisioner::Provisioner;

/// The routes of the SCIM endpoint, of the OAuth 2.0 endpoints except the authorization endpoint, and of receivers of
/// SCIM events. Once the server is `stopping`, no receiver waits any more.
pub(crate) fn router(provisioner: &Provisioner, stopping: Stopping) -> Router {
    let scim = ScimService::new(provisioner.clone());
    Router::new()
        .route_service("/scim", scim.clone())
        .route_service("/scim/", scim.clone())
        .route_service("/scim/{*rest}", scim)
        .merge(oauth::router(provisioner))
        .merge(receivers::router(provisioner, stopping))
}
