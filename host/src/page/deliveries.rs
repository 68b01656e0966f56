//! Emails and events on their way: the webhook, what waits, and what was given up and can be sent again.

use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::event::{Event, find};
use super::form::Posted;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use super::words::grouped;
use crate::delivery::{Delivery, DeliveryQueue};
use crate::error::ActionError;
use crate::event::Webhook;

/// Rows of a queue that are shown.
const ROWS: u32 = 50;

/// All queues: value in forms, title, what it holds.
const QUEUES: [(&str, DeliveryQueue, &str); 4] = [
    ("emails-parked", DeliveryQueue::EmailsParked, "Emails that could not be sent"),
    ("events-parked", DeliveryQueue::EventsParked, "Events that the webhook did not take"),
    ("emails-waiting", DeliveryQueue::EmailsWaiting, "Emails to be sent"),
    ("events-waiting", DeliveryQueue::EventsWaiting, "Events to be delivered"),
];

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    shell: Shell,
    error: Option<String>,
    notice: Option<String>,
    url: String,
    webhook: Option<Hook>,
    queues: Vec<Queue>,
}

struct Hook {
    webhook: Webhook,
    created: When,
    /// How it goes: in a word, how that is shown, since when.
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

/// Whether the operator of this server lets no requests go there. The text is that of [`crate::capability::http::HttpError`] in the
/// component's words.
fn is_refused_by_policy(webhook: &Webhook) -> bool {
    webhook.error.as_deref().is_some_and(|error| error.starts_with("the destination is not allowed"))
}

impl Row {
    /// What is on its way, as people call it.
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

    /// To whom, or about whom.
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
}

struct Row {
    delivery: Delivery,
    /// What an event says, if it was found.
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
#[derive(Deserialize)]
pub(super) struct DeliveriesQuery {
    done: Option<String>,
    /// How many it was done to.
    count: Option<u64>,
}

/// `GET …/deliveries`.
pub(super) async fn show(Query(wanted): Query<DeliveriesQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let notice = wanted.done.as_deref().and_then(|what| done(what, wanted.count.unwrap_or(0)));
    Ok(Html(page(&visit, None, notice, "").await?))
}

/// What was done, in words.
fn done(what: &str, count: u64) -> Option<String> {
    Some(match (what, count) {
        ("removed", _) => "The webhook is removed. What waited for it is not delivered.".into(),
        ("tested", _) => "A signed test event was posted: the state says how that went.".into(),
        ("retried", 0) => "Nothing was sent again: it is gone already, or a link in it has expired.".into(),
        ("retried", 1) => "1 is sent again. If it is not taken, it comes back here with the reason.".into(),
        ("retried", count) => {
            format!("{} are sent again. What is not taken comes back here with the reason.", grouped(count))
        }
        _ => return None,
    })
}

async fn page(visit: &Visit, error: Option<String>, notice: Option<String>, url: &str) -> Result<String, Refusal> {
    let webhook = visit.organization.webhook().await?.map(Hook::new);
    let mut queues = Vec::new();
    for (value, queue, title) in QUEUES {
        let listed = visit.organization.deliveries(queue, None, ROWS).await?;
        let positions: Vec<&str> = listed.items.iter().map(|delivery| delivery.id.as_str()).collect();
        let mut events = match queue {
            DeliveryQueue::EventsParked | DeliveryQueue::EventsWaiting => find(&visit.organization, &positions).await?,
            DeliveryQueue::EmailsParked | DeliveryQueue::EmailsWaiting => HashMap::new(),
        };
        let mut row = |delivery: Delivery| Row {
            event: events.remove(&delivery.id),
            created: When::minute(delivery.created),
            due: delivery.due.map(When::minute),
            delivery,
        };
        if listed.items.is_empty() {
            continue;
        }
        let parked = value.ends_with("parked");
        let rows = listed.items.into_iter().map(&mut row).collect();
        queues.push(Queue { value, title, parked, rows, more: listed.next.is_some() });
    }
    let shell = visit.shell("Deliveries", "deliveries");
    Ok(DeliveriesPage { shell, error, notice, url: url.to_owned(), webhook, queues }.render()?)
}

/// `POST …/deliveries`: sends what was given up again.
pub(super) async fn retry(Posted { visit, fields }: Posted) -> Result<Redirect, Refusal> {
    let asked = QUEUES.iter().find(|(value, ..)| *value == fields.raw("queue"));
    let (_, queue, _) = asked.ok_or_else(|| Refusal::not_found("queue"))?;
    let ids: Vec<String> = fields.typed("id").map(str::to_owned).into_iter().collect();
    let count = visit.organization.retry_deliveries(*queue, &ids).await?;
    Ok(Redirect::to(&visit.path(&format!("deliveries?done=retried&count={count}"))))
}

/// `POST …/webhook`: sets it, tests it, or removes it.
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
            // The key must not be lost because the test has no outcome.
            let hook = visit.organization.test_webhook().await.ok().map(Hook::new);
            let shell = visit.shell("The key of the webhook", "deliveries");
            let page = KeyPage { shell, url: url.to_owned(), key, hook };
            return Ok(Html(page.render()?).into_response());
        }
        Err(error @ (ActionError::Invalid(_) | ActionError::NotConfigured(_))) => format!("It was not set: {error}."),
        Err(error) => return Err(error.into()),
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page(&visit, Some(error), None, url).await?)).into_response())
}
