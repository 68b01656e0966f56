//! The mass-deprovisioning guard: its thresholds, held removals, and an owner's decisions.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Access;
use super::input::{JsonBody, Query, cursor, page_limit};
use super::organizations::Paging;
use super::problem::Problem;
use crate::guard::{Decision, Guard, GuardStatus, HeldPage};

/// An owner's decision about held removals.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionBody {
    /// The id or the email address of the owner or co-owner who decides. By default the owner decides.
    actor: Option<String>,
    /// The decision. It is valid for a week.
    decision: Decision,
    /// The ids of the members whose removals are decided. Without ids, all waiting removals are decided.
    #[serde(default)]
    members: Vec<String>,
}

/// The result of a decision.
#[derive(Serialize, ToSchema)]
pub(super) struct Decided {
    /// The number of decided removals.
    decided: u32,
}

/// Look at the guard
///
/// The answer holds a page of the removals that the guard holds; `next` leads to the next page of `held`.
#[utoipa::path(get, path = "/organizations/{organization}/guard", tag = "Guard", params(Paging),
    responses((status = 200, description = "The guard.", body = GuardStatus)))]
pub(super) async fn get_guard(access: Access, Query(query): Query<Paging>) -> Result<Json<GuardStatus>, Problem> {
    let (after, limit) = (cursor(query.after)?, page_limit(query.limit)?);
    Ok(Json(access.organization.guard(after.as_deref(), limit).await?))
}

/// List what the guard holds, with addresses and counts
///
/// The counts include everything that the guard holds, not only this page.
#[utoipa::path(get, path = "/organizations/{organization}/guard/held", tag = "Guard", params(Paging),
    responses((status = 200, description = "A page of held removals, and how many there are.", body = HeldPage)))]
pub(super) async fn list_held(access: Access, Query(query): Query<Paging>) -> Result<Json<HeldPage>, Problem> {
    let (after, limit) = (cursor(query.after)?, page_limit(query.limit)?);
    Ok(Json(access.organization.held(after.as_deref(), limit).await?))
}

/// Switch the guard on
///
/// Deactivations and deletions by the identity provider beyond either threshold are held until an owner decides.
#[utoipa::path(put, path = "/organizations/{organization}/guard", tag = "Guard", request_body = Guard,
    responses((status = 200, description = "The guard is on.", body = GuardStatus)))]
pub(super) async fn put_guard(access: Access, JsonBody(guard): JsonBody<Guard>) -> Result<Json<GuardStatus>, Problem> {
    access.organization.set_guard(Some(guard)).await?;
    Ok(Json(access.organization.guard(None, 100).await?))
}

/// Switch the guard off
///
/// Held removals are no longer held: they succeed when the identity provider tries again.
#[utoipa::path(delete, path = "/organizations/{organization}/guard", tag = "Guard",
    responses((status = 204, description = "The guard is off.")))]
pub(super) async fn delete_guard(access: Access) -> Result<StatusCode, Problem> {
    access.organization.set_guard(None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let held removals through, or refuse them
#[utoipa::path(post, path = "/organizations/{organization}/guard/decisions", tag = "Guard", request_body = DecisionBody,
    responses((status = 200, description = "The number of decided removals.", body = Decided)))]
pub(super) async fn decide_held(
    access: Access,
    JsonBody(body): JsonBody<DecisionBody>,
) -> Result<Json<Decided>, Problem> {
    let actor = access.actor(body.actor);
    let decided = access.organization.decide_held(&actor, body.decision, &body.members).await?;
    Ok(Json(Decided { decided }))
}
