//! Organizations: the operator makes, changes and deletes them; an organization's key may look at its own.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::PATH;
use super::access::{Access, Operator};
use super::input::{JsonBody, Query, page_limit};
use super::listed::ListOf;
use super::problem::Problem;
use crate::capability::storage::OrganizationId;
use crate::directory::{Domain, Licences, Options, OrganizationRecord, Plan, Requirement};
use crate::organization::Organization;

/// An organization to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOrganization {
    /// Its name in the connector URL, which never changes.
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{0,62}$", example = "acme")]
    id: String,
    /// What the backend knows about the organization.
    organization: OrganizationRecord,
}

/// What of an organization is to change; what is not named stays (RFC 7396).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrganizationChange {
    /// Its name, as people call it: 1 to 1,000 bytes.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, min_length = 1, max_length = 1_000)]
    name: Option<String>,
    /// What it pays for.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    plan: Option<Plan>,
    /// How many active members the plan allows.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    seats: Option<u32>,
    /// Its domains, in place of those that are known.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false, max_items = 1_000)]
    domains: Option<Vec<Domain>>,
    /// The identity provider that single sign-on is configured for; `null` for none.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    single_sign_on: Option<Option<String>>,
    /// The choices to change, by name.
    #[schema(value_type = Options, required = false)]
    #[serde(default)]
    options: BTreeMap<String, bool>,
}

/// What is named is not `null`: none of these can be taken away.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `null` is named too.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// An organization of the host.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganizationView {
    /// Its name in the connector URL.
    id: String,
    /// The URL that an identity provider is given.
    connector_url: String,
    /// The URL of the page where the owner and co-owners manage SCIM.
    page_url: String,
    /// What the backend told about the organization; `null` if it never did.
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

/// The requirements for SCIM that do not hold.
#[derive(Serialize, ToSchema)]
pub(super) struct Requirements {
    /// The requirements that do not hold for this actor. The list is empty if SCIM can be enabled.
    unmet: Vec<Requirement>,
}

/// Which part of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// `next` of the page before.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    pub(super) after: Option<String>,
    /// How many items.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    pub(super) limit: Option<u32>,
}

/// Who acts.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ActorQuery {
    /// The id or the email address of the owner or co-owner who acts. If nobody is named, the owner acts.
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
    let after = query.after.as_deref().map(OrganizationId::parse).transpose();
    let after = after.map_err(|_| Problem::parameter(Some("after"), "`after` is `next` of the page before."))?;
    let mut found = operator.state.provisioner.organizations(after.as_ref(), limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|last| last.id.to_string());
    let line = |one: crate::Registered| OrganizationLine { id: one.id.to_string(), created: one.created };
    Ok(ListOf { items: found.into_iter().map(line).collect(), next })
}

/// Create an organization
///
/// For the operator only. Then add its owner, as a member with the role `owner`.
#[utoipa::path(post, path = "/organizations", tag = "Organizations", request_body = NewOrganization,
    responses((status = 201, description = "It was created.", body = OrganizationView)))]
pub(super) async fn create_organization(
    operator: Operator,
    JsonBody(new): JsonBody<NewOrganization>,
) -> Result<Response, Problem> {
    let provisioner = &operator.state.provisioner;
    let id = OrganizationId::parse(&new.id)
        .map_err(|error| Problem::invalid(format!("{error}.")).at("/id".into(), error.to_string()))?;
    let organization = provisioner.create_organization(&id).await?;
    if let Err(error) = organization.put(new.organization).await {
        // Nobody has seen it yet.
        provisioner.delete_organization(&id).await?;
        return Err(error.into());
    }
    let location = format!("{}{PATH}/organizations/{id}", provisioner.base_url());
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view(&organization).await?)).into_response())
}

/// Look at an organization
#[utoipa::path(get, path = "/organizations/{organization}", tag = "Organizations",
    responses((status = 200, description = "The organization.", body = OrganizationView)))]
pub(super) async fn get_organization(access: Access) -> Result<Json<OrganizationView>, Problem> {
    Ok(Json(view(&access.organization).await?))
}

/// Replace what is known about an organization
///
/// The number of seats may be smaller than the number of seats that are taken: then no new seat is given until enough are
/// free. Only the operator may use this.
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
/// What the request does not name stays as it is. Of two changes at the same time the later one may undo the
/// other. Only the operator may use this.
#[utoipa::path(patch, path = "/organizations/{organization}", tag = "Organizations", request_body = OrganizationChange,
    responses((status = 200, description = "The organization was changed.", body = OrganizationView)))]
pub(super) async fn patch_organization(
    _: Operator,
    access: Access,
    JsonBody(change): JsonBody<OrganizationChange>,
) -> Result<Json<OrganizationView>, Problem> {
    let unknown = || Problem::conflict("Nothing is known about the organization yet: send it with PUT first.");
    let mut record = access.organization.get().await?.ok_or_else(unknown)?;
    record.name = change.name.unwrap_or(record.name);
    record.plan = change.plan.unwrap_or(record.plan);
    record.seats = change.seats.unwrap_or(record.seats);
    record.domains = change.domains.unwrap_or(record.domains);
    record.single_sign_on = change.single_sign_on.unwrap_or(record.single_sign_on);
    record.options = options(&record.options, change.options)?;
    access.organization.put(record).await?;
    Ok(Json(view(&access.organization).await?))
}

/// Goes through the options' JSON form, so that a new option needs no code here.
fn options(known: &Options, changes: BTreeMap<String, bool>) -> Result<Options, Problem> {
    let mut value = serde_json::to_value(known).unwrap_or_default();
    for (name, on) in changes {
        match value.get_mut(&name) {
            Some(option) => *option = Value::Bool(on),
            None => {
                let text = format!("there is no option {name:?}");
                return Err(Problem::invalid(format!("{text}.")).at("/options".into(), text));
            }
        }
    }
    serde_json::from_value(value).map_err(|error| Problem::invalid(error.to_string()))
}

/// Delete an organization
///
/// The organization is deleted with all its members, teams, logs and API keys. There is no way back. Only the operator may
/// use this.
#[utoipa::path(delete, path = "/organizations/{organization}", tag = "Organizations",
    responses((status = 204, description = "The organization was deleted.")))]
pub(super) async fn delete_organization(operator: Operator, access: Access) -> Result<StatusCode, Problem> {
    operator.state.provisioner.delete_organization(access.organization.id()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// See what is missing for SCIM
#[utoipa::path(get, path = "/organizations/{organization}/requirements", tag = "Connector", params(ActorQuery),
    responses((status = 200, description = "The requirements that do not hold.", body = Requirements)))]
pub(super) async fn get_requirements(
    access: Access,
    Query(query): Query<ActorQuery>,
) -> Result<Json<Requirements>, Problem> {
    let actor = access.actor(query.actor);
    Ok(Json(Requirements { unmet: access.organization.unmet_requirements(&actor).await? }))
}

/// See seats and who takes them
#[utoipa::path(get, path = "/organizations/{organization}/licences", tag = "Members",
    responses((status = 200, description = "Seats and who takes them.", body = Licences)))]
pub(super) async fn get_licences(access: Access) -> Result<Json<Licences>, Problem> {
    Ok(Json(access.organization.licences().await?))
}
