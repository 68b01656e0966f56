//! The log as a file: CSV or JSON Lines, written while it is read, so that no log is too long for it.

use std::io;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};

use super::csv as values;
use super::entry::Entry;
use super::logs::Filter;
use super::query::Query;
use super::refusal::Refusal;
use super::streams::Stream;
use super::visit::Visit;
use super::when::iso;

/// Entries of one part.
const PART: u32 = 500;

#[derive(Clone, Copy)]
enum Format {
    Csv,
    JsonLines,
}

/// `GET …/logs/export.csv`.
pub(super) async fn csv(Query(filter): Query<Filter>, visit: Visit) -> Result<Response, Refusal> {
    export(visit, filter, Format::Csv)
}

/// `GET …/logs/export.jsonl`.
pub(super) async fn json_lines(Query(filter): Query<Filter>, visit: Visit) -> Result<Response, Refusal> {
    export(visit, filter, Format::JsonLines)
}

fn export(visit: Visit, filter: Filter, format: Format) -> Result<Response, Refusal> {
    let Some(stream) = visit.state.streams.open(visit.organization.id()) else {
        let text = "Too many exports of this organization are running. Try again when they are done.";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Too many exports", text));
    };
    let (extension, media_type) = match format {
        Format::Csv => ("csv", "text/csv; charset=utf-8"),
        Format::JsonLines => ("jsonl", "application/jsonl; charset=utf-8"),
    };
    let day = iso(visit.state.now())[..10].to_owned();
    let name = format!("attachment; filename=\"scim-log-{}-{day}.{extension}\"", visit.organization.id());
    let (sender, body) = Channel::<Bytes, io::Error>::new(2);
    tokio::spawn(run(visit, filter, format, sender, stream));
    let mut response = ([(header::CONTENT_TYPE, media_type)], Body::new(body)).into_response();
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

async fn run(visit: Visit, filter: Filter, format: Format, mut to: Sender<Bytes, io::Error>, _stream: Stream) {
    let mut query = filter.search(PART);
    let mut part = match format {
        Format::Csv => values::HEADER.as_bytes().to_vec(),
        Format::JsonLines => Vec::new(),
    };
    loop {
        let found = match visit.organization.search_log(query.clone()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!("an export of the log is broken off: {error}");
                // The download fails visibly, instead of looking complete.
                to.abort(io::Error::other("the log can't be read on"));
                return;
            }
        };
        for json in &found.entries {
            match format {
                Format::Csv => {
                    part.extend(Entry::parse(json).map(|entry| values::line(&entry)).unwrap_or_default().bytes())
                }
                Format::JsonLines => {
                    part.extend_from_slice(json);
                    part.push(b'\n');
                }
            }
        }
        if !part.is_empty() && to.send_data(Bytes::from(std::mem::take(&mut part))).await.is_err() {
            return;
        }
        query.after = found.next;
        if query.after.is_none() {
            return;
        }
    }
}
