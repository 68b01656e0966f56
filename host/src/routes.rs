//! Where the faces meet: the routes to mount into a backend's router, and all of them for the standalone server.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;

use crate::api;
use crate::page::Page;
use crate::provisioner::Provisioner;
use crate::server::health::{self, Health, Readiness};
use crate::server::{self, Listener, ScimService, ServeError, layers};
use crate::traces;

impl Provisioner {
    /// The SCIM endpoint as a service: everything below `/scim`, and nothing else. It needs no router and costs the
    /// least.
    pub fn scim_service(&self) -> ScimService {
        ScimService::new(self.clone())
    }

    /// The routes of the SCIM endpoint, of OAuth 2.0 but for the authorization endpoint, and of the receivers of SCIM events, to
    /// be merged into a backend's own: they are below `/scim`, `/oauth` and `/.well-known/oauth-authorization-server`. A receiver
    /// that polls may wait for 30 seconds, unless [`Provisioner::stop_waiting`] is called.
    ///
    /// Serve them with `into_make_service_with_connect_info::<SocketAddr>()`: whose address a request has is then logged, and wrong tries
    /// are counted by address, too.
    pub fn router(&self) -> Router {
        let provisioner = self.clone();
        server::router(self, Arc::new(move || provisioner.is_stopping()))
    }
}

/// Serves the SCIM endpoint, OAuth 2.0, the admin API, the SCIM page, `/healthz` and `/readyz` until `stop` is ready.
/// Then it takes no more requests, finishes those that have begun, and stores what was logged. A [`Listener`] says where
/// connections are taken, and whether they are encrypted.
///
/// # Errors
/// [`ServeError`] says what went wrong at the end.
pub async fn serve(
    provisioner: &Provisioner,
    listener: impl Into<Listener>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let readiness = Readiness::default();
    let routes = all(provisioner, readiness.clone());
    server::listen(provisioner, routes, readiness, listener.into(), stop).await
}

/// All routes of the standalone server.
fn all(provisioner: &Provisioner, readiness: Readiness) -> Router {
    let (serving, waiting) = (readiness.clone(), readiness.clone());
    let routes = Router::new()
        .route(health::LIVE, get(health::live))
        .route(health::READY, get(health::ready))
        .with_state(Health { provisioner: provisioner.clone(), readiness })
        .merge(server::router(provisioner, Arc::new(move || !waiting.get())))
        .merge(api::router(provisioner))
        .merge(layers::page(Page::new(provisioner).until(move || !serving.get()).router()))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") });
    let routes = if provisioner.traces().is_on() { routes.layer(from_fn(route_noted)) } else { routes };
    layers::all(routes)
}

/// Notes in the request's span which route it has: only what is behind the router knows.
async fn route_noted(request: Request, next: Next) -> Response {
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        traces::note_route(request.method(), route.as_str());
    }
    next.run(request).await
}
