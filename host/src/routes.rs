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
    /// be merged into a backend's own: they are below `/scim`, `/oauth`, `/.well-known/oauth-authorization-server` and
    /// `/.well-known/oauth-protected-resource`. A receiver that polls may wait for 30 seconds, unless
    /// [`Provisioner::stop_waiting`] is called. If the routes are nested, [`Provisioner::well_known_router`] is needed as well.
    ///
    /// Serve them with `into_make_service_with_connect_info::<SocketAddr>()`: whose address a request has is then logged, and wrong tries
    /// are counted by address, too.
    pub fn router(&self) -> Router {
        let provisioner = self.clone();
        server::router(self, Arc::new(move || provisioner.is_stopping()))
    }

    /// The metadata documents of OAuth 2.0 (RFC 8414 and RFC 9728) alone, for a backend that nests [`Provisioner::router`] below a
    /// path of its own. Clients look for these documents at the root of the host: with the base URL `https://example.com/insomnia`
    /// at `/.well-known/oauth-authorization-server/insomnia/oauth/{organization}`. So merge these routes at the root, beside the
    /// nested ones. A backend that merges [`Provisioner::router`] itself at the root has them already, and axum refuses them twice.
    ///
    /// ```no_run
    /// # use axum::Router;
    /// # use insomnia_scim::Provisioner;
    /// # fn example(provisioner: &Provisioner) -> Router {
    /// Router::new().nest("/insomnia", provisioner.router()).merge(provisioner.well_known_router())
    /// # }
    /// ```
    pub fn well_known_router(&self) -> Router {
        server::well_known(self)
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
