//! The types of OAuth 2.0 for identity providers, and of the automatic refresh over an identity provider's API.

use serde::Serialize;
use utoipa::ToSchema;

/// An OAuth 2.0 client to register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewOAuthClient {
    /// What administrators call it: 1 to 200 bytes.
    pub name: String,
    /// Whether it may use the client credentials grant, as Microsoft Entra ID does.
    pub client_credentials: bool,
    /// Whether it may use the authorization code grant and refresh tokens, as Okta does.
    pub authorization_code: bool,
    /// Where authorization codes may be sent, compared exactly: 1 to 10 with `authorization_code`, else none.
    pub redirect_uris: Vec<String>,
    /// Without a secret: PKCE is required, client credentials are not possible.
    pub public: bool,
}

/// A registered OAuth 2.0 client. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OAuthClient {
    /// The `client_id`.
    pub id: String,
    /// What administrators call it.
    pub name: String,
    /// Whether it may use the client credentials grant.
    pub client_credentials: bool,
    /// Whether it may use the authorization code grant and refresh tokens.
    pub authorization_code: bool,
    /// Where authorization codes may be sent.
    pub redirect_uris: Vec<String>,
    /// Whether it has no secret.
    pub public: bool,
    /// When it was registered.
    pub created: u64,
    /// When its secret was generated; `None` for a public client.
    pub secret_created: Option<u64>,
    /// Until when the secret before is accepted beside it.
    pub overlap_until: Option<u64>,
}

/// A client with its new secret, shown once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedOAuthClient {
    /// The client.
    pub client: OAuthClient,
    /// `insm_cs_`, 43 characters of base62 (256 bits) and 6 of checksum; `None` for a public client.
    pub secret: Option<String>,
}

/// Without the secret: what is printed for debugging ends in logs.
impl std::fmt::Debug for IssuedOAuthClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedOAuthClient").field("client", &self.client).finish_non_exhaustive()
    }
}

/// A request of the token or revocation endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct OAuthRequest {
    /// At least `authorization` and `content-type`.
    pub headers: Vec<(String, String)>,
    /// A form.
    pub body: Vec<u8>,
}

/// A response of the token or revocation endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct OAuthResponse {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// JSON, or empty.
    pub body: Vec<u8>,
}

/// What a consent page shows to an owner or co-owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The `client_id`.
    pub client_id: String,
    /// What administrators call the client.
    pub client_name: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// `scim`: to provision this organization.
    pub scope: String,
    /// What [`crate::Organization::approve_consent`] takes; valid for ten minutes.
    pub request: String,
}

/// Why there is nothing to consent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizeRefusal {
    /// Nobody may be sent to where the request says: to be shown, with status 400.
    Page {
        /// The OAuth `error` code.
        code: String,
        /// What it means.
        description: String,
    },
    /// To be answered with a redirection to this URL, which carries the error.
    Redirect(String),
    /// The same call may succeed later.
    Unavailable(String),
}

/// Access to an identity provider's API, over which new tokens are installed. Its secret is sealed before it is stored, and
/// never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum IdpApi {
    /// Microsoft Graph, by client credentials.
    Entra {
        /// The tenant's id or domain.
        tenant_id: String,
        /// The application (client) id.
        client_id: String,
        /// The application's client secret.
        client_secret: String,
        /// The object id of the enterprise application's service principal.
        service_principal_id: String,
        /// Instead of `https://login.microsoftonline.com`, in national clouds.
        login_url: Option<String>,
        /// Instead of `https://graph.microsoft.com`, in national clouds.
        graph_url: Option<String>,
    },
    /// Okta's Application Connections API.
    Okta {
        /// Such as `https://example.okta.com`.
        org_url: String,
        /// The application's id.
        app_id: String,
        /// By what it is accessed.
        credentials: OktaCredentials,
    },
}

/// By what Okta's API is accessed.
#[derive(Clone, PartialEq, Eq)]
pub enum OktaCredentials {
    /// An administrator's API token.
    ApiToken(String),
    /// A service application with the scope `okta.apps.manage`, without DPoP.
    PrivateKey {
        /// Its client id.
        client_id: String,
        /// An EC key of the curve P-256 as a JWK.
        private_key: String,
    },
}

/// What is configured of an [`IdpApi`]; nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum IdpApiStatus {
    /// Microsoft Graph.
    Entra {
        /// The tenant's id or domain.
        tenant_id: String,
        /// The application (client) id.
        client_id: String,
        /// The object id of the enterprise application's service principal.
        service_principal_id: String,
        /// Where it signs in.
        login_url: String,
        /// Where Graph is.
        graph_url: String,
    },
    /// Okta.
    Okta {
        /// Such as `https://example.okta.com`.
        org_url: String,
        /// The application's id.
        app_id: String,
        /// The service application's; `None` for an API token.
        client_id: Option<String>,
    },
}

/// By what the credentials are renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshMethod {
    /// By nothing: the token is refreshed by hand.
    Manual,
    /// The identity provider renews its OAuth access tokens by itself.
    #[serde(rename = "oauth")]
    OAuth,
    /// A new token is installed over the identity provider's API.
    IdpApi,
}

/// How far the automatic refresh has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RefreshState {
    /// SCIM is disabled, or there is nothing that would refresh.
    Off,
    /// Nothing to do before the planned time.
    Scheduled,
    /// A new token is about to be installed; it is accepted beside the old one.
    Installing,
    /// The identity provider has accepted the new token; its first request with it is awaited.
    Verifying,
    /// The last attempt failed in a way that passes; it is tried again.
    Retrying,
    /// The identity provider accepted a token and never came with it; it is installed again.
    Unconfirmed,
    /// Somebody must correct what is configured; it is tried again, too.
    NeedsAttention,
}

/// The automatic refresh as it stands. Whatever failed, the old token works until it expires. Times are milliseconds since
/// the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefreshStatus {
    /// By what.
    pub method: RefreshMethod,
    /// How far.
    pub state: RefreshState,
    /// The API that is configured.
    pub idp_api: Option<IdpApiStatus>,
    /// When the next attempt is planned.
    pub next_attempt: Option<u64>,
    /// When the last attempt began.
    pub last_attempt: Option<u64>,
    /// When a request first arrived with a token that was installed in this way.
    pub last_success: Option<u64>,
    /// Failed attempts since.
    pub failures: u32,
    /// Why the last attempt failed, for administrators.
    pub problem: Option<String>,
    /// When a request was last authenticated by an OAuth access token, to the minute.
    pub oauth_last_used: Option<u64>,
}
