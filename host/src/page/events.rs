//! Events: the changes in the organization, newest first, and one event in full.

use askama::Template;
use axum::extract::Path;
use axum::response::Html;
use serde::Deserialize;

use super::event::{Event, PART, before, find, time};
use super::paging::Paging;
use super::query::{Query, query, typed};
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use crate::organization::Organization;

/// How many rows a page has.
const ROWS: usize = 50;
/// How long events are kept, in milliseconds.
const KEPT: u64 = 90 * 24 * 60 * 60 * 1000;
/// How far back the first call reads, in milliseconds.
const FIRST: u64 = 60 * 1000;
/// How many calls one page may cost.
const LOOKS: usize = 48;

/// The kinds of events for the filter: the beginning of the types, and the name.
const KINDS: [(&str, &str); 9] = [
    ("member.", "Members"),
    ("member.created", "Members created"),
    ("member.adopted", "Members matched"),
    ("member.deactivated", "Members deactivated"),
    ("member.deleted", "Members deleted"),
    ("team.", "Teams"),
    ("connector.", "SCIM switched"),
    ("token.", "Tokens"),
    ("licences.", "Licences"),
];

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    shell: Shell,
    /// The retention in days.
    retention: u32,
    kind: String,
    events: Vec<Event>,
    paging: Paging,
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    shell: Shell,
    event: Event,
    when: When,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct EventsQuery {
    kind: Option<String>,
    before: Option<String>,
}

/// `GET …/events`.
pub(super) async fn list(Query(wanted): Query<EventsQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let kind = typed(wanted.kind.as_ref()).filter(|kind| KINDS.iter().any(|(known, _)| known == kind)).unwrap_or("");
    let from = wanted.before.as_deref().filter(|position| time(position) > 0);
    let (events, next) = newest(&visit.organization, kind, from, visit.state.now()).await?;
    let path = visit.path("events");
    let chosen = Some(kind).filter(|kind| !kind.is_empty());
    let page = EventsPage {
        shell: visit.shell("Events", "events"),
        retention: visit.organization.retention().await?,
        kind: kind.to_owned(),
        events,
        paging: Paging {
            first: from.map(|_| format!("{path}{}", query(&[("kind", chosen)]))),
            previous: None,
            next: next.map(|next| format!("{path}{}", query(&[("kind", chosen), ("before", Some(&next))]))),
        },
    };
    Ok(Html(page.render()?))
}

/// `GET …/events/{position}`.
pub(super) async fn detail(Path((_, position)): Path<(String, String)>, visit: Visit) -> Result<Html<String>, Refusal> {
    let event = find(&visit.organization, &[&position]).await?.remove(&position);
    let event = event.ok_or_else(|| Refusal::not_found("event; older ones are deleted"))?;
    let page = EventPage { shell: visit.shell(&event.title(), "events"), when: event.when(), event };
    Ok(Html(page.render()?))
}

/// The newest events of a kind before a position, and the position at which to continue. The component lists events
/// from the oldest on, so this goes back in steps of time: large ones in quiet times, small ones in busy times.
async fn newest(
    organization: &Organization,
    kind: &str,
    from: Option<&str>,
    now: u64,
) -> Result<(Vec<Event>, Option<String>), Refusal> {
    // If a clock was set back, there are events in the future.
    let mut end = from.map_or_else(|| before(now + KEPT), str::to_owned);
    let mut until = from.map_or(now, time);
    let (mut step, oldest) = (FIRST, now.saturating_sub(KEPT + FIRST));
    let mut events: Vec<Event> = Vec::new();
    for _ in 0..LOOKS {
        let start = until.saturating_sub(step);
        let page = organization.events(Some(&before(start)), PART).await?;
        let within = page.items.iter().take_while(|event| event.position < end).count();
        if within == page.items.len() && page.next.is_some() && step > 1 {
            step = (step / 4).max(1);
            continue;
        }
        let parsed = page.items[..within].iter().rev().filter_map(Event::parse);
        events.extend(parsed.filter(|event| event.kind().starts_with(kind)));
        if events.len() > ROWS {
            events.truncate(ROWS);
            let next = events.last().map(|last| last.position.clone());
            return Ok((events, next));
        }
        if start <= oldest {
            return Ok((events, None));
        }
        (until, end) = (start, before(start));
        if within < 100 {
            step = step.saturating_mul(4);
        }
    }
    Ok((events, Some(end)))
}
