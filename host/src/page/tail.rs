//! The live log: new entries as server-sent events. Each is a row of the table.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use askama::Template as _;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep};

use super::entry::{Entry, LogRow};
use super::log_filter::Filter;
use super::query::Query;
use super::refusal::Refusal;
use super::visit::Visit;
use crate::download::written_meanwhile;
use crate::server::streams::Stream;
use crate::traces::carried;

/// How often the log is read.
const EVERY: Duration = Duration::from_secs(1);
/// A stream ends after this time. The browser connects again, and so shows that it is still signed in.
const AT_MOST: Duration = Duration::from_secs(60);
/// How far back each call reads, in milliseconds. An entry has the time at which its request began, so a long request
/// may follow later ones.
const LOOK_BACK: u64 = 10_000;
/// How many entries one call reads.
const MOST: u32 = 200;

/// The query in addition to the filter.
#[derive(Deserialize)]
pub(super) struct From {
    /// The first time of the entries, in milliseconds since the Unix epoch.
    from: Option<u64>,
}

/// `GET …/logs/live`.
pub(super) async fn follow(
    Query(filter): Query<Filter>,
    Query(From { from }): Query<From>,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, Refusal> {
    let Some(stream) = visit.state.streams.open(visit.organization.id()) else {
        let text = "Too many people follow the log of this organization.";
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Too many streams", text));
    };
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let from = last.or(from).unwrap_or_else(|| visit.state.now());
    let (sender, body) = written_meanwhile(16);
    tokio::spawn(carried(Box::pin(run(visit, filter, from, sender, stream))));
    let fields = [(header::CONTENT_TYPE, "text/event-stream"), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((fields, body).into_response())
}

async fn run(visit: Visit, filter: Filter, mut from: u64, to: Sender<io::Result<Bytes>>, _stream: Stream) {
    let (home, end) = (visit.home(), Instant::now() + AT_MOST);
    let mut sent: HashSet<String> = HashSet::new();
    if to.send(Ok(Bytes::from_static(b"retry: 2000\n\n"))).await.is_err() {
        return;
    }
    while Instant::now() < end && !(visit.state.stopping)() {
        let since = from.saturating_sub(LOOK_BACK);
        let mut query = filter.search(MOST);
        query.since = Some(query.since.unwrap_or(0).max(since));
        let Ok(found) = visit.organization.search_log(query).await else { return };
        let entries: Vec<Entry> = found.entries.iter().rev().filter_map(|json| Entry::parse(json)).collect();
        let known = std::mem::take(&mut sent);
        let mut text = String::new();
        for entry in entries {
            sent.insert(entry.request_id.clone());
            if known.contains(&entry.request_id) {
                continue;
            }
            // If another host's clock is ahead, entries of the other hosts must still follow.
            from = from.max(entry.time.min(visit.state.now()));
            let Ok(row) = LogRow::new(&home, entry).render() else { continue };
            text += &format!("id: {from}\nevent: entry\n");
            row.lines().for_each(|line| text += &format!("data: {line}\n"));
            text.push('\n');
        }
        // Sending a comment shows whether the browser is still there.
        let text = if text.is_empty() { ":\n\n".to_owned() } else { text };
        if to.send(Ok(Bytes::from(text))).await.is_err() {
            return;
        }
        sleep(EVERY).await;
    }
}
