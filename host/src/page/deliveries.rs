//! Emails, events and tokens that are being delivered: the webhook, the streams, waiting and failed deliveries. Failed
//! ones can be sent again or dismissed, and an email can be sent to another address.

use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::event::{Event, find};
use super::form::{Fields, Posted};
use super::paging::Paging;
use super::query::{Query, query};
use super::refusal::Refusal;
use super::shell::Shell;
use super::stream_row::StreamRow;
use super::visit::Visit;
use super::when::When;
use super::words::{NO_MAIL, grouped};
use crate::delivery::{Delivery, DeliveryQueue};
use crate::error::ActionError;
use crate::event::Webhook;

/// How many rows of a queue are shown.
const ROWS: u32 = 50;
/// How many deliveries of a queue one call reads when one is searched for.
const PART: u32 = 500;
/// How many such calls a search makes at the most.
const PARTS: usize = 10;

/// All queues: the value in forms, the queue, and the title.
const QUEUES: [(&str, DeliveryQueue, &str); 6] = [
    ("emails-parked", DeliveryQueue::EmailsParked, "Emails that could not be sent"),
    ("events-parked", DeliveryQueue::EventsParked, "Events that the webhook did not accept"),
    ("emails-waiting", DeliveryQueue::EmailsWaiting, "Emails to be sent"),
    ("events-waiting", DeliveryQueue::EventsWaiting, "Events to be delivered"),
    ("sets-parked", DeliveryQueue::SetsParked, "Tokens that receivers of event streams did not accept"),
    ("sets-waiting", DeliveryQueue::SetsWaiting, "Tokens for receivers of event streams"),
];

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    shell: Shell,
    error: Option<String>,
    notice: Option<String>,
    url: String,
    webhook: Option<Hook>,
    /// The streams of SCIM events.
    streams: Vec<StreamRow>,
    queues: Vec<Queue>,
    /// The result for the delivery that was sent again.
    outcome: Option<Outcome>,
    /// Whether only one queue is shown, page by page.
    single: bool,
    /// Whether this server sends emails.
    mailed: bool,
    paging: Paging,
}

/// The result for an email or an event that was sent again.
struct Outcome {
    tone: &'static str,
    text: String,
    /// The link that reloads the view.
    again: Option<String>,
}

struct Hook {
    webhook: Webhook,
    created: When,
    /// The state of the deliveries: a word, its look, and since when.
    state: (&'static str, &'static str, Option<When>),
}

impl Hook {
    fn new(webhook: Webhook) -> Self {
        let state = match (webhook.failing_since, webhook.works_since) {
            (Some(since), _) if is_refused_by_policy(&webhook) => ("Refused by policy", "bad", Some(since)),
            (Some(since), _) => ("Failing", "bad", Some(since)),
            (None, Some(since)) => ("Works", "good", Some(since)),
            (None, None) => ("Not tried yet", "off", None),
        };
        let state = (state.0, state.1, state.2.map(When::minute));
        Self { created: When::minute(webhook.created), state, webhook }
    }
}

/// Whether the server's egress policy forbids requests to the webhook. The text is the component's form of
/// [`crate::capability::http::HttpError`].
fn is_refused_by_policy(webhook: &Webhook) -> bool {
    webhook.error.as_deref().is_some_and(|error| error.starts_with("the destination is not allowed"))
}

impl Row {
    /// The name that people know for what is being delivered.
    fn title(&self) -> String {
        match (&self.event, self.delivery.what.as_str()) {
            (Some(event), _) => event.title(),
            (None, "initial-passphrase") => "Initial passphrase".into(),
            (None, "passphrase-reset") => "Link to reset a passphrase".into(),
            (None, "token-expiring") => "Warning: the token expires soon".into(),
            (None, "token-expired") => "Warning: the token has expired".into(),
            (None, "client-secret-expiring") => "Warning: an OAuth client’s secret expires soon".into(),
            (None, "client-secret-expired") => "Warning: an OAuth client’s secret has expired".into(),
            (None, "no-free-seat") => "Warning: no seat is free".into(),
            (None, "guard-held") => "Removals are held".into(),
            (None, other) => other.to_owned(),
        }
    }

    /// The recipient, or the subject of the event.
    fn whom(&self) -> String {
        match (&self.event, &self.delivery.to) {
            (Some(event), _) => event.name(),
            (None, Some(to)) => to.clone(),
            (None, None) => String::new(),
        }
    }
}

struct Queue {
    value: &'static str,
    title: &'static str,
    parked: bool,
    rows: Vec<Row>,
    more: bool,
    /// Whether the queue has emails, which can be sent to another address.
    emails: bool,
}

struct Row {
    delivery: Delivery,
    /// The event, if it was found.
    event: Option<Event>,
    created: When,
    due: Option<When>,
}

#[derive(Template)]
#[template(path = "webhook_key.html")]
struct KeyPage {
    shell: Shell,
    url: String,
    key: String,
    hook: Option<Hook>,
}

/// The query.
#[derive(Default, Deserialize)]
pub(super) struct DeliveriesQuery {
    done: Option<String>,
    /// How many deliveries the action concerned.
    count: Option<u64>,
    /// The delivery that the action concerned.
    id: Option<String>,
    /// Show only this queue.
    queue: Option<String>,
    after: Option<String>,
}

/// `GET …/deliveries`.
pub(super) async fn show(Query(wanted): Query<DeliveriesQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let notice = wanted.done.as_deref().and_then(|what| done(what, wanted.count.unwrap_or(0)));
    Ok(Html(page(&visit, None, notice, "", &wanted).await?))
}

/// The notice about what was done.
fn done(what: &str, count: u64) -> Option<String> {
    Some(match (what, count) {
        ("removed", _) => "The webhook is removed. Waiting events are not delivered.".into(),
        ("tested", _) => "A signed test event was posted. The state shows the result.".into(),
        ("retried", 0) => "Nothing was sent again: the delivery no longer exists, or its link has expired.".into(),
        ("retried", 1) => "1 delivery is sent again. If it fails, it comes back here with the reason.".into(),
        ("retried", count) => {
            format!("{} deliveries are sent again. Those that fail come back here with the reason.", grouped(count))
        }
        ("readdressed", _) => "The email goes to the other address. The member’s own address stays as it is.".into(),
        ("dismissed", 0) => "Nothing was given up: the delivery no longer exists.".into(),
        ("dismissed", 1) => "1 delivery was given up and will not be sent.".into(),
        ("dismissed", count) => format!("{} deliveries were given up and will not be sent.", grouped(count)),
        _ => return None,
    })
}

/// The undelivered item with this id.
pub(super) async fn parked(visit: &Visit, queue: DeliveryQueue, id: &str) -> Result<Option<Delivery>, Refusal> {
    let mut after = None::<String>;
    for _ in 0..PARTS {
        let listed = visit.organization.deliveries(queue, after.as_deref(), PART).await?;
        if let Some(found) = listed.items.into_iter().find(|delivery| delivery.id == id) {
            return Ok(Some(found));
        }
        match listed.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(None)
}

/// The result for the delivery that was sent again: it is parked again, waits for its next try, or was delivered.
async fn outcome(visit: &Visit, wanted: &DeliveriesQuery) -> Result<Option<Outcome>, Refusal> {
    let (Some("retried" | "readdressed"), Some(id)) = (wanted.done.as_deref(), &wanted.id) else { return Ok(None) };
    let (is_event, parked_in, waits_in) = match wanted.queue.as_deref() {
        Some("events-parked") => (true, DeliveryQueue::EventsParked, DeliveryQueue::EventsWaiting),
        Some("sets-parked") => (true, DeliveryQueue::SetsParked, DeliveryQueue::SetsWaiting),
        _ => (false, DeliveryQueue::EmailsParked, DeliveryQueue::EmailsWaiting),
    };
    let why = |error: Option<String>| error.map(|error| format!(": {error}")).unwrap_or_default();
    if let Some(parked) = parked(visit, parked_in, id).await? {
        let text = format!("It was not accepted{}.", why(parked.error));
        return Ok(Some(Outcome { tone: "bad", text, again: None }));
    }
    let listed = visit.organization.deliveries(waits_in, None, PART).await?;
    let queue = wanted.queue.as_deref();
    let done = wanted.done.as_deref();
    let same = query(&[("done", done), ("count", Some("1")), ("queue", queue), ("id", Some(id))]);
    let again = Some(format!("{}{same}", visit.path("deliveries")));
    let waiting = listed.items.into_iter().find(|delivery| delivery.id.ends_with(id.as_str()));
    Ok(Some(match waiting {
        // A delivery that is sent again counts its tries from zero. Until the next try, its error is the old one.
        Some(waiting) if waiting.attempts > 0 => {
            let text = format!("It was not accepted yet{}. It is tried again automatically.", why(waiting.error));
            Outcome { tone: "warn", text, again }
        }
        Some(_) => Outcome { tone: "warn", text: "It is on its way.".into(), again },
        None if listed.next.is_some() => {
            Outcome { tone: "warn", text: "It is on its way, or was accepted.".into(), again }
        }
        None if is_event => Outcome { tone: "good", text: "It was accepted.".into(), again: None },
        None => Outcome { tone: "good", text: "It was sent.".into(), again: None },
    }))
}

async fn page(
    visit: &Visit,
    error: Option<String>,
    notice: Option<String>,
    url: &str,
    wanted: &DeliveriesQuery,
) -> Result<String, Refusal> {
    let webhook = visit.organization.webhook().await?.map(Hook::new);
    let streams = visit.organization.streams().await?.into_iter().map(StreamRow::new).collect();
    // After a delivery was sent again, all queues are shown.
    let alone = wanted.queue.as_deref().filter(|_| wanted.done.is_none());
    let (mut queues, mut paging) = (Vec::new(), Paging { first: None, previous: None, next: None });
    for (value, queue, title) in QUEUES.into_iter().filter(|(value, ..)| alone.is_none_or(|alone| alone == *value)) {
        let after = wanted.after.as_deref().filter(|_| alone.is_some());
        let listed = visit.organization.deliveries(queue, after, ROWS).await?;
        let positions: Vec<&str> = listed.items.iter().map(|delivery| delivery.id.as_str()).collect();
        let mut events = match queue {
            DeliveryQueue::EventsParked | DeliveryQueue::EventsWaiting => find(&visit.organization, &positions).await?,
            DeliveryQueue::EmailsParked
            | DeliveryQueue::EmailsWaiting
            | DeliveryQueue::SetsParked
            | DeliveryQueue::SetsWaiting => HashMap::new(),
        };
        let mut row = |delivery: Delivery| Row {
            event: events.remove(&delivery.id),
            created: When::minute(delivery.created),
            due: delivery.due.map(When::minute),
            delivery,
        };
        if alone.is_some() {
            let to = |after| format!("{}{}", visit.path("deliveries"), query(&[("queue", alone), ("after", after)]));
            paging = Paging {
                first: after.map(|_| to(None)),
                previous: None,
                next: listed.next.as_deref().map(|next| to(Some(next))),
            };
        }
        if listed.items.is_empty() {
            continue;
        }
        let (parked, emails) = (value.ends_with("parked"), value.starts_with("emails"));
        let rows = listed.items.into_iter().map(&mut row).collect();
        queues.push(Queue { value, title, parked, rows, more: listed.next.is_some(), emails });
    }
    let (shell, outcome) = (visit.shell("Deliveries", "deliveries"), outcome(visit, wanted).await?);
    let (url, single) = (url.to_owned(), alone.is_some());
    let mailed = visit.state.provisioner.delivers_mail();
    Ok(DeliveriesPage { shell, error, notice, url, webhook, streams, queues, outcome, single, mailed, paging }
        .render()?)
}

/// The queue that a form names.
fn named(fields: &Fields) -> Result<(&'static str, DeliveryQueue), Refusal> {
    let asked = QUEUES.iter().find(|(value, ..)| *value == fields.raw("queue"));
    asked.map(|(value, queue, _)| (*value, *queue)).ok_or_else(|| Refusal::not_found("queue"))
}

/// `POST …/deliveries`: sends failed deliveries again.
pub(super) async fn retry(Posted { visit, fields }: Posted) -> Result<Redirect, Refusal> {
    let (name, queue) = named(&fields)?;
    let ids: Vec<String> = fields.typed("id").map(str::to_owned).into_iter().collect();
    let count = visit.organization.retry_deliveries(queue, &ids).await?;
    let id = ids.first().filter(|_| count > 0).map(String::as_str);
    let done = query(&[
        ("done", Some("retried")),
        ("count", Some(&count.to_string())),
        ("queue", id.map(|_| name)),
        ("id", id),
    ]);
    Ok(Redirect::to(&visit.path(&format!("deliveries{done}"))))
}

/// `POST …/deliveries/dismiss`: dismisses failed deliveries, after a question.
pub(super) async fn dismiss(Posted { visit, fields }: Posted) -> Result<Redirect, Refusal> {
    let (_, queue) = named(&fields)?;
    let ids: Vec<String> = fields.typed("id").map(str::to_owned).into_iter().collect();
    if ids.is_empty() && fields.raw("all") != "yes" {
        return Err(Refusal::not_found("email or event here"));
    }
    let count = visit.organization.dismiss_deliveries(queue, &ids).await?;
    Ok(Redirect::to(&visit.path(&format!("deliveries?done=dismissed&count={count}"))))
}

/// `POST …/webhook`: sets, tests or removes the webhook.
pub(super) async fn webhook(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    match fields.raw("action") {
        "remove" => {
            visit.organization.remove_webhook().await?;
            return Ok(Redirect::to(&visit.path("deliveries?done=removed")).into_response());
        }
        "test" => {
            visit.organization.test_webhook().await?;
            return Ok(Redirect::to(&visit.path("deliveries?done=tested")).into_response());
        }
        _ => {}
    }
    let url = fields.typed("url").unwrap_or_default();
    let error = match visit.organization.set_webhook(url).await {
        Ok(key) => {
            // The key must be shown even if the test fails.
            let hook = visit.organization.test_webhook().await.ok().map(Hook::new);
            let shell = visit.shell("Signing key of the webhook", "deliveries");
            let page = KeyPage { shell, url: url.to_owned(), key, hook };
            return Ok(Html(page.render()?).into_response());
        }
        Err(error @ (ActionError::Invalid(_) | ActionError::NotConfigured(_))) => format!("It was not set: {error}."),
        Err(error) => return Err(error.into()),
    };
    Ok((
        StatusCode::UNPROCESSABLE_ENTITY,
        Html(page(&visit, Some(error), None, url, &DeliveriesQuery::default()).await?),
    )
        .into_response())
}
