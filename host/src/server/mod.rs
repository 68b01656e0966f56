//! HTTP: the SCIM endpoint as a service to mount, and the standalone server around it.

mod admitted;
mod answer;
pub(crate) mod bill;
pub(crate) mod body;
mod coding;
mod connection;
mod contained;
#[cfg(test)]
mod contained_tests;
mod health;
mod listen;
pub(crate) mod loggable;
mod oauth;
#[cfg(test)]
mod oauth_tests;
pub(crate) mod request_id;
pub(crate) mod service;
mod tracked;

pub use body::{MAX_BODY, MAX_LARGE_BODY};
pub use listen::{ServeError, serve};
pub use service::ScimService;

use std::any::Any;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::IntoResponse as _;
use axum::routing::get;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::set_header::SetResponseHeaderLayer;

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
    let page = provisioner.page().until(move || !serving.get()).router();
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .with_state(health::Health { provisioner: provisioner.clone(), readiness })
        .merge(provisioner.router())
        .merge(provisioner.api().router())
        .merge(page.layer(from_fn(tracked::note_bodies)))
        .fallback(|| async { (StatusCode::NOT_FOUND, "There is nothing here.\n") })
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest).compress_when(Compressible))
        // Round all others, so that whatever panics is answered.
        .layer(CatchPanicLayer::custom(panicked))
}

/// What is compressed: what is large enough, neither a stream of events nor a page. A page holds the token of its forms
/// beside what others may have put into it, and its compressed length would tell of it (the attack called BREACH).
#[derive(Clone)]
struct Compressible;

impl Predicate for Compressible {
    fn should_compress<B: http_body::Body>(&self, response: &Response<B>) -> bool {
        let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let left_out = ["text/html", "text/event-stream", "image/"];
        let media_type = media_type.unwrap_or_default();
        SizeAbove::new(answer::WORTH_COMPRESSING).should_compress(response)
            && !left_out.iter().any(|kind| media_type.starts_with(kind))
    }
}

fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    service::quietly(|| tracing::error!("the host failed while it served a request"));
    (StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred.\n").into_response()
}
