//! Teams and their members, whether people or SCIM manage them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::access::{Access, PathParameter};
use super::input::{JsonBody, Query};
use super::listed::ListOf;
use super::logs::one_raw;
use super::problem::Problem;
use super::search::{MemberSearch, TeamSearch};
use crate::directory::{DescribedTeam, Member, Origin, Team, TeamQuery};
use crate::organization::export::DirectoryExport;

/// The filter of teams.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TeamsToExport {
    /// Only teams whose name contains this text, in any case.
    #[param(nullable = false)]
    text: Option<String>,
    /// Only teams that people (`manual`) or the identity provider (`scim`) manage.
    #[param(nullable = false)]
    origin: Option<Origin>,
    /// Only teams with this member: an id, a userName or an email address.
    #[param(nullable = false)]
    member: Option<String>,
}

/// A team with all data about it.
#[derive(Serialize, ToSchema)]
pub(super) struct TeamDetails {
    /// The team.
    team: Team,
    /// The SCIM Group as it is stored, without its members, without computed attributes and without those that are
    /// never returned.
    #[schema(value_type = Object)]
    attributes: Box<RawValue>,
}

/// A team to add by hand.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTeam {
    /// Its name: 1 to 1,000 bytes.
    #[schema(min_length = 1, max_length = 1_000)]
    name: String,
    /// The ids, userNames or email addresses of its members.
    #[serde(default)]
    members: Vec<String>,
}

/// A change of a team's members.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MembershipChange {
    /// The ids, userNames or email addresses of the members to add.
    #[serde(default)]
    add: Vec<String>,
    /// The ids, userNames or email addresses of the members to remove.
    #[serde(default)]
    remove: Vec<String>,
}

/// List and search teams
///
/// The list holds manual and SCIM-managed teams, in the order of their creation. A page may be short, or empty,
/// although there are more teams: at most 10,000 teams are examined for one page.
#[utoipa::path(get, path = "/organizations/{organization}/teams", tag = "Teams", params(TeamSearch),
    responses((status = 200, description = "A page of teams.", body = ListOf<Team>)))]
pub(super) async fn list_teams(access: Access, Query(query): Query<TeamSearch>) -> Result<ListOf<Team>, Problem> {
    Ok(access.organization.find_teams(query.query(None)?).await?.into())
}

/// Look at all that is known of a team
#[utoipa::path(get, path = "/organizations/{organization}/teams/{team}/details", tag = "Teams",
    responses((status = 200, description = "The team and its attributes.", body = TeamDetails)))]
pub(super) async fn get_team_details(
    access: Access,
    PathParameter(team): PathParameter,
) -> Result<Json<TeamDetails>, Problem> {
    let DescribedTeam { team, attributes } = access.organization.describe_team(&team).await?;
    Ok(Json(TeamDetails { team, attributes: one_raw(attributes)? }))
}

/// Export teams as CSV
///
/// The first line has the names of the columns. If the teams can't be read to their end, the connection is closed
/// early, so that a partial file is not taken for a complete one.
#[utoipa::path(get, path = "/organizations/{organization}/exports/teams", tag = "Teams", params(TeamsToExport),
    responses((status = 200, description = "The teams.", content((String = "text/csv")))))]
pub(super) async fn export_teams(access: Access, Query(query): Query<TeamsToExport>) -> Result<Response, Problem> {
    let TeamsToExport { text, origin, member } = query;
    let query = TeamQuery { text, origin, member, ..TeamQuery::default() };
    access.export(|organization| DirectoryExport::teams(organization, query)).await
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
/// The list holds manual and SCIM-managed members, in the order of their creation; the ids of imported members
/// determine their place.
#[utoipa::path(get, path = "/organizations/{organization}/teams/{team}/members", tag = "Teams", params(MemberSearch),
    responses((status = 200, description = "A page of members.", body = ListOf<Member>)))]
pub(super) async fn list_team_members(
    access: Access,
    PathParameter(team): PathParameter,
    Query(query): Query<MemberSearch>,
) -> Result<ListOf<Member>, Problem> {
    Ok(access.organization.find_members(query.query(Some(team))?).await?.into())
}

/// Change who is in a team, by hand
///
/// A member to add who is in the team already, or one to remove who is not, stays as it is. If one of them is unknown,
/// nothing is changed. If the identity provider manages the team, it may change it again.
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
