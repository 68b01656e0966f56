//! The mass-deprovisioning guard: its thresholds, what it holds, and what an owner decides.

use axum::Json as Answer;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Access;
use super::input::{Json, Query, cursor, page_limit};
use super::organizations::Paging;
use super::problem::Problem;
use crate::guard::{Decision, Guard, GuardStatus};

/// What an owner decides about held removals.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionBody {
    /// The id or the email address of the owner or co-owner who decides; the owner if nobody is named.
    actor: Option<String>,
    /// What is decided; it holds for a week.
    decision: Decision,
    /// The ids of the members whose removals it is about; all that wait if there are none.
    #[serde(default)]
    members: Vec<String>,
}

/// How many removals were decided about.
#[derive(Serialize, ToSchema)]
pub(super) struct Decided {
    /// How many.
    decided: u32,
}

/// Look at the guard
///
/// With a page of the removals that it holds; `next` is that of `held`.
#[utoipa::path(get, path = "/organizations/{organization}/guard", tag = "Guard", params(Paging),
    responses((status = 200, description = "The guard.", body = GuardStatus)))]
pub(super) async fn get_guard(access: Access, Query(query): Query<Paging>) -> Result<Answer<GuardStatus>, Problem> {
    let (after, limit) = (cursor(query.after)?, page_limit(query.limit)?);
    Ok(Answer(access.organization.guard(after.as_deref(), limit).await?))
}

/// Switch the guard on
///
/// Beyond either threshold, deactivations and deletions by the identity provider are held until they are decided about.
#[utoipa::path(put, path = "/organizations/{organization}/guard", tag = "Guard", request_body = Guard,
    responses((status = 200, description = "The guard is on.", body = GuardStatus)))]
pub(super) async fn put_guard(access: Access, Json(guard): Json<Guard>) -> Result<Answer<GuardStatus>, Problem> {
    access.organization.set_guard(Some(guard)).await?;
    Ok(Answer(access.organization.guard(None, 100).await?))
}

/// Switch the guard off
///
/// What it holds is forgotten: the identity provider's next try succeeds.
#[utoipa::path(delete, path = "/organizations/{organization}/guard", tag = "Guard",
    responses((status = 204, description = "The guard is off.")))]
pub(super) async fn delete_guard(access: Access) -> Result<StatusCode, Problem> {
    access.organization.set_guard(None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let held removals through, or refuse them
#[utoipa::path(post, path = "/organizations/{organization}/guard/decisions", tag = "Guard", request_body = DecisionBody,
    responses((status = 200, description = "How many were decided about.", body = Decided)))]
pub(super) async fn decide_held(access: Access, Json(body): Json<DecisionBody>) -> Result<Answer<Decided>, Problem> {
    let actor = access.actor(body.actor);
    let decided = access.organization.decide_held(&actor, body.decision, &body.members).await?;
    Ok(Answer(Decided { decided }))
}
