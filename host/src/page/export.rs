//! The log as a file: CSV or JSON Lines, written while it is read, so that no log is too long for it.

use std::io;

use axum::body::Body;
use axum::extract::Query;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};

use super::logs::Filter;
use super::refusal::Refusal;
use super::streams::Stream;
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
    let (extension, media_type) = match format {
        LogFormat::Csv => ("csv", "text/csv; charset=utf-8"),
        LogFormat::JsonLines => ("jsonl", "application/jsonl; charset=utf-8"),
    };
    let day = iso(visit.state.now())[..10].to_owned();
    let name = format!("attachment; filename=\"scim-log-{}-{day}.{extension}\"", visit.organization.id());
    let (sender, body) = Channel::<Bytes, io::Error>::new(2);
    let export = LogExport::new(visit.organization.clone(), filter.search(PART), format);
    tokio::spawn(run(export, sender, stream));
    let mut response = ([(header::CONTENT_TYPE, media_type)], Body::new(body)).into_response();
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

async fn run(mut export: LogExport, mut to: Sender<Bytes, io::Error>, _stream: Stream) {
    loop {
        match export.next().await {
            Ok(Some(part)) if part.is_empty() => {}
            Ok(Some(part)) => {
                if to.send_data(Bytes::from(part)).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!("an export of the log is broken off: {error}");
                // The download fails visibly, instead of looking complete.
                to.abort(io::Error::other("the log can't be read on"));
                return;
            }
        }
    }
}
