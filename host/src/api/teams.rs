//! Teams, of either origin, and who is in them.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Access, PathParameter};
use super::input::{JsonBody, Query};
use super::listed::ListOf;
use super::members::Search;
use super::problem::Problem;
use crate::directory::{Member, Team};

/// A team to add by hand.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTeam {
    /// Its name: 1 to 1,000 bytes.
    #[schema(min_length = 1, max_length = 1_000)]
    name: String,
    /// Ids, userNames or email addresses of its members.
    #[serde(default)]
    members: Vec<String>,
}

/// Whose membership of a team changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MembershipChange {
    /// Ids, userNames or email addresses of those who become members.
    #[serde(default)]
    add: Vec<String>,
    /// Ids, userNames or email addresses of those who are no members any more.
    #[serde(default)]
    remove: Vec<String>,
}

/// List teams
///
/// The list holds teams of either origin, in the order of their creation.
#[utoipa::path(get, path = "/organizations/{organization}/teams", tag = "Teams", params(Search),
    responses((status = 200, description = "A page of teams.", body = ListOf<Team>)))]
pub(super) async fn list_teams(access: Access, Query(query): Query<Search>) -> Result<ListOf<Team>, Problem> {
    Ok(access.organization.teams(query.listing()?).await?.into())
}

/// Add a team by hand
#[utoipa::path(post, path = "/organizations/{organization}/teams", tag = "Teams", request_body = NewTeam,
    responses((status = 201, description = "The team was added.", body = Team)))]
pub(super) async fn add_team(
    access: Access,
    JsonBody(new): JsonBody<NewTeam>,
) -> Result<(StatusCode, Json<Team>), Problem> {
    let team = access.organization.add_team(&new.name, &new.members).await?;
    Ok((StatusCode::CREATED, Json(team)))
}

/// Look at a team
#[utoipa::path(get, path = "/organizations/{organization}/teams/{team}", tag = "Teams",
    responses((status = 200, description = "The team.", body = Team)))]
pub(super) async fn get_team(access: Access, PathParameter(team): PathParameter) -> Result<Json<Team>, Problem> {
    Ok(Json(access.organization.team(&team).await?))
}

/// Remove a team
///
/// Its members stay in the organization.
#[utoipa::path(delete, path = "/organizations/{organization}/teams/{team}", tag = "Teams",
    responses((status = 204, description = "The team was removed.")))]
pub(super) async fn remove_team(access: Access, PathParameter(team): PathParameter) -> Result<StatusCode, Problem> {
    access.organization.remove_team(&team).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the members of a team
///
/// The list holds members of either origin, in the order of their creation.
#[utoipa::path(get, path = "/organizations/{organization}/teams/{team}/members", tag = "Teams", params(Search),
    responses((status = 200, description = "A page of members.", body = ListOf<Member>)))]
pub(super) async fn list_team_members(
    access: Access,
    PathParameter(team): PathParameter,
    Query(query): Query<Search>,
) -> Result<ListOf<Member>, Problem> {
    Ok(access.organization.team_members(&team, query.listing()?).await?.into())
}

/// Change who is in a team, by hand
///
/// Those who are in the team already, or not in it, stay as they are. If one person is unknown, nothing is changed. What is
/// changed in a team that the identity provider manages, the identity provider may change again.
#[utoipa::path(post, path = "/organizations/{organization}/teams/{team}/members", tag = "Teams",
    request_body = MembershipChange,
    responses((status = 200, description = "The team was changed.", body = Team)))]
pub(super) async fn change_team_members(
    access: Access,
    PathParameter(team): PathParameter,
    JsonBody(change): JsonBody<MembershipChange>,
) -> Result<Json<Team>, Problem> {
    Ok(Json(access.organization.change_team_members(&team, &change.add, &change.remove).await?))
}
