//! The clients of an organization's OAuth 2.0 authorization server.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Access, PathParameter};
use super::input::{JsonBody, OptionalJsonBody, Query};
use super::listed::ListOf;
use super::organizations::ActorQuery;
use super::problem::Problem;
use crate::oauth::{ClientAssertion, IssuedOAuthClient, NewOAuthClient, OAuthClient, SecretWindow};

/// An OAuth 2.0 client to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewClient {
    /// The id or the email address of the owner or co-owner who acts. By default the owner acts.
    actor: Option<String>,
    /// The name that administrators see: 1 to 200 bytes.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Whether it may use the client credentials grant, as Microsoft Entra ID does.
    #[serde(default)]
    client_credentials: bool,
    /// Whether it may use the authorization code grant and refresh tokens, as Okta does.
    #[serde(default)]
    authorization_code: bool,
    /// The URLs to which authorization codes may be sent. They are compared exactly. A client with `authorization_code`
    /// has 1 to 10 of them, any other client none.
    #[serde(default)]
    #[schema(max_items = 10)]
    redirect_uris: Vec<String>,
    /// Whether the client has no secret. Then it must use PKCE, and can't use the client credentials grant.
    #[serde(default)]
    public: bool,
    /// The signed JWT that the client sends instead of a secret (RFC 7523). A public client can't have one.
    assertion: Option<ClientAssertion>,
    /// How long the client's secrets are valid. Default: one year. Administrators are warned before a secret expires.
    expires: Option<SecretWindow>,
    /// For how many minutes an access token is valid. Default: 120.
    #[schema(minimum = 60, maximum = 360)]
    access_token_minutes: Option<u32>,
}

/// The data to replace a client's secret.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    /// The id or the email address of the owner or co-owner who acts. By default the owner acts.
    actor: Option<String>,
    /// How long the new secret is valid. By default the last choice applies.
    expires: Option<SecretWindow>,
    /// For how many seconds the old secret is accepted beside the new one, but never after its own expiry.
    #[serde(default)]
    #[schema(maximum = 7_776_000, default = 0)]
    overlap_seconds: u32,
}

/// A client with its new secret, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedClient {
    /// The client.
    client: OAuthClient,
    /// The secret: `insm_cs_`, 43 characters of base62 and 6 of checksum; `null` for a client without one. No other
    /// answer contains it.
    secret: Option<String>,
    /// The issuer of the authorization server.
    issuer: String,
}

impl IssuedClient {
    fn new(access: &Access, issued: IssuedOAuthClient) -> Json<Self> {
        let issuer = access.organization.oauth_issuer();
        Json(Self { client: issued.client, secret: issued.secret, issuer })
    }
}

/// List OAuth 2.0 clients
///
/// The clients are in the order of their registration. An organization has at most 20.
#[utoipa::path(get, path = "/organizations/{organization}/oauth-clients", tag = "OAuth clients",
    responses((status = 200, description = "All clients.", body = ListOf<OAuthClient>)))]
pub(super) async fn list_oauth_clients(access: Access) -> Result<ListOf<OAuthClient>, Problem> {
    Ok(ListOf::whole(access.organization.oauth_clients().await?))
}

/// Register an OAuth 2.0 client
///
/// Only this answer shows the secret.
#[utoipa::path(post, path = "/organizations/{organization}/oauth-clients", tag = "OAuth clients",
    request_body = NewClient,
    responses((status = 201, description = "The client and its secret.", body = IssuedClient)))]
pub(super) async fn create_oauth_client(
    access: Access,
    JsonBody(new): JsonBody<NewClient>,
) -> Result<(StatusCode, Json<IssuedClient>), Problem> {
    let actor = access.actor(new.actor);
    let client = NewOAuthClient {
        name: new.name,
        client_credentials: new.client_credentials,
        authorization_code: new.authorization_code,
        redirect_uris: new.redirect_uris,
        public: new.public,
        assertion: new.assertion,
        secret_window: new.expires.unwrap_or_default(),
        access_token_minutes: new.access_token_minutes,
    };
    let issued = access.organization.create_oauth_client(&actor, client).await?;
    Ok((StatusCode::CREATED, IssuedClient::new(&access, issued)))
}

/// Give an OAuth 2.0 client a new secret
///
/// The old secret stops working at once, or after `overlap_seconds`; access tokens that were issued with it stay valid.
/// Only this answer shows the new secret.
#[utoipa::path(post, path = "/organizations/{organization}/oauth-clients/{client}/rotate", tag = "OAuth clients",
    request_body = Option<Rotate>,
    responses((status = 200, description = "The client and its new secret.", body = IssuedClient)))]
pub(super) async fn rotate_oauth_client(
    access: Access,
    PathParameter(client): PathParameter,
    OptionalJsonBody(body): OptionalJsonBody<Rotate>,
) -> Result<Json<IssuedClient>, Problem> {
    let actor = access.actor(body.actor);
    let organization = &access.organization;
    let issued = organization.rotate_oauth_client_secret(&actor, &client, body.expires, body.overlap_seconds).await?;
    Ok(IssuedClient::new(&access, issued))
}

/// Delete an OAuth 2.0 client
///
/// All grants and tokens of the client end with it.
#[utoipa::path(delete, path = "/organizations/{organization}/oauth-clients/{client}", tag = "OAuth clients",
    params(ActorQuery),
    responses((status = 204, description = "The client was deleted.")))]
pub(super) async fn delete_oauth_client(
    access: Access,
    PathParameter(client): PathParameter,
    Query(query): Query<ActorQuery>,
) -> Result<StatusCode, Problem> {
    let actor = access.actor(query.actor);
    access.organization.delete_oauth_client(&actor, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
