//! API keys over the API: those of an organization, and the operator's.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Access, Operator, PathParameter};
use super::input::JsonBody;
use super::listed::ListOf;
use super::problem::Problem;
use crate::api_keys::{ApiKey, ApiKeyScope, IssuedApiKey};

/// An API key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewApiKey {
    /// What people call it: 1 to 200 bytes.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
}

/// A new API key, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedKey {
    /// All that is known of the key but its secret.
    key: ApiKey,
    /// `insm_api_` (of an organization) or `insm_operator_`, 43 characters of base62 and 6 of checksum. No other
    /// answer holds it: only its hash is stored.
    secret: String,
}

fn issued(issued: IssuedApiKey) -> (StatusCode, Json<IssuedKey>) {
    (StatusCode::CREATED, Json(IssuedKey { key: issued.key, secret: issued.secret }))
}

fn of(access: &Access) -> ApiKeyScope {
    ApiKeyScope::Organization(access.organization.id().clone())
}

/// List an organization's API keys
///
/// The list holds all keys, oldest first, those that were revoked too. There are at most 100.
#[utoipa::path(get, path = "/organizations/{organization}/api-keys", tag = "API keys",
    responses((status = 200, description = "All keys.", body = ListOf<ApiKey>)))]
pub(super) async fn list_api_keys(access: Access) -> Result<ListOf<ApiKey>, Problem> {
    Ok(ListOf::whole(access.state.keys.list(&of(&access)).await?))
}

/// Make an API key for an organization
///
/// The key opens all operations about the organization, except for those that only the operator may use. The key is shown
/// in this answer and never again.
#[utoipa::path(post, path = "/organizations/{organization}/api-keys", tag = "API keys", request_body = NewApiKey,
    responses((status = 201, description = "The key.", body = IssuedKey)))]
pub(super) async fn create_api_key(
    access: Access,
    JsonBody(new): JsonBody<NewApiKey>,
) -> Result<(StatusCode, Json<IssuedKey>), Problem> {
    let made = access.state.keys.create(&of(&access), &new.name).await?;
    access.organization.record_api_key("api-key.create", &made.key).await;
    Ok(issued(made))
}

/// Revoke an API key of an organization
///
/// From now on, requests with this key are refused. The key stays in the list.
#[utoipa::path(delete, path = "/organizations/{organization}/api-keys/{key}", tag = "API keys",
    responses((status = 204, description = "The key is revoked.")))]
pub(super) async fn revoke_api_key(access: Access, PathParameter(key): PathParameter) -> Result<StatusCode, Problem> {
    let revoked = access.state.keys.revoke(&of(&access), &key).await?;
    access.organization.record_api_key("api-key.revoke", &revoked).await;
    Ok(StatusCode::NO_CONTENT)
}

/// List the operator's API keys
///
/// The list holds all keys, oldest first, those that were revoked too. There are at most 100.
#[utoipa::path(get, path = "/api-keys", tag = "API keys",
    responses((status = 200, description = "All keys.", body = ListOf<ApiKey>)))]
pub(super) async fn list_operator_keys(operator: Operator) -> Result<ListOf<ApiKey>, Problem> {
    Ok(ListOf::whole(operator.state.keys.list(&ApiKeyScope::Operator).await?))
}

/// Make an API key for the operator
///
/// The key opens all operations, for all organizations. The key is shown in this answer and never again.
#[utoipa::path(post, path = "/api-keys", tag = "API keys", request_body = NewApiKey,
    responses((status = 201, description = "The key.", body = IssuedKey)))]
pub(super) async fn create_operator_key(
    operator: Operator,
    JsonBody(new): JsonBody<NewApiKey>,
) -> Result<(StatusCode, Json<IssuedKey>), Problem> {
    Ok(issued(operator.state.keys.create(&ApiKeyScope::Operator, &new.name).await?))
}

/// Revoke an API key of the operator
///
/// From now on, requests with this key are refused. The key stays in the list.
#[utoipa::path(delete, path = "/api-keys/{key}", tag = "API keys",
    responses((status = 204, description = "The key is revoked.")))]
pub(super) async fn revoke_operator_key(
    operator: Operator,
    PathParameter(key): PathParameter,
) -> Result<StatusCode, Problem> {
    operator.state.keys.revoke(&ApiKeyScope::Operator, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
