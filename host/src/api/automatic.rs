//! The automatic refresh: access to the identity provider's API, and the clients of OAuth 2.0.

use axum::Json as Answer;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::{Access, Named};
use super::connector::ActorBody;
use super::input::{Json, OptionalJson, Query};
use super::listed::ListOf;
use super::organizations::ActorQuery;
use super::problem::Problem;
use crate::oauth::{IdpApi, IssuedOAuthClient, NewOAuthClient, OAuthClient, OktaCredentials, RefreshStatus};

/// Access to an identity provider's API.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdpApiBody {
    /// The id or the email address of the owner or co-owner who acts; the owner if nobody is named.
    actor: Option<String>,
    /// What the identity provider has after the connector URL as a query, such as Entra's `aadOptscim062020`.
    connector_query: Option<String>,
    /// Which API, and by what it is accessed. Secrets are sealed before they are stored, and never shown.
    api: IdpApiAccess,
}

/// Which API, and by what it is accessed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum IdpApiAccess {
    /// Microsoft Graph, by client credentials.
    Entra(EntraAccess),
    /// Okta's Application Connections API.
    Okta(OktaAccess),
}

/// Access to Microsoft Graph.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EntraAccess {
    /// The tenant's id or domain.
    tenant_id: String,
    /// The application (client) id.
    client_id: String,
    /// The application's client secret.
    #[schema(format = Password)]
    client_secret: String,
    /// The object id of the enterprise application's service principal.
    service_principal_id: String,
    /// Instead of `https://login.microsoftonline.com`, in national clouds.
    login_url: Option<String>,
    /// Instead of `https://graph.microsoft.com`, in national clouds.
    graph_url: Option<String>,
}

/// Access to Okta's API.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OktaAccess {
    /// Such as `https://example.okta.com`.
    org_url: String,
    /// The application's id.
    app_id: String,
    /// An administrator's API token, or the key of a service application.
    credentials: OktaCredentialsBody,
}

/// By what Okta's API is accessed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OktaCredentialsBody {
    /// An administrator's API token.
    ApiToken(String),
    /// A service application with the scope `okta.apps.manage`, without DPoP.
    PrivateKey(OktaPrivateKey),
}

/// The key of a service application of Okta.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OktaPrivateKey {
    /// Its client id.
    client_id: String,
    /// An EC key of the curve P-256 as a JWK, in a text.
    #[schema(format = Password)]
    private_key: String,
}

impl From<IdpApiAccess> for IdpApi {
    fn from(access: IdpApiAccess) -> Self {
        match access {
            IdpApiAccess::Entra(entra) => Self::Entra(crate::oauth::EntraApi {
                tenant_id: entra.tenant_id,
                client_id: entra.client_id,
                client_secret: entra.client_secret,
                service_principal_id: entra.service_principal_id,
                login_url: entra.login_url,
                graph_url: entra.graph_url,
            }),
            IdpApiAccess::Okta(okta) => Self::Okta(crate::oauth::OktaApi {
                org_url: okta.org_url,
                app_id: okta.app_id,
                credentials: match okta.credentials {
                    OktaCredentialsBody::ApiToken(token) => {
                        OktaCredentials::ApiToken(crate::oauth::OktaApiToken { token })
                    }
                    OktaCredentialsBody::PrivateKey(OktaPrivateKey { client_id, private_key }) => {
                        OktaCredentials::PrivateKey(crate::oauth::OktaPrivateKey { client_id, private_key })
                    }
                },
            }),
        }
    }
}

/// An OAuth 2.0 client to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewClient {
    /// The id or the email address of the owner or co-owner who acts; the owner if nobody is named.
    actor: Option<String>,
    /// What administrators call it: 1 to 200 bytes.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Whether it may use the client credentials grant, as Microsoft Entra ID does.
    #[serde(default)]
    client_credentials: bool,
    /// Whether it may use the authorization code grant and refresh tokens, as Okta does.
    #[serde(default)]
    authorization_code: bool,
    /// Where authorization codes may be sent, compared exactly: 1 to 10 with `authorization_code`, else none.
    #[serde(default)]
    #[schema(max_items = 10)]
    redirect_uris: Vec<String>,
    /// Without a secret: PKCE is required, client credentials are not possible.
    #[serde(default)]
    public: bool,
}

/// How a client's secret is replaced.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    /// The id or the email address of the owner or co-owner who acts; the owner if nobody is named.
    actor: Option<String>,
    /// For how many seconds the old secret is accepted beside the new one.
    #[serde(default)]
    #[schema(maximum = 86_400, default = 0)]
    overlap_seconds: u32,
}

/// A client with its new secret, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedClient {
    /// The client.
    client: OAuthClient,
    /// `insm_cs_`, 43 characters of base62 and 6 of checksum; `null` for a public client. It is in no other answer.
    secret: Option<String>,
    /// The issuer of the authorization server.
    issuer: String,
}

impl IssuedClient {
    fn new(access: &Access, issued: IssuedOAuthClient) -> Answer<Self> {
        let issuer = access.organization.oauth_issuer();
        Answer(Self { client: issued.client, secret: issued.secret, issuer })
    }
}

/// Look at the automatic refresh
#[utoipa::path(get, path = "/organizations/{organization}/connector/automatic-refresh", tag = "Automatic refresh",
    responses((status = 200, description = "The automatic refresh.", body = RefreshStatus)))]
pub(super) async fn get_automatic_refresh(access: Access) -> Result<Answer<RefreshStatus>, Problem> {
    Ok(Answer(access.organization.refresh_status().await?))
}

/// Configure access to the identity provider's API
///
/// In place of what was configured: from then on tokens are refreshed automatically.
#[utoipa::path(put, path = "/organizations/{organization}/connector/idp-api", tag = "Automatic refresh",
    request_body = IdpApiBody,
    responses((status = 200, description = "It is configured.", body = RefreshStatus)))]
pub(super) async fn put_idp_api(
    access: Access,
    Json(body): Json<IdpApiBody>,
) -> Result<Answer<RefreshStatus>, Problem> {
    let actor = access.actor(body.actor);
    access.organization.configure_idp_api(&actor, body.api.into(), body.connector_query.as_deref()).await?;
    Ok(Answer(access.organization.refresh_status().await?))
}

/// Forget the access to the identity provider's API
///
/// Tokens stay as they are.
#[utoipa::path(delete, path = "/organizations/{organization}/connector/idp-api", tag = "Automatic refresh",
    params(ActorQuery),
    responses((status = 204, description = "It is forgotten.")))]
pub(super) async fn delete_idp_api(access: Access, Query(query): Query<ActorQuery>) -> Result<StatusCode, Problem> {
    let actor = access.actor(query.actor);
    access.organization.remove_idp_api(&actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refresh the token over the identity provider's API now
///
/// It shows whether the access works: look at the automatic refresh afterwards.
#[utoipa::path(post, path = "/organizations/{organization}/connector/idp-api/try", tag = "Automatic refresh",
    request_body = Option<ActorBody>,
    responses((status = 202, description = "The refresh is due.", body = RefreshStatus)))]
pub(super) async fn try_idp_api(
    access: Access,
    OptionalJson(body): OptionalJson<ActorBody>,
) -> Result<(StatusCode, Answer<RefreshStatus>), Problem> {
    let actor = access.actor(body.actor);
    access.organization.refresh_by_idp_api(&actor).await?;
    Ok((StatusCode::ACCEPTED, Answer(access.organization.refresh_status().await?)))
}

/// List OAuth 2.0 clients
///
/// In the order of their registration; an organization has 20 at the most.
#[utoipa::path(get, path = "/organizations/{organization}/oauth-clients", tag = "OAuth clients",
    responses((status = 200, description = "All clients.", body = ListOf<OAuthClient>)))]
pub(super) async fn list_oauth_clients(access: Access) -> Result<ListOf<OAuthClient>, Problem> {
    Ok(ListOf::whole(access.organization.oauth_clients().await?))
}

/// Register an OAuth 2.0 client
///
/// The secret is shown this once.
#[utoipa::path(post, path = "/organizations/{organization}/oauth-clients", tag = "OAuth clients",
    request_body = NewClient,
    responses((status = 201, description = "The client and its secret.", body = IssuedClient)))]
pub(super) async fn create_oauth_client(
    access: Access,
    Json(new): Json<NewClient>,
) -> Result<(StatusCode, Answer<IssuedClient>), Problem> {
    let actor = access.actor(new.actor);
    let client = NewOAuthClient {
        name: new.name,
        client_credentials: new.client_credentials,
        authorization_code: new.authorization_code,
        redirect_uris: new.redirect_uris,
        public: new.public,
    };
    let issued = access.organization.create_oauth_client(&actor, client).await?;
    Ok((StatusCode::CREATED, IssuedClient::new(&access, issued)))
}

/// Give an OAuth 2.0 client a new secret
///
/// The old one stops at once, or after `overlap_seconds`; what was issued with it stays valid. The new one is shown this
/// once.
#[utoipa::path(post, path = "/organizations/{organization}/oauth-clients/{client}/rotate", tag = "OAuth clients",
    request_body = Option<Rotate>,
    responses((status = 200, description = "The client and its new secret.", body = IssuedClient)))]
pub(super) async fn rotate_oauth_client(
    access: Access,
    Named(client): Named,
    OptionalJson(body): OptionalJson<Rotate>,
) -> Result<Answer<IssuedClient>, Problem> {
    let actor = access.actor(body.actor);
    let issued = access.organization.rotate_oauth_client_secret(&actor, &client, body.overlap_seconds).await?;
    Ok(IssuedClient::new(&access, issued))
}

/// Delete an OAuth 2.0 client
///
/// With all that was granted and issued to it.
#[utoipa::path(delete, path = "/organizations/{organization}/oauth-clients/{client}", tag = "OAuth clients",
    params(ActorQuery),
    responses((status = 204, description = "It was deleted.")))]
pub(super) async fn delete_oauth_client(
    access: Access,
    Named(client): Named,
    Query(query): Query<ActorQuery>,
) -> Result<StatusCode, Problem> {
    let actor = access.actor(query.actor);
    access.organization.delete_oauth_client(&actor, &client).await?;
    Ok(StatusCode::NO_CONTENT)
}
