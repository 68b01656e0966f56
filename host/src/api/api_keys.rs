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

/// An API key to make.
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
    /// What is known of it.
    key: ApiKey,
    /// `insm_api_` (of an organization) or `insm_operator_`, 43 characters of base62 and 6 of checksum. It is in no other
    /// answer: only its hash is stored.
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
/// The revoked ones too, oldest first. There are at most 100.
#[utoipa::path(get, path = "/organizations/{organization}/api-keys", tag = "API keys",
    responses((status = 200, description = "All keys.", body = ListOf<ApiKey>)))]
pub(super) async fn list_api_keys(access: Access) -> Result<ListOf<ApiKey>, Problem> {
    Ok(ListOf::whole(access.state.keys.list(&of(&access)).await?))
}

/// Make an API key for an organization
///
/// It opens all of this API about the organization but what only the operator may do. It is shown this once.
#[utoipa::path(post, path = "/organizations/{organization}/api-keys", tag = "API keys", request_body = NewApiKey,
    responses((status = 201, description = "The key.", body = IssuedKey)))]
pub(super) async fn create_api_key(
    access: Access,
    JsonBody(new): JsonBody<NewApiKey>,
) -> Result<(StatusCode, Json<IssuedKey>), Problem> {
    Ok(issued(access.state.keys.create(&of(&access), &new.name).await?))
}

/// Revoke an API key of an organization
///
/// From now on no request is accepted with it. It stays in the list.
#[utoipa::path(delete, path = "/organizations/{organization}/api-keys/{key}", tag = "API keys",
    responses((status = 204, description = "It is revoked.")))]
pub(super) async fn revoke_api_key(access: Access, PathParameter(key): PathParameter) -> Result<StatusCode, Problem> {
    access.state.keys.revoke(&of(&access), &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List the operator's API keys
///
/// The revoked ones too, oldest first. There are at most 100.
#[utoipa::path(get, path = "/api-keys", tag = "API keys",
    responses((status = 200, description = "All keys.", body = ListOf<ApiKey>)))]
pub(super) async fn list_operator_keys(operator: Operator) -> Result<ListOf<ApiKey>, Problem> {
    Ok(ListOf::whole(operator.state.keys.list(&ApiKeyScope::Operator).await?))
}

/// Make an API key for the operator
///
/// It opens all of this API, for all organizations. It is shown this once.
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
/// From now on no request is accepted with it. It stays in the list.
#[utoipa::path(delete, path = "/api-keys/{key}", tag = "API keys",
    responses((status = 204, description = "It is revoked.")))]
pub(super) async fn revoke_operator_key(
    operator: Operator,
    PathParameter(key): PathParameter,
) -> Result<StatusCode, Problem> {
    operator.state.keys.revoke(&ApiKeyScope::Operator, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}
