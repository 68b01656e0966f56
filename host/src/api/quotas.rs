//! Quotas: every key of the organization may read them, and the operator sets them.

use axum::Json;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::access::{Access, Operator, PathParameter};
use super::input::JsonBody;
use super::listed::ListOf;
use super::problem::Problem;
use crate::organization::Organization;
use crate::quota::{Quota, Quotas};

/// A quota of an organization.
#[derive(Serialize, ToSchema)]
pub(super) struct QuotaLine {
    /// The resource that is limited.
    #[schema(example = "requests-per-second")]
    quota: &'static str,
    /// How much the organization may use.
    limit: u64,
    /// How many requests, emails or changes this server has refused for this reason since it was started.
    refused: u64,
}

/// A limit to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLimit {
    /// How much the organization may use; `null` for the server's default.
    #[serde(deserialize_with = "present")]
    #[schema(required = true, minimum = 1, maximum = 9_007_199_254_740_991_u64)]
    limit: Option<u64>,
}

/// Reads a value that may be `null`, but must be present: an empty object must not set anything.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Option::deserialize(deserializer)
}

async fn line(organization: &Organization, limits: &Quotas, quota: Quota) -> QuotaLine {
    QuotaLine { quota: quota.name(), limit: limits.limit(quota), refused: organization.refusals(quota).await }
}

/// List the quotas of an organization
///
/// A quota limits how much the organization may use over time, so that enough is left for others. A refusal because of
/// a quota says so.
#[utoipa::path(get, path = "/organizations/{organization}/quotas", tag = "Organizations",
    responses((status = 200, description = "All quotas.", body = ListOf<QuotaLine>)))]
pub(super) async fn list_quotas(access: Access) -> Result<ListOf<QuotaLine>, Problem> {
    let limits = access.organization.quotas().await?;
    let mut items = Vec::new();
    for quota in Quota::ALL {
        items.push(line(&access.organization, &limits, quota).await);
    }
    Ok(ListOf::whole(items))
}

/// Set a quota of an organization
///
/// The limit holds in every server within five seconds. The limit of `requests-per-second` is at least 25. Only the
/// operator may use this.
#[utoipa::path(put, path = "/organizations/{organization}/quotas/{quota}", tag = "Organizations",
    request_body = NewLimit,
    responses((status = 200, description = "The quota was set.", body = QuotaLine)))]
pub(super) async fn put_quota(
    _: Operator,
    access: Access,
    PathParameter(name): PathParameter,
    JsonBody(new): JsonBody<NewLimit>,
) -> Result<Json<QuotaLine>, Problem> {
    let quota: Quota = name.parse().map_err(|_| Problem::not_found("There is no such quota."))?;
    access.organization.set_quota(quota, new.limit).await?;
    let limits = access.organization.quotas().await?;
    Ok(Json(line(&access.organization, &limits, quota).await))
}
