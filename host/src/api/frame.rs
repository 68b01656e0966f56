//! The middleware of all operations: it adds the request's id, forbids caching, renders problems, and answers even if a
//! handler fails.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::{KeyOfRequest, RequestId};
use super::listed::{self, Next as NextPage};
use super::problem::Problem;
use super::state::ApiState;
use super::{PATH, idempotency};
use crate::server::loggable::loggable;
use crate::server::request_id::{self, X_REQUEST_ID};
use crate::server::service::quietly;
use crate::server::tls::WithoutCertificate;
use crate::traces;

const FIELDS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Serves a request. It is finished even if the client is gone: the answer may contain a secret that is shown once, and
/// is stored for another request with the same idempotency key.
pub(super) async fn frame(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let (begun, request_id) = (Instant::now(), request_id::next());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let client_request_id = request_id::of_client(request.headers()).map(str::to_owned);
    let key_of_request = KeyOfRequest::default();
    request.extensions_mut().insert(key_of_request.clone());
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let mut response = if request.extensions().get::<WithoutCertificate>().is_some() {
        Problem::forbidden("The admin API requires a client certificate, and the client has sent none.").into_response()
    } else {
        let served = Box::pin(idempotency::once(state.clone(), request, next));
        let served = tokio::spawn(traces::carried(served)).await;
        served.unwrap_or_else(|error| {
            tracing::error!(request_id, "the host failed while it served a request of the API: {error}");
            Problem::internal().into_response()
        })
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem.render(&request_id, &mut response);
    }
    if let Some(next) = response.extensions_mut().remove::<NextPage>() {
        listed::link(&next, &format!("{}{PATH}", state.provisioner.base_url()), &uri, response.headers_mut());
    }
    for (name, value) in FIELDS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // The log has neither the query, which contains names, nor any header field but the client's id of the request.
    let status = response.status().as_u16();
    let microseconds = begun.elapsed().as_micros() as u64;
    quietly(|| {
        tracing::info!(
            target: "insomnia_scim::request",
            request_id,
            client_request_id,
            api_key = key_of_request.0.get(),
            %method,
            path = &*loggable(uri.path()),
            status,
            microseconds,
        );
    });
    if let Ok(id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(&X_REQUEST_ID, id);
    }
    response
}

/// Answers a path that is no operation.
pub(super) async fn nothing_here() -> Problem {
    Problem::not_found("There is nothing here. The operations are listed at /api/v1/openapi.json.")
}

/// Answers a method that the path does not have; the router adds `Allow`.
pub(super) async fn not_this_method() -> Problem {
    let detail = "The path has other methods, which the Allow header field names.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
}
