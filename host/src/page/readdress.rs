//! The view that sends an email that could not be sent to another address.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::deliveries::parked;
use super::form::Posted;
use super::query::{Query, query};
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use crate::delivery::{Delivery, DeliveryQueue};
use crate::error::ActionError;

#[derive(Template)]
#[template(path = "readdress.html")]
struct ReaddressPage {
    shell: Shell,
    id: String,
    /// The address to which it could not be sent, followed by the reason.
    old: String,
    why: Option<String>,
    /// The text that was typed.
    to: String,
    error: Option<String>,
}

/// The query.
#[derive(Deserialize)]
pub(super) struct ReaddressQuery {
    id: String,
}

/// `GET …/deliveries/readdress`.
pub(super) async fn ask(Query(wanted): Query<ReaddressQuery>, visit: Visit) -> Result<Html<String>, Refusal> {
    let email = email(&visit, &wanted.id).await?;
    let to = email.to.clone().unwrap_or_default();
    Ok(Html(page(&visit, email, to, None)?))
}

/// `POST …/deliveries/readdress`.
pub(super) async fn readdress(Posted { visit, fields }: Posted) -> Result<Response, Refusal> {
    let (id, to) = (fields.raw("id"), fields.typed("to").unwrap_or_default());
    match visit.organization.readdress_email(id, to).await {
        Ok(()) => {
            let done = [("done", Some("readdressed")), ("queue", Some("emails-parked")), ("id", Some(id))];
            Ok(Redirect::to(&visit.path(&format!("deliveries{}", query(&done)))).into_response())
        }
        Err(ActionError::Invalid(text)) => {
            let page =
                page(&visit, email(&visit, id).await?, to.to_owned(), Some(format!("It was not sent: {text}.")))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn email(visit: &Visit, id: &str) -> Result<Delivery, Refusal> {
    let found = parked(visit, DeliveryQueue::EmailsParked, id).await?;
    found.ok_or_else(|| Refusal::not_found("email that could not be sent"))
}

fn page(visit: &Visit, email: Delivery, to: String, error: Option<String>) -> Result<String, Refusal> {
    let (shell, old) = (visit.shell("Another address", "deliveries"), email.to.unwrap_or_default());
    Ok(ReaddressPage { shell, id: email.id, old, why: email.error, to, error }.render()?)
}
