//! Members, whether people or SCIM manage them, and the preview of provisioning a list of users.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::PATH;
use super::access::{Access, PathParameter};
use super::input::{JsonBody, Query, TextBody};
use super::listed::ListOf;
use super::logs::one_raw;
use super::problem::Problem;
use super::search::{MemberSearch, TeamSearch};
use super::shapes::PreviewUsers;
use crate::directory::{Census, DescribedMember, Member, MemberQuery, NewMember, Origin, Role, Team, WithoutSeat};
use crate::guard::Preview;
use crate::organization::export::DirectoryExport;

/// The filter of members.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MembersToExport {
    /// Only members whose name, userName or email addresses contain this text, in any case.
    #[param(nullable = false)]
    text: Option<String>,
    /// Only members that people (`manual`) or the identity provider (`scim`) manage.
    #[param(nullable = false)]
    origin: Option<Origin>,
    /// Only members with access, or only members without access.
    #[param(nullable = false)]
    active: Option<bool>,
    /// Only members of the team with this id or name.
    #[param(nullable = false)]
    team: Option<String>,
}

/// A member with all data about the person.
#[derive(Serialize, ToSchema)]
pub(super) struct MemberDetails {
    /// The member.
    member: Member,
    /// Warnings for administrators about the member, such as a missing email address to sign in with.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<String>,
    /// The SCIM User as it is stored, without computed attributes and without those that are never returned.
    #[schema(value_type = Object)]
    attributes: Box<RawValue>,
}

/// A member to add by hand.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMemberBody {
    /// The email address.
    #[schema(format = Email)]
    email: String,
    /// The name. Default: the email address.
    display_name: Option<String>,
    /// The role. Default: `member`.
    role: Option<Role>,
    /// The passphrase that the member signs in with, of at least 12 characters. Without one, a passphrase is generated
    /// and emailed to the member.
    #[schema(min_length = 12, format = Password)]
    passphrase: Option<String>,
}

/// A member's role.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleBody {
    /// The new role.
    role: Role,
}

/// List and search members
///
/// The list holds manual and SCIM-managed members, in the order of their creation; the ids of imported members
/// determine their place. A page may be short, or empty, although there are more members: at most 10,000 members are
/// examined for one page.
#[utoipa::path(get, path = "/organizations/{organization}/members", tag = "Members", params(MemberSearch),
    responses((status = 200, description = "A page of members.", body = ListOf<Member>)))]
pub(super) async fn list_members(access: Access, Query(query): Query<MemberSearch>) -> Result<ListOf<Member>, Problem> {
    Ok(access.organization.find_members(query.query(None)?).await?.into())
}

/// Add a member by hand
///
/// The member takes a seat. An owner or a co-owner may do everything on the page, so a key that adds one needs
/// `all:write`.
#[utoipa::path(post, path = "/organizations/{organization}/members", tag = "Members", request_body = NewMemberBody,
    responses((status = 201, description = "The member was added.", body = Member)))]
pub(super) async fn add_member(access: Access, JsonBody(new): JsonBody<NewMemberBody>) -> Result<Response, Problem> {
    let role = new.role.unwrap_or(Role::Member);
    access.may_give(role)?;
    let new = NewMember::new(new.email, new.display_name, role, new.passphrase);
    let member = access.organization.add_member(new).await?;
    let home = access.state.provisioner.base_url();
    let location = format!("{home}{PATH}/organizations/{}/members/{}", access.organization.id(), member.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(member)).into_response())
}

/// Look at a member
#[utoipa::path(get, path = "/organizations/{organization}/members/{member}", tag = "Members",
    responses((status = 200, description = "The member.", body = Member)))]
pub(super) async fn get_member(access: Access, PathParameter(member): PathParameter) -> Result<Json<Member>, Problem> {
    Ok(Json(access.organization.member(&member).await?))
}

/// Look at all that is known of a member
#[utoipa::path(get, path = "/organizations/{organization}/members/{member}/details", tag = "Members",
    responses((status = 200, description = "The member and its attributes.", body = MemberDetails)))]
pub(super) async fn get_member_details(
    access: Access,
    PathParameter(member): PathParameter,
) -> Result<Json<MemberDetails>, Problem> {
    let DescribedMember { member, attributes } = access.organization.describe_member(&member).await?;
    let record = access.organization.get().await?.unwrap_or_default();
    let mark = record.mark(&member.email, &member.user_name).map(|mark| mark.to_string());
    Ok(Json(MemberDetails { member, mark, attributes: one_raw(attributes)? }))
}

/// List the teams of a member
#[utoipa::path(get, path = "/organizations/{organization}/members/{member}/teams", tag = "Members", params(TeamSearch),
    responses((status = 200, description = "A page of teams.", body = ListOf<Team>)))]
pub(super) async fn list_teams_of_member(
    access: Access,
    PathParameter(member): PathParameter,
    Query(query): Query<TeamSearch>,
) -> Result<ListOf<Team>, Problem> {
    Ok(access.organization.find_teams(query.query(Some(member))?).await?.into())
}

/// Export members as CSV
///
/// The first line has the names of the columns. If the members can't be read to their end, the connection is closed
/// early, so that a partial file is not taken for a complete one.
#[utoipa::path(get, path = "/organizations/{organization}/exports/members", tag = "Members", params(MembersToExport),
    responses((status = 200, description = "The members.", content((String = "text/csv")))))]
pub(super) async fn export_members(access: Access, Query(query): Query<MembersToExport>) -> Result<Response, Problem> {
    let MembersToExport { text, origin, active, team } = query;
    let query = MemberQuery { text, origin, active, team, ..MemberQuery::default() };
    access.export(|organization| DirectoryExport::members(organization, query)).await
}

/// Count members and teams
///
/// The members and teams are counted by their state and by who manages them.
#[utoipa::path(get, path = "/organizations/{organization}/census", tag = "Members",
    responses((status = 200, description = "The numbers.", body = Census)))]
pub(super) async fn get_census(access: Access) -> Result<Json<Census>, Problem> {
    Ok(Json(access.organization.census().await?))
}

/// List who got no seat
///
/// The list holds the people whom the identity provider wanted to be active while all seats were taken, and who have no
/// seat now. The latest refusal comes first.
#[utoipa::path(get, path = "/organizations/{organization}/licences/without-seat", tag = "Members",
    responses((status = 200, description = "The people without a seat.", body = WithoutSeat)))]
pub(super) async fn list_without_seat(access: Access) -> Result<Json<WithoutSeat>, Problem> {
    Ok(Json(access.organization.without_seat().await?))
}

/// Remove a member
///
/// The member is removed from the organization and from every team. The last active owner can't be removed.
#[utoipa::path(delete, path = "/organizations/{organization}/members/{member}", tag = "Members",
    responses((status = 204, description = "The member was removed.")))]
pub(super) async fn remove_member(access: Access, PathParameter(member): PathParameter) -> Result<StatusCode, Problem> {
    access.organization.remove_member(&member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Change what a member may do
///
/// The role of the last active owner can't be changed. An owner or a co-owner may do everything on the page, so a key that
/// makes somebody one needs `all:write`.
#[utoipa::path(put, path = "/organizations/{organization}/members/{member}/role", tag = "Members",
    request_body = RoleBody,
    responses((status = 200, description = "The member with the new role.", body = Member)))]
pub(super) async fn set_role(
    access: Access,
    PathParameter(member): PathParameter,
    JsonBody(body): JsonBody<RoleBody>,
) -> Result<Json<Member>, Problem> {
    access.may_give(body.role)?;
    Ok(Json(access.organization.set_role(&member, body.role).await?))
}

/// Mail a member a link that sets another passphrase
///
/// The link can be used once, within 24 hours. A member gets at most one link in ten minutes, and five in 24 hours; a
/// further request succeeds, but mails nothing.
#[utoipa::path(post, path = "/organizations/{organization}/members/{member}/passphrase-reset", tag = "Members",
    responses((status = 204, description = "The link is on its way, unless the member got one a short time ago.")))]
pub(super) async fn reset_passphrase(
    access: Access,
    PathParameter(member): PathParameter,
) -> Result<StatusCode, Problem> {
    let organization = &access.organization;
    let member = organization.member(&member).await?;
    organization.request_passphrase_reset(&member.id, &format!("{}/reset", organization.page_url())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// See what provisioning a list of users would do
///
/// The answer names the users who would be adopted, the users who would be created, and the members who would stay
/// manual and take a seat. Nothing is changed. The body may have 5 MiB.
#[utoipa::path(post, path = "/organizations/{organization}/preview", tag = "Members", request_body = PreviewUsers,
    responses((status = 200, description = "The results for the users.", body = Preview)))]
pub(super) async fn preview(access: Access, TextBody(users): TextBody) -> Result<Json<Preview>, Problem> {
    Ok(Json(access.organization.preview(users).await?))
}
