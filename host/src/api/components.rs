//! Components besides the one with which the server was started. The operator stores them, pins organizations to them,
//! and tries one as a canary.

use std::fmt;

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Access, Operator, PathParameter};
use super::input::{JsonBody, MAX_COMPONENT_BODY, Query};
use super::listed::ListOf;
use super::problem::Problem;
use super::state::ApiState;
use crate::error::ActionError;
use crate::organization::Organization;
use crate::registry::{self, ComponentBookError, ComponentId};
use crate::server::body;

/// A stored component.
#[derive(Serialize, ToSchema)]
pub(super) struct Component {
    /// The SHA-256 of its bytes, in hexadecimal digits.
    id: String,
    /// The name under which it was stored.
    #[schema(example = "rules")]
    name: String,
    /// Its size in bytes.
    bytes: u64,
    /// When it was stored.
    added: u64,
}

impl From<registry::StoredComponent> for Component {
    fn from(stored: registry::StoredComponent) -> Self {
        Self { id: stored.id.to_string(), name: stored.name, bytes: stored.bytes, added: stored.added }
    }
}

/// The name of a component.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Called {
    /// The name for log lines. Every character but letters, digits and `-_.` becomes a hyphen.
    name: Option<String>,
}

/// The component of an organization.
#[derive(Serialize, ToSchema)]
pub(super) struct OrganizationComponent {
    /// The name of the component that runs now, and the beginning of its SHA-256.
    #[schema(example = "built-in@0123456789ab")]
    runs: String,
    /// The component to which the organization is pinned; `null` if it runs the server's component or the canary.
    #[schema(required = true)]
    pinned: Option<String>,
    /// Whether it can be rolled back to its former component.
    can_be_rolled_back: bool,
}

/// The component that an organization shall run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPin {
    /// The id of a stored component; `default` for the server's component; `former` for the one that the organization
    /// ran before.
    #[schema(pattern = "^(default|former|[0-9a-f]{64})$", example = "default")]
    component: String,
}

/// A component that some organizations run.
#[derive(Serialize, ToSchema)]
pub(super) struct CanaryState {
    /// The component.
    component: String,
    /// The percentage of organizations that run it, among those that are not pinned.
    percent: u8,
    /// When it began.
    began: u64,
    /// The reason why it was rolled back; `null` while it runs.
    #[schema(required = true)]
    rolled_back: Option<String>,
}

impl From<registry::Canary> for CanaryState {
    fn from(canary: registry::Canary) -> Self {
        let registry::Canary { component, percent, began, rolled_back } = canary;
        Self { component: component.to_string(), percent, began, rolled_back }
    }
}

/// A new canary.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCanary {
    /// The id of a stored component.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    component: String,
    /// The percentage of organizations that run it.
    #[schema(minimum = 1, maximum = 100)]
    percent: u8,
}

/// A request body that is a component.
pub(super) struct WasmBody(Vec<u8>);

impl FromRequest<ApiState> for WasmBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let body = body::read(&parts.headers, body, MAX_COMPONENT_BODY, &state.bill(&parts)?).await?;
        // Without a media type the bytes are examined (RFC 9110 section 8.3), because some generated clients send no
        // type.
        let media = parts.headers.get(header::CONTENT_TYPE);
        let media = media.map_or("application/octet-stream", |value| value.to_str().unwrap_or_default());
        if matches!(media.trim(), "application/wasm" | "application/octet-stream") {
            return Ok(Self(body));
        }
        let detail = "The body must be a component: send it with `Content-Type: application/wasm`.";
        Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "Unsupported media type",
            detail,
        ))
    }
}

fn id(text: &str) -> Result<ComponentId, Problem> {
    text.parse().map_err(|_| Problem::not_found("There is no such component. A component is named by its SHA-256."))
}

/// List the stored components
///
/// Only the operator may use this.
#[utoipa::path(get, path = "/components", tag = "Components",
    responses((status = 200, description = "The stored components.", body = ListOf<Component>)))]
pub(super) async fn list_components(operator: Operator) -> Result<ListOf<Component>, Problem> {
    let stored = operator.state.provisioner.components().await?;
    Ok(ListOf::whole(stored.into_iter().map(Component::from).collect()))
}

/// Store a component
///
/// The component must compile, import only what the server offers, fit the world of the contract, and answer a call;
/// otherwise the problem says what is wrong. It is stored under the SHA-256 of its bytes, which the path must contain.
/// At most 32 components are stored. Only the operator may use this.
#[utoipa::path(put, path = "/components/{component}", tag = "Components",
    params(Called),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The component, also as `application/wasm`."),
    responses((status = 200, description = "The component is stored.", body = Component)))]
pub(super) async fn put_component(
    operator: Operator,
    PathParameter(named): PathParameter,
    Query(called): Query<Called>,
    WasmBody(wasm): WasmBody,
) -> Result<Json<Component>, Problem> {
    if id(&named)? != ComponentId::of(&wasm) {
        return Err(Problem::invalid("The SHA-256 in the path is not that of the body."));
    }
    let name = called.name.unwrap_or_else(|| "component".to_owned());
    let stored = operator.state.provisioner.add_component(&name, wasm).await?;
    operator.record("component.add", "component", Some(&stored.id.to_string()), Some(&stored.name)).await;
    Ok(Json(stored.into()))
}

/// Remove a stored component
///
/// This is refused while an organization is pinned to the component or the canary runs it. Only the operator may use
/// this.
#[utoipa::path(delete, path = "/components/{component}", tag = "Components",
    responses((status = 204, description = "The component was removed.")))]
pub(super) async fn remove_component(
    operator: Operator,
    PathParameter(named): PathParameter,
) -> Result<StatusCode, Problem> {
    operator.state.provisioner.remove_component(&id(&named)?).await?;
    operator.record("component.remove", "component", Some(&named), None).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the canary
///
/// The canary is a component that runs for some of the organizations that are not pinned. If there is none, the answer
/// is 404. Only the operator may use this.
#[utoipa::path(get, path = "/canary", tag = "Components",
    responses((status = 200, description = "The canary.", body = CanaryState)))]
pub(super) async fn get_canary(operator: Operator) -> Result<Json<CanaryState>, Problem> {
    let canary = operator.state.provisioner.canary().await?;
    canary.map(CanaryState::from).map(Json).ok_or_else(|| Problem::not_found("There is no canary."))
}

/// Begin a canary
///
/// If a larger share of its calls fails than of the other organizations' calls, it is rolled back automatically. All
/// servers follow within two seconds. Only the operator may use this.
#[utoipa::path(put, path = "/canary", tag = "Components",
    request_body = NewCanary,
    responses((status = 200, description = "The canary has begun.", body = CanaryState)))]
pub(super) async fn put_canary(
    operator: Operator,
    JsonBody(new): JsonBody<NewCanary>,
) -> Result<Json<CanaryState>, Problem> {
    let component = new.component.parse::<ComponentId>();
    let component = component.map_err(|error| not_stored(&error))?;
    match operator.state.provisioner.begin_canary(component, new.percent).await {
        Ok(canary) => {
            operator.record("canary.begin", "component", Some(&component.to_string()), None).await;
            Ok(Json(canary.into()))
        }
        Err(error @ ComponentBookError::Unknown(_)) => Err(not_stored(&error)),
        Err(error) => Err(error.into()),
    }
}

/// End the canary
///
/// Its organizations run the server's component again. Only the operator may use this.
#[utoipa::path(delete, path = "/canary", tag = "Components",
    responses((status = 204, description = "There is no canary any more.")))]
pub(super) async fn end_canary(operator: Operator) -> Result<StatusCode, Problem> {
    operator.state.provisioner.end_canary().await?;
    operator.record("canary.end", "canary", None, None).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the component of an organization
#[utoipa::path(get, path = "/organizations/{organization}/component", tag = "Components",
    responses((status = 200, description = "The component of the organization.", body = OrganizationComponent)))]
pub(super) async fn get_component(access: Access) -> Result<Json<OrganizationComponent>, Problem> {
    state(&access.organization).await
}

/// Pin an organization to a component
///
/// Running requests end with the component with which they began. All servers follow within two seconds. Only the
/// operator may use this.
#[utoipa::path(put, path = "/organizations/{organization}/component", tag = "Components",
    request_body = NewPin,
    responses((status = 200, description = "The organization runs the component.", body = OrganizationComponent)))]
pub(super) async fn put_pin(
    _: Operator,
    access: Access,
    JsonBody(new): JsonBody<NewPin>,
) -> Result<Json<OrganizationComponent>, Problem> {
    let pinned = match new.component.as_str() {
        "default" => access.organization.set_pin(None).await,
        "former" => access.organization.roll_back().await,
        named => {
            let id = named.parse::<ComponentId>();
            let id = id.map_err(|error| not_stored(&error))?;
            access.organization.set_pin(Some(id)).await
        }
    };
    match pinned {
        Ok(_) => state(&access.organization).await,
        Err(error @ ComponentBookError::Unknown(_)) => Err(not_stored(&error)),
        Err(error) => Err(error.into()),
    }
}

/// The problem for a body that names a component that is not stored.
fn not_stored(error: &impl fmt::Display) -> Problem {
    Problem::value("/component", error)
}

async fn state(organization: &Organization) -> Result<Json<OrganizationComponent>, Problem> {
    let pin = organization.pin().await?;
    let runs = organization.component().await.map_err(ActionError::Call)?;
    let (pinned, can_be_rolled_back) = (pin.component.map(|id| id.to_string()), pin.former.is_some());
    Ok(Json(OrganizationComponent { runs, pinned, can_be_rolled_back }))
}
