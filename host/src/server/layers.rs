//! The layers around all routes of the standalone server: caching, compression, and an answer if something panics.

use std::any::Any;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::IntoResponse as _;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate, SizeAbove};
use tower_http::set_header::SetResponseHeaderLayer;

use super::{answer, service, tracked};

/// Adds to the page's routes the layer that notes the memory of request bodies.
pub(crate) fn page(routes: Router) -> Router {
    routes.layer(from_fn(tracked::note_bodies))
}

/// Adds the layers around all routes.
pub(crate) fn all(routes: Router) -> Router {
    routes
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .layer(CompressionLayer::new().gzip(true).quality(CompressionLevel::Fastest).compress_when(Compressible))
        // This is the outermost layer, so that every panic gets an answer.
        .layer(CatchPanicLayer::custom(panicked))
}

/// Compresses answers that are large enough, except streams of events and pages. A page contains the token of its forms
/// together with texts of others, so its compressed length would reveal the token (the attack called BREACH).
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
