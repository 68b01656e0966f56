//! Members, of either origin; and what provisioning a list of users would do.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::PATH;
use super::access::{Access, PathParameter};
use super::input::{JsonBody, Query, TextBody, cursor, page_limit};
use super::listed::ListOf;
use super::problem::Problem;
use super::shapes::PreviewUsers;
use crate::directory::{Listing, Member, NewMember, Role};
use crate::guard::Preview;

/// Which part of a list of members or teams.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Only those whose name begins with this, in any case, or for members also the email address.
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
    pub(super) fn listing(self) -> Result<Listing, Problem> {
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
    /// The name. If there is none, it is the email address.
    display_name: Option<String>,
    /// What the member may do. If it is not named, the role is `member`.
    role: Option<Role>,
    /// The passphrase that the member signs in with, of at least 12 characters. Without one, a passphrase is generated and
    /// emailed to the member.
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

/// List members
///
/// The list holds members of either origin, in the order of their creation.
#[utoipa::path(get, path = "/organizations/{organization}/members", tag = "Members", params(Search),
    responses((status = 200, description = "A page of members.", body = ListOf<Member>)))]
pub(super) async fn list_members(access: Access, Query(query): Query<Search>) -> Result<ListOf<Member>, Problem> {
    Ok(access.organization.members(query.listing()?).await?.into())
}

/// Add a member by hand
///
/// The member takes a seat.
#[utoipa::path(post, path = "/organizations/{organization}/members", tag = "Members", request_body = NewMemberBody,
    responses((status = 201, description = "The member was added.", body = Member)))]
pub(super) async fn add_member(access: Access, JsonBody(new): JsonBody<NewMemberBody>) -> Result<Response, Problem> {
    let new = NewMember::new(new.email, new.display_name, new.role.unwrap_or(Role::Member), new.passphrase);
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
/// The role of the last active owner can't be changed.
#[utoipa::path(put, path = "/organizations/{organization}/members/{member}/role", tag = "Members",
    request_body = RoleBody,
    responses((status = 200, description = "The member with the new role.", body = Member)))]
pub(super) async fn set_role(
    access: Access,
    PathParameter(member): PathParameter,
    JsonBody(body): JsonBody<RoleBody>,
) -> Result<Json<Member>, Problem> {
    Ok(Json(access.organization.set_role(&member, body.role).await?))
}

/// Mail a member a link that sets another passphrase
///
/// The link works once, within 24 hours. A member gets one link in ten minutes at the most, and five in 24 hours; a request
/// beyond that succeeds, and mails nothing.
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
/// The answer tells who would be matched, who would be created, and who would stay manual and take a seat. Nothing is
/// changed. The body may have 5 MiB.
#[utoipa::path(post, path = "/organizations/{organization}/preview", tag = "Members", request_body = PreviewUsers,
    responses((status = 200, description = "What would become of the users.", body = Preview)))]
pub(super) async fn preview(access: Access, TextBody(users): TextBody) -> Result<Json<Preview>, Problem> {
    Ok(Json(access.organization.preview(users).await?))
}
