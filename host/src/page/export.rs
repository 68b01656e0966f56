//! The log as a file: CSV or JSON Lines. It is written while it is read, so the log may have any length.

use axum::http::StatusCode;
use axum::response::Response;

use super::log_filter::Filter;
use super::query::Query;
use super::refusal::Refusal;
use super::visit::Visit;
use crate::journal::{LogExport, LogFormat};
use crate::server::streams::Stream;

/// `GET …/logs/export.csv`.
pub(super) async fn csv(Query(filter): Query<Filter>, visit: Visit) -> Result<Response, Refusal> {
    export(visit, filter, LogFormat::Csv).await
}

/// `GET …/logs/export.jsonl`.
pub(super) async fn json_lines(Query(filter): Query<Filter>, visit: Visit) -> Result<Response, Refusal> {
    export(visit, filter, LogFormat::JsonLines).await
}

async fn export(visit: Visit, filter: Filter, format: LogFormat) -> Result<Response, Refusal> {
    let stream = stream(&visit)?;
    let now = visit.state.now();
    Ok(LogExport::new(visit.organization, filter.entries(), format).into_response(now, stream).await?)
}

/// Begins one more export of the organization, unless too many are running.
pub(super) fn stream(visit: &Visit) -> Result<Stream, Refusal> {
    let text = "Too many exports of this organization are running. Try again when they are done.";
    let refusal = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Too many exports", text);
    visit.state.streams.open(visit.organization.id()).ok_or_else(refusal)
}
