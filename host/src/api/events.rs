//! Events, the webhook that receives them, and deliveries.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::access::{Access, PathParameter};
use super::input::{JsonBody, OptionalJsonBody, Query, cursor, page_limit};
use super::listed::ListOf;
use super::logs::raw;
use super::organizations::Paging;
use super::problem::Problem;
use super::shapes::EventDocument;
use crate::delivery::{Delivery, DeliveryQueue};
use crate::event::Webhook;

/// The most ids in one request.
const MOST_IDS: usize = 500;

/// The webhook to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookBody {
    /// The URL of the receiver.
    #[schema(example = "https://backend.example.com/insomnia")]
    url: String,
}

/// The webhook with its signing key, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedWebhook {
    /// The URL of the receiver.
    url: String,
    /// The signing key, in the form of Standard Webhooks: `whsec_` and base64. No other answer contains it.
    secret: String,
    /// Whether the receiver accepted the signed test event that was posted when the webhook was set.
    works: bool,
    /// The reason why the receiver did not accept it.
    error: Option<String>,
}

/// The parked deliveries to send again.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Retry {
    /// The ids of the deliveries. Without ids, all deliveries of the queue are sent again, at most 500 at once.
    #[serde(default)]
    #[schema(max_items = 500)]
    ids: Vec<String>,
}

/// The parked deliveries to give up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dismissal {
    /// The ids of the deliveries.
    #[schema(min_items = 1, max_items = 500)]
    ids: Vec<String>,
}

/// The result of giving up deliveries.
#[derive(Serialize, ToSchema)]
pub(super) struct Dismissed {
    /// The number of deliveries that were given up.
    dismissed: u32,
}

/// The new address for a parked email.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Readdress {
    /// The id of the email.
    id: String,
    /// The email address.
    #[schema(format = Email)]
    to: String,
}

/// The result of sending deliveries again.
#[derive(Serialize, ToSchema)]
pub(super) struct Retried {
    /// The number of deliveries that are sent again. If it is 500, there may be more.
    retried: u32,
}

/// List events
///
/// The list holds the stored events, oldest first. By default they are those of the last 90 days; the organization's
/// retention may be another.
#[utoipa::path(get, path = "/organizations/{organization}/events", tag = "Events", params(Paging),
    responses((status = 200, description = "A page of events.", body = ListOf<EventDocument>)))]
pub(super) async fn list_events(access: Access, Query(query): Query<Paging>) -> Result<ListOf<Box<RawValue>>, Problem> {
    let page = access.organization.events(cursor(query.after)?.as_deref(), page_limit(query.limit)?).await?;
    let documents = page.items.into_iter().map(|event| event.document).collect();
    Ok(ListOf { items: raw(documents)?, next: page.next, previous: None })
}

/// Look at the webhook
#[utoipa::path(get, path = "/organizations/{organization}/webhook", tag = "Events",
    responses((status = 200, description = "The webhook.", body = Webhook)))]
pub(super) async fn get_webhook(access: Access) -> Result<Json<Webhook>, Problem> {
    let none = || Problem::not_found("The organization has no webhook.");
    access.organization.webhook().await?.map(Json).ok_or_else(none)
}

/// Post events to a webhook
///
/// From now on, all events are posted to this URL, signed as Standard Webhooks requires. An earlier webhook is
/// replaced. Only this answer shows the signing key. An event of the type `webhook.test` is posted at once. A URL that
/// the server's policy for outgoing requests does not allow is refused.
#[utoipa::path(put, path = "/organizations/{organization}/webhook", tag = "Events", request_body = WebhookBody,
    responses((status = 200, description = "The webhook and its key.", body = IssuedWebhook)))]
pub(super) async fn put_webhook(
    access: Access,
    JsonBody(body): JsonBody<WebhookBody>,
) -> Result<Json<IssuedWebhook>, Problem> {
    let set = access.organization.set_webhook(&body.url).await;
    let secret = set.map_err(|error| Problem::at_place(error, "/url"))?;
    // The key must be shown even if the test fails.
    let test = access.organization.test_webhook().await.ok();
    let error = test.as_ref().and_then(|webhook| webhook.error.clone());
    let works = test.is_some_and(|webhook| webhook.works_since.is_some());
    Ok(Json(IssuedWebhook { url: body.url, secret, works, error }))
}

/// Test the webhook
///
/// A signed event of the type `webhook.test` is posted to the webhook, once.
#[utoipa::path(post, path = "/organizations/{organization}/webhook/test", tag = "Events",
    responses((status = 200, description = "The webhook, with the result.", body = Webhook)))]
pub(super) async fn test_webhook(access: Access) -> Result<Json<Webhook>, Problem> {
    Ok(Json(access.organization.test_webhook().await?))
}

/// Remove the webhook
///
/// Events that wait for the webhook are not delivered.
#[utoipa::path(delete, path = "/organizations/{organization}/webhook", tag = "Events",
    responses((status = 204, description = "There is no webhook.")))]
pub(super) async fn delete_webhook(access: Access) -> Result<StatusCode, Problem> {
    access.organization.remove_webhook().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn queue(name: &str) -> Result<DeliveryQueue, Problem> {
    let known = serde_json::from_value(name.into());
    known.map_err(|_| Problem::not_found("There is no such queue."))
}

/// List emails, events or tokens on their way
#[utoipa::path(get, path = "/organizations/{organization}/deliveries/{queue}", tag = "Events", params(Paging),
    responses((status = 200, description = "A page of the queue.", body = ListOf<Delivery>)))]
pub(super) async fn list_deliveries(
    access: Access,
    PathParameter(name): PathParameter,
    Query(query): Query<Paging>,
) -> Result<ListOf<Delivery>, Problem> {
    let (after, limit) = (cursor(query.after)?, page_limit(query.limit)?);
    Ok(access.organization.deliveries(queue(&name)?, after.as_deref(), limit).await?.into())
}

/// Send again what could not be delivered
///
/// Only parked deliveries can be sent again.
#[utoipa::path(post, path = "/organizations/{organization}/deliveries/{queue}/retry", tag = "Events",
    request_body = Option<Retry>,
    responses((status = 200, description = "The number of deliveries that are tried again.", body = Retried)))]
pub(super) async fn retry_deliveries(
    access: Access,
    PathParameter(name): PathParameter,
    OptionalJsonBody(body): OptionalJsonBody<Retry>,
) -> Result<Json<Retried>, Problem> {
    let queue = queue(&name)?;
    if !is_parked(queue) {
        return Err(Problem::conflict(
            "Waiting deliveries are tried automatically; only a queue of parked ones can be retried.",
        ));
    }
    few(&body.ids)?;
    let retried = access.organization.retry_deliveries(queue, &body.ids).await?;
    Ok(Json(Retried { retried }))
}

/// Give up what could not be delivered
///
/// Only parked deliveries can be given up. Emails and Security Event Tokens are deleted; events stay in the list of
/// events, but are not delivered.
#[utoipa::path(post, path = "/organizations/{organization}/deliveries/{queue}/dismiss", tag = "Events",
    request_body = Dismissal,
    responses((status = 200, description = "The number of deliveries that were given up.", body = Dismissed)))]
pub(super) async fn dismiss_deliveries(
    access: Access,
    PathParameter(name): PathParameter,
    JsonBody(body): JsonBody<Dismissal>,
) -> Result<Json<Dismissed>, Problem> {
    let queue = queue(&name)?;
    if !is_parked(queue) {
        return Err(Problem::conflict("Waiting deliveries are tried automatically; only parked ones can be given up."));
    }
    few(&body.ids)?;
    if body.ids.is_empty() {
        let text = "name the deliveries to give up";
        return Err(Problem::invalid(format!("The body is not valid: {text}.")).at("/ids".into(), text.into()));
    }
    let dismissed = access.organization.dismiss_deliveries(queue, &body.ids).await?;
    Ok(Json(Dismissed { dismissed }))
}

/// Send a parked email to another address
///
/// The email is sent now. Only this email changes: the member's own address stays as it is.
#[utoipa::path(post, path = "/organizations/{organization}/deliveries/{queue}/readdress", tag = "Events",
    request_body = Readdress,
    responses((status = 204, description = "The email is on its way.")))]
pub(super) async fn readdress_email(
    access: Access,
    PathParameter(name): PathParameter,
    JsonBody(body): JsonBody<Readdress>,
) -> Result<StatusCode, Problem> {
    if queue(&name)? != DeliveryQueue::EmailsParked {
        return Err(Problem::conflict("Only a parked email can be sent to another address."));
    }
    access.organization.readdress_email(&body.id, &body.to).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn is_parked(queue: DeliveryQueue) -> bool {
    matches!(queue, DeliveryQueue::EmailsParked | DeliveryQueue::EventsParked | DeliveryQueue::SetsParked)
}

fn few(ids: &[String]) -> Result<(), Problem> {
    if ids.len() <= MOST_IDS {
        return Ok(());
    }
    let text = format!("at most {MOST_IDS} ids at once");
    Err(Problem::invalid(format!("The body is not valid: {text}.")).at("/ids".into(), text))
}
