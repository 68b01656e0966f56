//! The listener for the operator's monitoring, `GET /metrics`. It is separate from the address that strangers reach.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::CONTENT_TYPE;
use crate::provisioner::Provisioner;

/// Serves `GET /metrics` in the text format of Prometheus until `stop` is ready. It needs no authentication, so the
/// address must be one that only the operator's monitoring reaches.
///
/// # Errors
/// Those of the listener.
pub async fn serve(
    provisioner: &Provisioner,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let routes = Router::new().route("/metrics", get(metrics)).with_state(provisioner.clone());
    axum::serve(listener, routes).with_graceful_shutdown(stop).await
}

async fn metrics(State(provisioner): State<Provisioner>) -> Response {
    match provisioner.metrics() {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE), (header::CACHE_CONTROL, "no-store")], text).into_response(),
        Err(error) => {
            tracing::error!("the metrics can't be written: {error}");
            (StatusCode::INTERNAL_SERVER_ERROR, "the metrics can't be written; see the log\n").into_response()
        }
    }
}
