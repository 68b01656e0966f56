//! The mass-deprovisioning guard: its thresholds, what it holds, and what an owner decides.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Access;
use super::input::{JsonBody, Query, cursor, page_limit};
use super::organizations::Paging;
use super::problem::Problem;
use crate::guard::{Decision, Guard, GuardStatus, HeldPage};

/// What an owner decides about held removals.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionBody {
    /// The id or the email address of the owner or co-owner who decides. If nobody is named, the owner decides.
    actor: Option<String>,
    /// The decision. It holds for a week.
    decision: Decision,
    /// The ids of the members whose removals are decided about. Without any, all removals that wait are meant.
    #[serde(default)]
    members: Vec<String>,
}

/// How many removals were decided about.
#[derive(Serialize, ToSchema)]
pub(super) struct Decided {
    /// The number of removals.
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
/// The counts are of all that the guard holds, not of this page alone.
#[utoipa::path(get, path = "/organizations/{organization}/guard/held", tag = "Guard", params(Paging),
    responses((status = 200, description = "A page of held removals, and how many there are.", body = HeldPage)))]
pub(super) async fn list_held(access: Access, Query(query): Query<Paging>) -> Result<Json<HeldPage>, Problem> {
    let (after, limit) = (cursor(query.after)?, page_limit(query.limit)?);
    Ok(Json(access.organization.held(after.as_deref(), limit).await?))
}

/// Switch the guard on
///
/// Deactivations and deletions by the identity provider beyond either threshold are held until somebody decides about them.
#[utoipa::path(put, path = "/organizations/{organization}/guard", tag = "Guard", request_body = Guard,
    responses((status = 200, description = "The guard is on.", body = GuardStatus)))]
pub(super) async fn put_guard(access: Access, JsonBody(guard): JsonBody<Guard>) -> Result<Json<GuardStatus>, Problem> {
    access.organization.set_guard(Some(guard)).await?;
    Ok(Json(access.organization.guard(None, 100).await?))
}

/// Switch the guard off
///
/// The removals that it holds are forgotten: the identity provider succeeds when it tries again.
#[utoipa::path(delete, path = "/organizations/{organization}/guard", tag = "Guard",
    responses((status = 204, description = "The guard is off.")))]
pub(super) async fn delete_guard(access: Access) -> Result<StatusCode, Problem> {
    access.organization.set_guard(None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let held removals through, or refuse them
#[utoipa::path(post, path = "/organizations/{organization}/guard/decisions", tag = "Guard", request_body = DecisionBody,
    responses((status = 200, description = "How many were decided about.", body = Decided)))]
pub(super) async fn decide_held(
    access: Access,
    JsonBody(body): JsonBody<DecisionBody>,
) -> Result<Json<Decided>, Problem> {
    let actor = access.actor(body.actor);
    let decided = access.organization.decide_held(&actor, body.decision, &body.members).await?;
    Ok(Json(Decided { decided }))
}
