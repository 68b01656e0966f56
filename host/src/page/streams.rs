//! Streams of SCIM events: the view adds and removes receivers, and gives them new tokens and keys.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::confirm::{new_stream_token_again, new_stream_token_view};
use super::form::{Fields, Posted};
use super::proof::Unproven;
use super::query::Query;
use super::refusal::Refusal;
use super::shell::Shell;
use super::step_up::StepUpQuestion;
use super::stream_row::{EVENTS, StreamRow};
use super::visit::Visit;
use super::words::sentence;
use crate::error::ActionError;
use crate::event::{EventDetail, EventStream, IssuedEventStream, NewEventStream, StreamEvent};

#[derive(Template)]
#[template(path = "streams.html")]
struct StreamsPage {
    shell: Shell,
    error: Option<String>,
    /// The proof that the form asks for; `None` if the backend can't be asked now.
    question: Option<StepUpQuestion>,
    notice: Option<&'static str>,
    streams: Vec<StreamRow>,
    /// The refused form.
    typed: NewEventStream,
}

impl StreamsPage {
    fn is_full(&self) -> bool {
        self.typed.detail == EventDetail::Full
    }

    fn is_chosen(&self, event: &StreamEvent) -> bool {
        self.typed.events.is_empty() || self.typed.events.contains(event)
    }

    fn push_url(&self) -> &str {
        self.typed.push_url.as_deref().unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "stream_token.html")]
struct TokenPage {
    shell: Shell,
    stream: EventStream,
    token: Option<String>,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct StreamsQuery {
    done: Option<String>,
}

/// `GET …/streams`.
pub(super) async fn show(Query(wanted): Query<StreamsQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let mut page = page(&visit).await?;
    page.notice = match wanted.done.as_deref() {
        Some("removed") => Some("The stream is removed. Waiting tokens are not delivered."),
        Some("key") => Some("A new key signs from now on. The old one stays in the key set for 30 days."),
        _ => None,
    };
    Ok(Html(page.render()?))
}

async fn page(visit: &Visit) -> Result<StreamsPage, Refusal> {
    let streams = visit.organization.streams().await?.into_iter().map(StreamRow::new).collect();
    let (shell, question) = (visit.shell("Event streams", "deliveries"), visit.question_if_any("streams", "add").await);
    Ok(StreamsPage { shell, error: None, question, notice: None, streams, typed: NewEventStream::default() })
}

/// The form again as it was filled in, with the error.
async fn again(visit: &Visit, typed: NewEventStream, status: StatusCode, error: String) -> Result<Response, Refusal> {
    let page = StreamsPage { error: Some(error), typed, ..page(visit).await? };
    Ok((status, Html(page.render()?)).into_response())
}

/// `POST …/streams`: adds or removes a stream, or makes a new token or key.
pub(super) async fn change(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let (organization, id) = (&visit.organization, fields.raw("stream"));
    let issued = match fields.raw("action") {
        "add" => {
            let (new, wrong) = (typed(&fields), StatusCode::UNPROCESSABLE_ENTITY);
            if new.events.is_empty() {
                // For the API, an empty list means all events. Somebody who removes every mark does not mean that.
                return again(&visit, new, wrong, "Choose at least one event.".to_owned()).await;
            }
            let added = match visit.proven("streams", "add", &fields).await? {
                Ok(proven) => proven.act(organization.add_stream(new.clone())).await,
                Err(Unproven { status, why }) => {
                    return again(&visit, new, status, format!("{why} No stream was added.")).await;
                }
            };
            match added {
                Err(ActionError::Invalid(text) | ActionError::NotConfigured(text) | ActionError::Conflict(text)) => {
                    return again(&visit, new, wrong, sentence(&text)).await;
                }
                other => other?,
            }
        }
        "rotate-token" => match visit.proven(&new_stream_token_view(id), "rotate-token", &fields).await? {
            Ok(proven) => proven.act(organization.rotate_stream_token(id)).await?,
            Err(unproven) => return new_stream_token_again(&visit, &fields, unproven).await,
        },
        "remove" => {
            organization.remove_stream(id).await?;
            return Ok(Redirect::to(&visit.path("streams?done=removed")).into_response());
        }
        "rotate-key" => {
            organization.rotate_signing_key().await?;
            return Ok(Redirect::to(&visit.path("streams?done=key")).into_response());
        }
        _ => return Err(Refusal::not_found("action")),
    };
    let IssuedEventStream { event_stream: stream, token } = issued;
    let shell = visit.shell(&stream.name, "deliveries");
    Ok(Html(TokenPage { shell, stream, token }.render()?).into_response())
}

fn typed(fields: &Fields) -> NewEventStream {
    let text = |name: &str| fields.typed(name).unwrap_or_default().to_owned();
    let events = EVENTS.iter().map(|(event, _)| *event).filter(|event| fields.raw(event.name()) == "yes").collect();
    NewEventStream {
        name: text("name"),
        audience: text("audience"),
        events,
        detail: if fields.raw("detail") == "full" { EventDetail::Full } else { EventDetail::Notice },
        single_events: fields.raw("single") == "yes",
        push_url: fields.typed("url").map(str::to_owned),
        authorization: fields.typed("authorization").map(str::to_owned),
    }
}
