//! A stream of SCIM events in a list, as several views show it.

use super::when::When;
use super::words::counted;
use crate::event::{EventStream, StreamEvent};

/// The number up to which tokens are counted.
const MOST: u32 = 1_000;
/// The kinds of events, and their names.
pub(super) const EVENTS: [(StreamEvent, &str); 8] = [
    (StreamEvent::Create, "Created"),
    (StreamEvent::Patch, "Changed"),
    (StreamEvent::Put, "Replaced"),
    (StreamEvent::Delete, "Deleted"),
    (StreamEvent::Activate, "Has access again"),
    (StreamEvent::Deactivate, "Lost access"),
    (StreamEvent::FeedAdd, "Newly listed by SCIM"),
    (StreamEvent::AsyncResponse, "Asynchronous request done"),
];

/// A stream in the list.
pub(super) struct StreamRow {
    pub(super) stream: EventStream,
    /// The state of the deliveries: a word, its look, and since when.
    pub(super) state: (&'static str, &'static str, Option<When>),
    pub(super) waiting: String,
    pub(super) parked: Option<String>,
}

impl StreamRow {
    pub(super) fn new(stream: EventStream) -> Self {
        let (word, tone, since) = match (stream.failing_since, stream.works_since.or(stream.last_polled)) {
            (Some(since), _) => ("Failing", "bad", Some(since)),
            (None, Some(since)) if stream.push_url.is_some() => ("Works", "good", Some(since)),
            (None, Some(last)) => ("Last polled", "good", Some(last)),
            (None, None) if stream.push_url.is_some() => ("Not tried yet", "off", None),
            (None, None) => ("Never polled", "off", None),
        };
        let count = |count: u32| counted(usize::try_from(count).unwrap_or(0), count >= MOST, "token");
        Self {
            state: (word, tone, since.map(When::minute)),
            waiting: count(stream.waiting).unwrap_or_else(|| "none".to_owned()),
            parked: count(stream.parked),
            stream,
        }
    }

    /// The names of its events.
    pub(super) fn events(&self) -> String {
        let names: Vec<&str> =
            EVENTS.iter().filter(|(event, _)| self.stream.events.contains(event)).map(|(_, name)| *name).collect();
        if names.len() == EVENTS.len() { "All".to_owned() } else { names.join(", ") }
    }
}
