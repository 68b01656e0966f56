//! The retention of an organization's log.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::Access;
use super::input::JsonBody;
use super::problem::Problem;

/// The retention of an organization.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Retention {
    /// For how many days the log of SCIM requests, events and parked emails are kept. Older ones are soon deleted.
    #[schema(minimum = 1, maximum = 3_650)]
    days: u32,
}

/// See how long the log is kept
#[utoipa::path(get, path = "/organizations/{organization}/retention", tag = "Logs",
    responses((status = 200, description = "The retention.", body = Retention)))]
pub(super) async fn get_retention(access: Access) -> Result<Json<Retention>, Problem> {
    Ok(Json(Retention { days: access.organization.retention().await? }))
}

/// Choose how long the log is kept
///
/// This applies to the log of SCIM requests, to events, and to emails that could not be sent.
#[utoipa::path(put, path = "/organizations/{organization}/retention", tag = "Logs", request_body = Retention,
    responses((status = 200, description = "The retention now.", body = Retention)))]
pub(super) async fn put_retention(
    access: Access,
    JsonBody(retention): JsonBody<Retention>,
) -> Result<Json<Retention>, Problem> {
    access.organization.set_retention(retention.days).await?;
    Ok(Json(retention))
}
