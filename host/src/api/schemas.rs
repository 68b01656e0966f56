//! Schemas and resource types that an organization declares.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::access::Access;
use super::input::TextBody;
use super::problem::Problem;

/// The schemas that an organization declares in addition to the built-in ones. A resource type named `User` or `Group`
/// adds its `schemaExtensions` to the built-in one.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "a schema")]
pub(super) struct Declaration {
    /// Schemas, in the form of RFC 7643 §7; at most 20.
    #[schema(required = false, max_items = 20)]
    schemas: Vec<Value>,
    /// Resource types, in the form of RFC 7643 §6; at most 20.
    #[serde(rename = "resourceTypes")]
    #[schema(required = false, max_items = 20)]
    resource_types: Vec<Value>,
}

async fn declared(access: &Access) -> Result<Json<Box<RawValue>>, Problem> {
    let declared = access.organization.schemas().await?;
    RawValue::from_string(declared).map(Json).map_err(|error| {
        tracing::error!("a declaration of the component is no JSON: {error}");
        Problem::internal()
    })
}

/// See which schemas and resource types are declared
#[utoipa::path(get, path = "/organizations/{organization}/schemas", tag = "Schemas",
    responses((status = 200, description = "The declaration.", body = Declaration)))]
pub(super) async fn get_schemas(access: Access) -> Result<Json<Box<RawValue>>, Problem> {
    declared(&access).await
}

/// Declare schemas and resource types
///
/// The declaration replaces the former one. Stored resources stay as they are. A refusal names the place of the error.
/// The body may have 512 KiB.
#[utoipa::path(put, path = "/organizations/{organization}/schemas", tag = "Schemas", request_body = Declaration,
    responses((status = 200, description = "The new declaration.", body = Declaration)))]
pub(super) async fn put_schemas(
    access: Access,
    TextBody(declaration): TextBody,
) -> Result<Json<Box<RawValue>>, Problem> {
    access.organization.put_schemas(declaration).await?;
    declared(&access).await
}

/// Declare nothing any more
///
/// Stored resources stay as they are, and are served again once their type is declared again.
#[utoipa::path(delete, path = "/organizations/{organization}/schemas", tag = "Schemas",
    responses((status = 204, description = "Nothing is declared.")))]
pub(super) async fn delete_schemas(access: Access) -> Result<StatusCode, Problem> {
    access.organization.remove_schemas().await?;
    Ok(StatusCode::NO_CONTENT)
}
