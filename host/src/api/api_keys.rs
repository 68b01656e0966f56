//! API keys in the API: those of an organization, and the operator's. A key can't make one with more rights or a later
//! expiry.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Access, Operator, PathParameter};
use super::input::JsonBody;
use super::listed::ListOf;
use super::problem::Problem;
use super::state::ApiState;
use crate::api_keys::{self, ApiKey, ApiKeyExpiry, ApiKeyHolder, ApiScope, Caller, IssuedApiKey};

/// An API key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewApiKey {
    /// The key's name: 1 to 200 bytes.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The key's scopes. By default they are those of the key that makes it, which is `all:write` for a key without
    /// limits. A scope that the making key does not have is refused.
    #[schema(min_items = 1)]
    scopes: Option<Vec<ApiScope>>,
    /// The key's expiry: `never`, a number of days or years (`90d`, `1y`), or a time in the form of RFC 3339. By
    /// default it is that of the key that makes it. A later time is refused.
    #[schema(value_type = Option<String>, max_length = 40, example = "90d")]
    expires: Option<ApiKeyExpiry>,
}

impl NewApiKey {
    /// The new key. It can't have more rights than the caller's key, nor a later expiry.
    fn within(self, caller: &Caller, now: u64) -> Result<api_keys::NewApiKey, Problem> {
        let scopes = self.scopes.unwrap_or_else(|| caller.scopes.clone());
        if let Some(scope) = scopes.iter().find(|scope| !api_keys::permits(&caller.scopes, **scope)) {
            return Err(Problem::insufficient_scope(*scope));
        }
        let expires = self.expires.map_or(caller.expires, |expires| expires.end(now));
        match caller.expires {
            Some(latest) if expires.is_none_or(|expires| expires > latest) => Err(Problem::expires_later()),
            _ => Ok(api_keys::NewApiKey { name: self.name, scopes, expires }),
        }
    }
}

/// A new API key, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedKey {
    /// The key's data without its secret.
    key: ApiKey,
    /// The key: `insm_api_` (of an organization) or `insm_operator_`, 43 characters of base62 and 6 of checksum. No
    /// other answer contains it: only its hash is stored.
    secret: String,
}

fn issued(issued: IssuedApiKey) -> (StatusCode, Json<IssuedKey>) {
    (StatusCode::CREATED, Json(IssuedKey { key: issued.key, secret: issued.secret }))
}

/// Makes a key for this holder.
async fn make(
    state: &ApiState,
    caller: &Caller,
    holder: &ApiKeyHolder,
    new: NewApiKey,
) -> Result<IssuedApiKey, Problem> {
    let new = new.within(caller, state.now())?;
    Ok(state.keys.create(holder, new).await?)
}

fn of(access: &Access) -> ApiKeyHolder {
    ApiKeyHolder::Organization(access.organization.id().clone())
}

/// List an organization's API keys
///
/// The list holds all keys, oldest first, including expired and revoked ones. There are at most 100.
#[utoipa::path(get, path = "/organizations/{organization}/api-keys", tag = "API keys",
    responses((status = 200, description = "All keys.", body = ListOf<ApiKey>)))]
pub(super) async fn list_api_keys(access: Access) -> Result<ListOf<ApiKey>, Problem> {
    Ok(ListOf::whole(access.state.keys.list(&of(&access)).await?))
}

/// Make an API key for an organization
///
/// The key allows the operations about the organization that its scopes name, except those that only the operator may
/// use. It can't have more rights or a later expiry than the key that makes it. Only this answer shows the key.
#[utoipa::path(post, path = "/organizations/{organization}/api-keys", tag = "API keys", request_body = NewApiKey,
    responses((status = 201, description = "The key.", body = IssuedKey)))]
pub(super) async fn create_api_key(
    access: Access,
    JsonBody(new): JsonBody<NewApiKey>,
) -> Result<(StatusCode, Json<IssuedKey>), Problem> {
    let made = make(&access.state, &access.caller, &of(&access), new).await?;
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
/// The list holds all keys, oldest first, including expired and revoked ones. There are at most 100.
#[utoipa::path(get, path = "/api-keys", tag = "API keys",
    responses((status = 200, description = "All keys.", body = ListOf<ApiKey>)))]
pub(super) async fn list_operator_keys(operator: Operator) -> Result<ListOf<ApiKey>, Problem> {
    Ok(ListOf::whole(operator.state.keys.list(&ApiKeyHolder::Operator).await?))
}

/// Make an API key for the operator
///
/// The key allows the operations that its scopes name, for all organizations. It can't have more rights or a later
/// expiry than the key that makes it. Only this answer shows the key.
#[utoipa::path(post, path = "/api-keys", tag = "API keys", request_body = NewApiKey,
    responses((status = 201, description = "The key.", body = IssuedKey)))]
pub(super) async fn create_operator_key(
    operator: Operator,
    JsonBody(new): JsonBody<NewApiKey>,
) -> Result<(StatusCode, Json<IssuedKey>), Problem> {
    let made = make(&operator.state, &operator.caller, &ApiKeyHolder::Operator, new).await?;
    operator.record("api-key.create", "api-key", Some(&made.key.id), Some(&made.key.name)).await;
    Ok(issued(made))
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
    let revoked = operator.state.keys.revoke(&ApiKeyHolder::Operator, &key).await?;
    operator.record("api-key.revoke", "api-key", Some(&key), Some(&revoked.name)).await;
    Ok(StatusCode::NO_CONTENT)
}
