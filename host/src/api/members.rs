//! Members and teams, of either origin; and what provisioning a list of users would do.

use axum::Json as Answer;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PATH;
use super::access::{Access, Named};
use super::input::{Json, Query, Raw, cursor, page_limit};
use super::listed::ListOf;
use super::problem::Problem;
use super::shapes::PreviewUsers;
use crate::directory::{Listing, Member, NewMember, Role, Team};
use crate::guard::Preview;

/// Which part of a list of members or teams.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Only those whose name or email address begins with this, in any case.
    #[param(nullable = false)]
    prefix: Option<String>,
    /// `next` of the page before.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    after: Option<String>,
    /// How many items.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

impl Search {
    fn listing(self) -> Result<Listing, Problem> {
        Ok(Listing { limit: page_limit(self.limit)?, prefix: self.prefix, after: cursor(self.after)? })
    }
}

/// A member to add by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMemberBody {
    /// Email address.
    #[schema(format = Email)]
    email: String,
    /// Name; the email address if there is none.
    display_name: Option<String>,
    /// What the member may do; `member` if it is not named.
    role: Option<Role>,
    /// What the member signs in with: at least 12 characters. Without it one is generated and emailed to the member.
    #[schema(min_length = 12, format = Password)]
    passphrase: Option<String>,
}

/// A member's role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleBody {
    /// What the member may do from now on.
    role: Role,
}

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

/// List members
///
/// Of either origin, in the order of their creation.
#[utoipa::path(get, path = "/organizations/{organization}/members", tag = "Members", params(Search),
    responses((status = 200, description = "A page of members.", body = ListOf<Member>)))]
pub(super) async fn list_members(access: Access, Query(query): Query<Search>) -> Result<ListOf<Member>, Problem> {
    Ok(access.organization.members(query.listing()?).await?.into())
}

/// Add a member by hand
///
/// Takes a seat.
#[utoipa::path(post, path = "/organizations/{organization}/members", tag = "Members", request_body = NewMemberBody,
    responses((status = 201, description = "The member was added.", body = Member)))]
pub(super) async fn add_member(access: Access, Json(new): Json<NewMemberBody>) -> Result<Response, Problem> {
    let new = NewMember {
        display_name: new.display_name.unwrap_or_else(|| new.email.clone()),
        email: new.email,
        role: new.role.unwrap_or(Role::Member),
        passphrase: new.passphrase,
    };
    let member = access.organization.add_member(new).await?;
    let home = access.state.provisioner.base_url();
    let location = format!("{home}{PATH}/organizations/{}/members/{}", access.organization.id(), member.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Answer(member)).into_response())
}

/// Look at a member
#[utoipa::path(get, path = "/organizations/{organization}/members/{member}", tag = "Members",
    responses((status = 200, description = "The member.", body = Member)))]
pub(super) async fn get_member(access: Access, Named(member): Named) -> Result<Answer<Member>, Problem> {
    Ok(Answer(access.organization.member(&member).await?))
}

/// Remove a member
///
/// From the organization and from every team. The last active owner stays.
#[utoipa::path(delete, path = "/organizations/{organization}/members/{member}", tag = "Members",
    responses((status = 204, description = "The member was removed.")))]
pub(super) async fn remove_member(access: Access, Named(member): Named) -> Result<StatusCode, Problem> {
    access.organization.remove_member(&member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change what a member may do
///
/// The last active owner stays one.
#[utoipa::path(put, path = "/organizations/{organization}/members/{member}/role", tag = "Members",
    request_body = RoleBody,
    responses((status = 200, description = "The member with the new role.", body = Member)))]
pub(super) async fn set_role(
    access: Access,
    Named(member): Named,
    Json(body): Json<RoleBody>,
) -> Result<Answer<Member>, Problem> {
    Ok(Answer(access.organization.set_role(&member, body.role).await?))
}

/// Mail a member a link that sets another passphrase
///
/// It works once, within 24 hours; at most one is mailed a minute.
#[utoipa::path(post, path = "/organizations/{organization}/members/{member}/passphrase-reset", tag = "Members",
    responses((status = 204, description = "It will be mailed.")))]
pub(super) async fn reset_passphrase(access: Access, Named(member): Named) -> Result<StatusCode, Problem> {
    let organization = &access.organization;
    let member = organization.member(&member).await?;
    organization.request_passphrase_reset(&member.id, &format!("{}/reset", organization.page_url())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List teams
///
/// Of either origin, in the order of their creation.
#[utoipa::path(get, path = "/organizations/{organization}/teams", tag = "Teams", params(Search),
    responses((status = 200, description = "A page of teams.", body = ListOf<Team>)))]
pub(super) async fn list_teams(access: Access, Query(query): Query<Search>) -> Result<ListOf<Team>, Problem> {
    Ok(access.organization.teams(query.listing()?).await?.into())
}

/// Add a team by hand
#[utoipa::path(post, path = "/organizations/{organization}/teams", tag = "Teams", request_body = NewTeam,
    responses((status = 201, description = "The team was added.", body = Team)))]
pub(super) async fn add_team(access: Access, Json(new): Json<NewTeam>) -> Result<(StatusCode, Answer<Team>), Problem> {
    let team = access.organization.add_team(&new.name, &new.members).await?;
    Ok((StatusCode::CREATED, Answer(team)))
}

/// See what provisioning a list of users would do
///
/// Who would be matched, created, left manual and still take a licence. Changes nothing. The body may have 5 MiB.
#[utoipa::path(post, path = "/organizations/{organization}/preview", tag = "Members", request_body = PreviewUsers,
    responses((status = 200, description = "What would become of the users.", body = Preview)))]
pub(super) async fn preview(access: Access, Raw(users): Raw) -> Result<Answer<Preview>, Problem> {
    let users = String::from_utf8(users).map_err(|_| Problem::invalid("The body is not UTF-8."))?;
    Ok(Answer(access.organization.preview(users).await?))
}
