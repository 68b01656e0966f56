//! The OAuth 2.0 endpoints of all organizations, except the authorization endpoint, which needs a person and therefore
//! a page.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::routing::{get, post};

use super::bill::Bill;
use super::body::{self, BodyError};
use super::contained;
use super::request_id::{self, X_REQUEST_ID};
use crate::capability::storage::OrganizationId;
use crate::component::CallError;
use crate::hourly::error_hourly;
use crate::oauth::{OAuthRequest, OAuthResponse};
use crate::organization::Organization;
use crate::provisioner::Provisioner;
use crate::urls::{RESOURCE_METADATA_PATH, SCIM_PATH, path_of};

/// The largest form, in bytes.
const MAX_FORM: usize = 64 << 10;

/// The routes of the token and revocation endpoints, and of the metadata documents.
pub(super) fn router(provisioner: &Provisioner) -> Router {
    Router::new()
        .route("/oauth/{organization}/token", post(token).fallback(only_post))
        .route("/oauth/{organization}/revoke", post(revoke).fallback(only_post))
        .with_state(provisioner.clone())
        .merge(well_known(provisioner))
}

/// The routes of the metadata documents. Clients look for them at the root of the host, wherever the other routes are.
pub(crate) fn well_known(provisioner: &Provisioner) -> Router {
    Router::new()
        .route("/.well-known/oauth-authorization-server/{*issuer}", get(metadata).fallback(only_get))
        .route(&format!("{RESOURCE_METADATA_PATH}/{{*resource}}"), get(resource_metadata).fallback(only_get))
        .with_state(provisioner.clone())
}

async fn token(State(provisioner): State<Provisioner>, Path(name): Path<String>, request: Request) -> Response<Body> {
    let response = match accept(&provisioner, &name, request).await {
        Ok((organization, request)) => organization.oauth_token(request).await.unwrap_or_else(failed),
        Err(response) => response,
    };
    answer(response)
}

/// Answers any other method. The answer is JSON like every refusal here, so that a client can show it.
async fn only_post() -> Response<Body> {
    wrong_method("POST", "This endpoint accepts POST with a form (RFC 6749)")
}

async fn only_get() -> Response<Body> {
    wrong_method("GET, HEAD", "This document is read with GET")
}

fn wrong_method(allowed: &'static str, text: &str) -> Response<Body> {
    let mut response = answer(error(405, "invalid_request", text));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

async fn revoke(State(provisioner): State<Provisioner>, Path(name): Path<String>, request: Request) -> Response<Body> {
    let response = match accept(&provisioner, &name, request).await {
        Ok((organization, request)) => organization.oauth_revoke(request).await.unwrap_or_else(failed),
        Err(response) => response,
    };
    answer(response)
}

/// The metadata of an authorization server (RFC 8414). The document is the same for every possible name of an
/// organization, so that it does not reveal which exist.
async fn metadata(State(provisioner): State<Provisioner>, Path(issuer): Path<String>) -> Response<Body> {
    let Some(organization) = named(&provisioner, &issuer, "/oauth/") else {
        return answer(error(404, "not_found", "There is no such authorization server"));
    };
    let document = organization.oauth_metadata().await.map(|body| json(body.into_bytes()));
    answer(document.unwrap_or_else(failed))
}

/// The metadata of a connector URL (RFC 9728), which the challenge of a 401 names: it says where to get tokens. It is
/// the same for every name as well.
async fn resource_metadata(State(provisioner): State<Provisioner>, Path(resource): Path<String>) -> Response<Body> {
    let Some(organization) = named(&provisioner, &resource, SCIM_PATH) else {
        return answer(error(404, "not_found", "There is no such resource"));
    };
    let document = serde_json::json!({
        "resource": organization.connector_url(),
        "resource_name": "SCIM provisioning for Insomnia",
        "authorization_servers": [organization.oauth_issuer()],
        "scopes_supported": ["scim"],
        "bearer_methods_supported": ["header"],
    });
    answer(json(document.to_string().into_bytes()))
}

/// The organization whose URL has this path, without its first slash. The base URL's path may come before it, since the
/// well-known path is between host and path; a proxy may have removed it.
fn named(provisioner: &Provisioner, path: &str, below: &str) -> Option<Organization> {
    let path = format!("/{path}");
    let path = path.strip_prefix(path_of(provisioner.base_url())).unwrap_or(&path);
    let id = OrganizationId::parse(path.strip_prefix(below)?).ok()?;
    Some(Organization::stranger(provisioner.clone(), id))
}

fn json(body: Vec<u8>) -> OAuthResponse {
    OAuthResponse { status: 200, headers: vec![("content-type".into(), "application/json".into())], body }
}

/// The organization, and the request in the component's form.
async fn accept(
    provisioner: &Provisioner,
    name: &str,
    request: Request,
) -> Result<(Organization, OAuthRequest), OAuthResponse> {
    let (head, body) = request.into_parts();
    let full = || error(503, "temporarily_unavailable", "Too many requests at the same time");
    let bill = Bill::of(&head, provisioner.runtime().ledger()).map_err(|_| full())?;
    let body = body::read(&head.headers, body, MAX_FORM, &bill).await.map_err(|refusal| match refusal {
        BodyError::Busy => full(),
        BodyError::TooLarge => error(413, "invalid_request", "The form is too large"),
        BodyError::TooSlow => error(408, "invalid_request", "The form did not arrive in time"),
        BodyError::Broken => error(400, "invalid_request", "The form is broken"),
    })?;
    // An unknown organization answers as if the client were unknown, so that strangers do not learn which organizations
    // exist.
    let unknown = || error(401, "invalid_client", "The client or its secret is unknown");
    let organization = find(provisioner, name).await?.ok_or_else(unknown)?;
    Ok((organization, OAuthRequest { headers: forwarded(&head.headers), body, ..OAuthRequest::default() }))
}

async fn find(provisioner: &Provisioner, name: &str) -> Result<Option<Organization>, OAuthResponse> {
    let Ok(id) = OrganizationId::parse(name) else { return Ok(None) };
    match provisioner.find_organization(&id).await {
        Ok(found) => Ok(found),
        Err(why) => {
            error_hourly!("looks-up"; "the organization can't be looked up: {why}");
            Err(error(503, "temporarily_unavailable", "The storage is unavailable for the moment"))
        }
    }
}

fn failed(error_: CallError) -> OAuthResponse {
    match error_ {
        CallError::Deleted => error(401, "invalid_client", "The client or its secret is unknown"),
        CallError::Trap => error(500, "server_error", "An internal error occurred"),
        CallError::Busy | CallError::Deadline | CallError::Memory | CallError::Component => {
            error(503, "temporarily_unavailable", "Too many requests at the same time")
        }
    }
}

/// A refusal in the form of RFC 6749 §5.2; the texts have neither quotation marks nor backslashes.
fn error(status: u16, code: &str, description: &str) -> OAuthResponse {
    let mut headers = vec![
        ("cache-control".to_owned(), "no-store".to_owned()),
        ("pragma".to_owned(), "no-cache".to_owned()),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    match status {
        401 => headers.push(("www-authenticate".into(), "Basic realm=\"SCIM\"".into())),
        503 => headers.push(("retry-after".into(), "5".into())),
        _ => {}
    }
    let body = format!("{{\"error\":\"{code}\",\"error_description\":\"{description}\"}}").into_bytes();
    OAuthResponse { status, headers, body }
}

fn forwarded(headers: &HeaderMap) -> Vec<(String, String)> {
    let fields = [header::AUTHORIZATION, header::CONTENT_TYPE];
    let values = fields.iter().flat_map(|name| headers.get_all(name).iter().map(move |value| (name, value)));
    values.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect()
}

fn answer(response: OAuthResponse) -> Response<Body> {
    let mut answer = Response::new(Body::from(response.body));
    *answer.status_mut() = contained::status(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *answer.headers_mut() = contained::fields(response.headers);
    answer.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::try_from(request_id::next()) {
        answer.headers_mut().insert(&X_REQUEST_ID, id);
    }
    answer
}
