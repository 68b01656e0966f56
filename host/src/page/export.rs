//! The log as a file: CSV or JSON Lines, written while it is read, so that no log is too long for it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::log_filter::Filter;
use super::query::Query;
use super::refusal::Refusal;
use super::visit::Visit;
use super::when::iso;
use crate::journal::{LogExport, LogFormat};

/// Entries of one part.
const PART: u32 = 500;

/// `GET …/logs/export.csv`.
pub(super) async fn csv(Query(filter): Query<Filter>, visit: Visit) -> Result<Response, Refusal> {
    export(visit, filter, LogFormat::Csv)
}

/// `GET …/logs/export.jsonl`.
pub(super) async fn json_lines(Query(filter): Query<Filter>, visit: Visit) -> Result<Response, Refusal> {
    export(visit, filter, LogFormat::JsonLines)
}

fn export(visit: Visit, filter: Filter, format: LogFormat) -> Result<Response, Refusal> {
    let Some(stream) = visit.state.streams.open(visit.organization.id()) else {
        let text = "Too many exports of this organization are running. Try again when they are done.";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Too many exports", text));
    };
    let day = iso(visit.state.now())[..10].to_owned();
    let name = format!("attachment; filename=\"scim-log-{}-{day}.{}\"", visit.organization.id(), format.extension());
    let body = LogExport::new(visit.organization.clone(), filter.search(PART), format).into_body(stream);
    let mut response = ([(header::CONTENT_TYPE, format.media_type())], body).into_response();
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
