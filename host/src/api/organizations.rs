//! Organizations: the operator creates, changes and deletes them; an organization's key may read its own.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use insomnia_scim_contract::{Act, Actor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PATH;
use super::access::{Access, Operator};
use super::input::{JsonBody, Query, organization_cursor, page_limit};
use super::listed::ListOf;
use super::problem::Problem;
use crate::api_keys::ApiScope;
use crate::capability::storage::OrganizationId;
use crate::directory::{Licences, MarkedMembers, Member, OrganizationRecord, Requirement};
use crate::organization::archive::OrganizationExport;
use crate::organization::{NewOrganization, Organization, OrganizationChange, Owner};

/// An organization to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrganization)]
pub(super) struct NewOrganizationBody {
    /// Its name in the connector URL. It never changes.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "acme")]
    id: String,
    /// The data that the backend has about the organization.
    organization: OrganizationRecord,
    /// Its owner. Without one, a member with the role `owner` must be added before SCIM can be enabled.
    owner: Option<Owner>,
    /// For how many days the log of SCIM requests, events and parked emails are kept.
    #[schema(minimum = 1, maximum = 3_650, default = 90)]
    retention_days: Option<u32>,
}

/// An organization that was created.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedOrganization)]
pub(super) struct CreatedOrganizationView {
    #[serde(flatten)]
    organization: OrganizationView,
    /// Its owner, if the request named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    owner: Option<Member>,
}

/// An organization of the host.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganizationView {
    /// Its name in the connector URL.
    id: String,
    /// The URL to enter in the identity provider.
    connector_url: String,
    /// The URL of the page where the owner and co-owners manage SCIM.
    page_url: String,
    /// The data that the backend has sent about the organization; `null` if it has sent none.
    organization: Option<OrganizationRecord>,
}

/// An organization in the list.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganizationLine {
    /// Its name in the connector URL.
    id: String,
    /// When it was created, in milliseconds since the Unix epoch.
    created: u64,
}

/// The unmet requirements for SCIM.
#[derive(Serialize, ToSchema)]
pub(super) struct Requirements {
    /// The requirements that are not met for this actor. The list is empty if SCIM can be enabled.
    unmet: Vec<Requirement>,
}

/// The part of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// The value of `next` on the previous page.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    pub(super) after: Option<String>,
    /// The number of items on a page.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    pub(super) limit: Option<u32>,
}

/// The actor.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ActorQuery {
    /// The id or the email address of the owner or co-owner who acts. By default the owner acts.
    #[param(nullable = false)]
    pub(super) actor: Option<String>,
}

async fn view(organization: &Organization) -> Result<OrganizationView, Problem> {
    Ok(OrganizationView {
        id: organization.id().to_string(),
        connector_url: organization.connector_url(),
        page_url: organization.page_url(),
        organization: organization.get().await?,
    })
}

/// List organizations
///
/// The list is in the order of the ids. Only the operator may use this.
#[utoipa::path(get, path = "/organizations", tag = "Organizations", params(Paging),
    responses((status = 200, description = "A page of organizations.", body = ListOf<OrganizationLine>)))]
pub(super) async fn list_organizations(
    operator: Operator,
    Query(query): Query<Paging>,
) -> Result<ListOf<OrganizationLine>, Problem> {
    let limit = page_limit(query.limit)?;
    let after = organization_cursor(query.after.as_deref())?;
    let found = operator.state.provisioner.organizations(after.as_ref(), limit + 1).await?;
    let line = |one: crate::Registered| OrganizationLine { id: one.id.to_string(), created: one.created };
    Ok(ListOf::page(found.into_iter().map(line).collect(), limit, |last| last.id.clone()))
}

/// Create an organization
///
/// The organization is created together with its owner, if the request names one. If anything is refused, nothing is
/// created. Only the operator may use this.
#[utoipa::path(post, path = "/organizations", tag = "Organizations", request_body = NewOrganizationBody,
    responses((status = 201, description = "The organization was created.", body = CreatedOrganizationView)))]
pub(super) async fn create_organization(
    operator: Operator,
    JsonBody(new): JsonBody<NewOrganizationBody>,
) -> Result<Response, Problem> {
    let provisioner = &operator.state.provisioner;
    let id = OrganizationId::parse(&new.id).map_err(|error| Problem::value("/id", &error))?;
    if new.owner.is_some() {
        operator.caller.needs(ApiScope::EVERYTHING)?;
    }
    let by = Act { actor: Actor::Operator, source: operator.source.clone() };
    let (record, owner, retention_days) = (new.organization, new.owner, new.retention_days);
    let new = NewOrganization { id, record, owner, retention_days, by };
    let created = provisioner.create_organization(new).await?;
    let location = format!("{}{PATH}/organizations/{}", provisioner.base_url(), created.organization.id());
    let view = CreatedOrganizationView { organization: view(&created.organization).await?, owner: created.owner };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
}

/// Look at an organization
#[utoipa::path(get, path = "/organizations/{organization}", tag = "Organizations",
    responses((status = 200, description = "The organization.", body = OrganizationView)))]
pub(super) async fn get_organization(access: Access) -> Result<Json<OrganizationView>, Problem> {
    Ok(Json(view(&access.organization).await?))
}

/// Replace what is known about an organization
///
/// There may be fewer seats than are taken: then nobody gets a seat until enough are free. Only the operator may use
/// this.
#[utoipa::path(put, path = "/organizations/{organization}", tag = "Organizations", request_body = OrganizationRecord,
    responses((status = 200, description = "The organization was changed.", body = OrganizationView)))]
pub(super) async fn put_organization(
    _: Operator,
    access: Access,
    JsonBody(record): JsonBody<OrganizationRecord>,
) -> Result<Json<OrganizationView>, Problem> {
    access.organization.put(record).await?;
    Ok(Json(view(&access.organization).await?))
}

/// Change some of what is known about an organization
///
/// Values that the request does not name stay as they are. If two changes come at the same time, the later one may undo
/// the other. Only the operator may use this.
#[utoipa::path(patch, path = "/organizations/{organization}", tag = "Organizations", request_body = OrganizationChange,
    responses((status = 200, description = "The organization was changed.", body = OrganizationView)))]
pub(super) async fn patch_organization(
    _: Operator,
    access: Access,
    JsonBody(change): JsonBody<OrganizationChange>,
) -> Result<Json<OrganizationView>, Problem> {
    access.organization.change(change).await?;
    Ok(Json(view(&access.organization).await?))
}

/// Export an organization
///
/// The export holds the organization as JSON Lines, without secrets and without the emails and tokens that wait. Each
/// line is an object with a `kind` and a `value`: one `organization`, one `connector`, then `member`, `team`,
/// `membership`, `log`, `event`, `request` and `audit`. The last line, of the kind `end`, has the number of lines
/// before it. If the organization can't be read to its end, the connection is closed early.
#[utoipa::path(get, path = "/organizations/{organization}/export", tag = "Organizations",
    responses((status = 200, description = "The organization.", content((String = "application/jsonl")))))]
pub(super) async fn export_organization(access: Access) -> Result<Response, Problem> {
    let stream = access.stream()?;
    let now = access.state.now();
    Ok(OrganizationExport::new(access.organization).into_response(now, stream).await?)
}

/// Delete an organization
///
/// The organization is deleted with all its members, teams, logs and API keys. This can't be undone. Only the operator
/// may use this.
#[utoipa::path(delete, path = "/organizations/{organization}", tag = "Organizations",
    responses((status = 204, description = "The organization was deleted.")))]
pub(super) async fn delete_organization(operator: Operator, access: Access) -> Result<StatusCode, Problem> {
    let id = access.organization.id();
    operator.state.provisioner.delete_organization_from(id, operator.source).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// See what is missing for SCIM
#[utoipa::path(get, path = "/organizations/{organization}/requirements", tag = "Connector", params(ActorQuery),
    responses((status = 200, description = "The unmet requirements.", body = Requirements)))]
pub(super) async fn get_requirements(
    access: Access,
    Query(query): Query<ActorQuery>,
) -> Result<Json<Requirements>, Problem> {
    let actor = access.actor(query.actor);
    Ok(Json(Requirements { unmet: access.organization.unmet_requirements(&actor).await? }))
}

/// Seats, who takes them, and which of the active members are marked.
#[derive(Serialize, ToSchema)]
pub(super) struct LicencesView {
    #[serde(flatten)]
    licences: Licences,
    /// Active members who can't sign in or whose domain is not verified.
    marked: MarkedMembers,
}

/// See seats and who takes them
///
/// The answer also counts the active members who can't sign in because they have no email address, and those whose
/// domain is not verified.
#[utoipa::path(get, path = "/organizations/{organization}/licences", tag = "Members",
    responses((status = 200, description = "Seats and who takes them.", body = LicencesView)))]
pub(super) async fn get_licences(access: Access) -> Result<Json<LicencesView>, Problem> {
    let licences = access.organization.licences().await?;
    Ok(Json(LicencesView { licences, marked: access.organization.marked_members().await? }))
}
