//! The automatic refresh of the token: access to the identity provider's API.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::access::Access;
use super::connector::ActorBody;
use super::input::{JsonBody, OptionalJsonBody, Query};
use super::organizations::ActorQuery;
use super::problem::Problem;
use crate::oauth::{IdpApi, OktaCredentials, RefreshStatus};
use crate::organization::oauth::{Address, addresses};

/// Access to an identity provider's API.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IdpApiBody {
    /// The id or the email address of the owner or co-owner who acts. By default the owner acts.
    actor: Option<String>,
    /// The query that the identity provider appends to the connector URL, such as Entra's `aadOptscim062020`.
    connector_query: Option<String>,
    /// The API, and the credentials for it. Secrets are encrypted before they are stored, and never shown.
    api: IdpApiAccess,
}

/// An identity provider's API, and the credentials for it.
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
    /// In national clouds: the URL that takes the place of `https://login.microsoftonline.com`.
    login_url: Option<String>,
    /// In national clouds: the URL that takes the place of `https://graph.microsoft.com`.
    graph_url: Option<String>,
}

/// Access to Okta's API.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OktaAccess {
    /// The URL of the Okta organization, such as `https://example.okta.com`.
    org_url: String,
    /// The application's id.
    app_id: String,
    /// An administrator's API token, or the key of a service application.
    credentials: OktaCredentialsBody,
}

/// Credentials for Okta's API.
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
    /// An EC key of the curve P-256, as the text of a JWK.
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

/// Look at the automatic refresh
#[utoipa::path(get, path = "/organizations/{organization}/connector/automatic-refresh", tag = "Automatic refresh",
    responses((status = 200, description = "The automatic refresh.", body = RefreshStatus)))]
pub(super) async fn get_automatic_refresh(access: Access) -> Result<Json<RefreshStatus>, Problem> {
    Ok(Json(access.organization.refresh_status().await?))
}

/// Configure access to the identity provider's API
///
/// An earlier configuration is replaced. From now on, tokens are refreshed automatically. If SCIM is enabled, the first
/// refresh begins at once, which shows whether the access works: look at the automatic refresh afterwards. A URL that
/// the server's policy for outgoing requests does not allow is refused.
#[utoipa::path(put, path = "/organizations/{organization}/connector/idp-api", tag = "Automatic refresh",
    request_body = IdpApiBody,
    responses((status = 200, description = "The access is configured.", body = RefreshStatus)))]
pub(super) async fn put_idp_api(
    access: Access,
    JsonBody(body): JsonBody<IdpApiBody>,
) -> Result<Json<RefreshStatus>, Problem> {
    let (actor, api) = (access.actor(body.actor), IdpApi::from(body.api));
    for Address { pointer, url, .. } in addresses(&api) {
        access.organization.permits(url).await.map_err(|error| Problem::at_place(error, pointer))?;
    }
    access.organization.configure_idp_api(&actor, api, body.connector_query.as_deref()).await?;
    if access.organization.status().await?.enabled {
        access.organization.refresh_by_idp_api(&actor).await?;
    }
    Ok(Json(access.organization.refresh_status().await?))
}

/// Forget the access to the identity provider's API
///
/// Existing tokens stay valid.
#[utoipa::path(delete, path = "/organizations/{organization}/connector/idp-api", tag = "Automatic refresh",
    params(ActorQuery),
    responses((status = 204, description = "The access is removed.")))]
pub(super) async fn delete_idp_api(access: Access, Query(query): Query<ActorQuery>) -> Result<StatusCode, Problem> {
    let actor = access.actor(query.actor);
    access.organization.remove_idp_api(&actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refresh the token over the identity provider's API now
///
/// This shows whether the access works: look at the automatic refresh afterwards.
#[utoipa::path(post, path = "/organizations/{organization}/connector/idp-api/try", tag = "Automatic refresh",
    request_body = Option<ActorBody>,
    responses((status = 202, description = "The refresh is due.", body = RefreshStatus)))]
pub(super) async fn try_idp_api(
    access: Access,
    OptionalJsonBody(body): OptionalJsonBody<ActorBody>,
) -> Result<(StatusCode, Json<RefreshStatus>), Problem> {
    let actor = access.actor(body.actor);
    access.organization.refresh_by_idp_api(&actor).await?;
    Ok((StatusCode::ACCEPTED, Json(access.organization.refresh_status().await?)))
}
