//! The automatic refresh of tokens through an identity provider's API.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

/// Access to Microsoft Graph, by client credentials of an application that may set the secrets of this enterprise
/// application's provisioning.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct EntraApi {
    /// The tenant's id or domain.
    #[cfg_attr(feature = "host", component(name = "tenant-id"))]
    pub tenant_id: String,
    /// The application (client) id.
    #[cfg_attr(feature = "host", component(name = "client-id"))]
    pub client_id: String,
    /// The application's client secret.
    #[cfg_attr(feature = "host", component(name = "client-secret"))]
    pub client_secret: String,
    /// The object id of the enterprise application's service principal.
    #[cfg_attr(feature = "host", component(name = "service-principal-id"))]
    pub service_principal_id: String,
    /// For national clouds: the URL to use instead of `https://login.microsoftonline.com`.
    #[cfg_attr(feature = "host", component(name = "login-url"))]
    pub login_url: Option<String>,
    /// For national clouds: the URL to use instead of `https://graph.microsoft.com`.
    #[cfg_attr(feature = "host", component(name = "graph-url"))]
    pub graph_url: Option<String>,
}

/// Omits the secret, because debugging output ends up in logs.
impl std::fmt::Debug for EntraApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntraApi").field("tenant_id", &self.tenant_id).finish_non_exhaustive()
    }
}

/// An administrator's API token of Okta.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct OktaApiToken {
    /// The token.
    pub token: String,
}

/// Omits the token.
impl std::fmt::Debug for OktaApiToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OktaApiToken").finish_non_exhaustive()
    }
}

/// A service application of Okta with the scope `okta.apps.manage`, without DPoP.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct OktaPrivateKey {
    /// Its client id.
    #[cfg_attr(feature = "host", component(name = "client-id"))]
    pub client_id: String,
    /// An EC key of the curve P-256 as a JWK (RFC 7517).
    #[cfg_attr(feature = "host", component(name = "private-key"))]
    pub private_key: String,
}

/// Omits the key.
impl std::fmt::Debug for OktaPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OktaPrivateKey").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// The credentials for Okta's API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum OktaCredentials {
    /// An administrator's API token.
    #[cfg_attr(feature = "host", component(name = "api-token"))]
    ApiToken(OktaApiToken),
    /// A service application.
    #[cfg_attr(feature = "host", component(name = "private-key"))]
    PrivateKey(OktaPrivateKey),
}

/// Access to Okta's Application Connections API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct OktaApi {
    /// The URL of the Okta organization, such as `https://example.okta.com`.
    #[cfg_attr(feature = "host", component(name = "org-url"))]
    pub org_url: String,
    /// The application's id.
    #[cfg_attr(feature = "host", component(name = "app-id"))]
    pub app_id: String,
    /// The credentials.
    pub credentials: OktaCredentials,
}

/// Access to an identity provider's API, through which new tokens are installed. Its secret is encrypted before it is stored,
/// and never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum IdpApi {
    /// Microsoft Graph.
    #[cfg_attr(feature = "host", component(name = "entra"))]
    Entra(EntraApi),
    /// Okta.
    #[cfg_attr(feature = "host", component(name = "okta"))]
    Okta(OktaApi),
}

/// The configuration of an [`EntraApi`], without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(
    feature = "openapi",
    derive(ToSchema),
    schema(description = "What is configured of access to Microsoft Graph; nothing of it is secret.")
)]
pub struct EntraApiStatus {
    /// The tenant's id or domain.
    #[cfg_attr(feature = "host", component(name = "tenant-id"))]
    pub tenant_id: String,
    /// The application (client) id.
    #[cfg_attr(feature = "host", component(name = "client-id"))]
    pub client_id: String,
    /// The object id of the enterprise application's service principal.
    #[cfg_attr(feature = "host", component(name = "service-principal-id"))]
    pub service_principal_id: String,
    /// The URL for its sign-in.
    #[cfg_attr(feature = "host", component(name = "login-url"))]
    pub login_url: String,
    /// The URL of Microsoft Graph.
    #[cfg_attr(feature = "host", component(name = "graph-url"))]
    pub graph_url: String,
}

/// The configuration of an [`OktaApi`], without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(
    feature = "openapi",
    derive(ToSchema),
    schema(description = "What is configured of access to Okta; nothing of it is secret.")
)]
pub struct OktaApiStatus {
    /// The URL of the Okta organization, such as `https://example.okta.com`.
    #[cfg_attr(feature = "host", component(name = "org-url"))]
    pub org_url: String,
    /// The application's id.
    #[cfg_attr(feature = "host", component(name = "app-id"))]
    pub app_id: String,
    /// The id of the service application; `None` if an API token is used.
    #[cfg_attr(feature = "host", component(name = "client-id"))]
    pub client_id: Option<String>,
}

/// The configuration of an [`IdpApi`], without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum IdpApiStatus {
    /// Microsoft Graph.
    #[cfg_attr(feature = "host", component(name = "entra"))]
    Entra(#[cfg_attr(feature = "openapi", schema(inline))] EntraApiStatus),
    /// Okta.
    #[cfg_attr(feature = "host", component(name = "okta"))]
    Okta(#[cfg_attr(feature = "openapi", schema(inline))] OktaApiStatus),
}

enumeration! {
    /// How the credentials are renewed.
    pub enum RefreshMethod {
        /// The token is refreshed by hand.
        Manual = "manual",
        /// The identity provider renews its OAuth access tokens by itself.
        OAuth = "oauth",
        /// A new token is installed through the identity provider's API.
        IdpApi = "idp-api",
    }
}

enumeration! {
    /// How far the automatic refresh has come.
    pub enum RefreshState {
        /// SCIM is disabled, or no automatic refresh is configured.
        Off = "off",
        /// There is nothing to do before the planned time.
        Scheduled = "scheduled",
        /// A new token is about to be installed; it is accepted beside the old one.
        Installing = "installing",
        /// The identity provider has accepted the new token; its first request with it is awaited.
        Verifying = "verifying",
        /// The last attempt failed for a temporary reason. It is repeated.
        Retrying = "retrying",
        /// The identity provider accepted the token, but sent no request with it. The token is installed again.
        Unconfirmed = "unconfirmed",
        /// Somebody must correct the configuration. Until then the refresh is tried again and again.
        NeedsAttention = "needs-attention",
    }
}

/// The state of the automatic refresh. Whatever failed, the old token works until it expires. Times are milliseconds since the
/// Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct RefreshStatus {
    /// How the credentials are renewed.
    pub method: RefreshMethod,
    /// How far the refresh has come.
    pub state: RefreshState,
    /// The configured access to the identity provider's API.
    #[cfg_attr(feature = "host", component(name = "idp-api"))]
    pub idp_api: Option<IdpApiStatus>,
    /// When the next attempt is planned.
    #[cfg_attr(feature = "host", component(name = "next-attempt"))]
    pub next_attempt: Option<u64>,
    /// When the last attempt began.
    #[cfg_attr(feature = "host", component(name = "last-attempt"))]
    pub last_attempt: Option<u64>,
    /// When a request first arrived with a token that was installed in this way.
    #[cfg_attr(feature = "host", component(name = "last-success"))]
    pub last_success: Option<u64>,
    /// How many attempts have failed since then.
    pub failures: u32,
    /// Why the last attempt failed, for administrators.
    pub problem: Option<String>,
    /// When an OAuth access token last authenticated a request, to the minute.
    #[cfg_attr(feature = "host", component(name = "oauth-last-used"))]
    pub oauth_last_used: Option<u64>,
}
