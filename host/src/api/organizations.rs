//! Organizations: the operator makes, changes and deletes them; an organization's key may look at its own.

use std::collections::BTreeMap;

use axum::Json as Answer;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::PATH;
use super::access::{Access, Operator};
use super::input::{Json, Query, page_limit};
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
    /// What is known about it.
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
    /// What an identity provider is given.
    connector_url: String,
    /// Where its owner and co-owners manage SCIM.
    page_url: String,
    /// What is known about it; `null` if that was never told.
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
    /// Those that do not hold for this actor; empty if SCIM can be enabled.
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
    /// The id or the email address of the owner or co-owner who acts; the owner if nobody is named.
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
/// In the order of their ids. For the operator only.
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
    Json(new): Json<NewOrganization>,
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
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Answer(view(&organization).await?)).into_response())
}

/// Look at an organization
#[utoipa::path(get, path = "/organizations/{organization}", tag = "Organizations",
    responses((status = 200, description = "The organization.", body = OrganizationView)))]
pub(super) async fn get_organization(access: Access) -> Result<Answer<OrganizationView>, Problem> {
    Ok(Answer(view(&access.organization).await?))
}

/// Tell all that is known about an organization
///
/// In place of what was known. Fewer seats than are taken are accepted: no new seat is given until enough are free. For
/// the operator only.
#[utoipa::path(put, path = "/organizations/{organization}", tag = "Organizations", request_body = OrganizationRecord,
    responses((status = 200, description = "It was changed.", body = OrganizationView)))]
pub(super) async fn put_organization(
    _: Operator,
    access: Access,
    Json(record): Json<OrganizationRecord>,
) -> Result<Answer<OrganizationView>, Problem> {
    access.organization.put(record).await?;
    Ok(Answer(view(&access.organization).await?))
}

/// Change some of what is known about an organization
///
/// What is not named stays. Of two changes at the same time the later one may undo the other. For the operator only.
#[utoipa::path(patch, path = "/organizations/{organization}", tag = "Organizations", request_body = OrganizationChange,
    responses((status = 200, description = "It was changed.", body = OrganizationView)))]
pub(super) async fn patch_organization(
    _: Operator,
    access: Access,
    Json(change): Json<OrganizationChange>,
) -> Result<Answer<OrganizationView>, Problem> {
    let unknown = || Problem::conflict("Nothing is known about the organization yet: send it with PUT first.");
    let mut record = access.organization.get().await?.ok_or_else(unknown)?;
    record.name = change.name.unwrap_or(record.name);
    record.plan = change.plan.unwrap_or(record.plan);
    record.seats = change.seats.unwrap_or(record.seats);
    record.domains = change.domains.unwrap_or(record.domains);
    record.single_sign_on = change.single_sign_on.unwrap_or(record.single_sign_on);
    record.options = options(&record.options, change.options)?;
    access.organization.put(record).await?;
    Ok(Answer(view(&access.organization).await?))
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
/// With all its members, teams, logs and API keys. There is no way back. For the operator only.
#[utoipa::path(delete, path = "/organizations/{organization}", tag = "Organizations",
    responses((status = 204, description = "It was deleted.")))]
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
) -> Result<Answer<Requirements>, Problem> {
    let actor = access.actor(query.actor);
    Ok(Answer(Requirements { unmet: access.organization.unmet_requirements(&actor).await? }))
}

/// See seats and who takes them
#[utoipa::path(get, path = "/organizations/{organization}/licences", tag = "Members",
    responses((status = 200, description = "Seats and who takes them.", body = Licences)))]
pub(super) async fn get_licences(access: Access) -> Result<Answer<Licences>, Problem> {
    Ok(Answer(access.organization.licences().await?))
}
