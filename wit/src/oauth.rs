//! OAuth 2.0 for identity providers.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Header;

/// An OAuth 2.0 client to register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct NewOAuthClient {
    /// What administrators call it: 1 to 200 bytes.
    pub name: String,
    /// Whether it may use the client credentials grant, as Microsoft Entra ID does.
    #[cfg_attr(feature = "host", component(name = "client-credentials"))]
    pub client_credentials: bool,
    /// Whether it may use the authorization code grant and refresh tokens, as Okta does.
    #[cfg_attr(feature = "host", component(name = "authorization-code"))]
    pub authorization_code: bool,
    /// Where authorization codes may be sent, compared exactly: 1 to 10 with `authorization_code`, else none.
    #[cfg_attr(feature = "host", component(name = "redirect-uris"))]
    pub redirect_uris: Vec<String>,
    /// Without a secret: PKCE is required, client credentials are not possible.
    pub public: bool,
}

/// A registered OAuth 2.0 client. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct OAuthClient {
    /// The `client_id`.
    pub id: String,
    /// What administrators call it.
    pub name: String,
    /// Whether it may use the client credentials grant.
    #[cfg_attr(feature = "host", component(name = "client-credentials"))]
    pub client_credentials: bool,
    /// Whether it may use the authorization code grant and refresh tokens.
    #[cfg_attr(feature = "host", component(name = "authorization-code"))]
    pub authorization_code: bool,
    /// Where authorization codes may be sent.
    #[cfg_attr(feature = "host", component(name = "redirect-uris"))]
    pub redirect_uris: Vec<String>,
    /// Whether it has no secret.
    pub public: bool,
    /// When it was registered.
    pub created: u64,
    /// When its secret was generated; `None` for a public client.
    #[cfg_attr(feature = "host", component(name = "secret-created"))]
    pub secret_created: Option<u64>,
    /// Until when the secret before is accepted beside it.
    #[cfg_attr(feature = "host", component(name = "overlap-until"))]
    pub overlap_until: Option<u64>,
}

/// A client with its new secret, shown once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
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
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct OAuthRequest {
    /// At least `authorization` and `content-type`. The case of names does not matter.
    pub headers: Vec<Header>,
    /// A form.
    pub body: Vec<u8>,
}

/// A response of the token or revocation endpoint.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct OAuthResponse {
    /// The status.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<Header>,
    /// JSON, or empty.
    pub body: Vec<u8>,
}

/// What a consent page shows to an owner or co-owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Consent {
    /// The `client_id`.
    #[cfg_attr(feature = "host", component(name = "client-id"))]
    pub client_id: String,
    /// What administrators call the client.
    #[cfg_attr(feature = "host", component(name = "client-name"))]
    pub client_name: String,
    /// Where the answer goes.
    #[cfg_attr(feature = "host", component(name = "redirect-uri"))]
    pub redirect_uri: String,
    /// `scim`: to provision this organization.
    pub scope: String,
    /// What approving and denying take; valid for ten minutes.
    pub request: String,
}

/// What to say on a page of the host's own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct PageError {
    /// The OAuth `error` code.
    pub code: String,
    /// What it means.
    pub description: String,
}

/// Why there is nothing to consent to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum AuthorizeRefusal {
    /// Nobody may be sent to where the request says: to be shown, with status 400.
    #[cfg_attr(feature = "host", component(name = "page"))]
    Page(PageError),
    /// To be answered with a redirection to this URL, which carries the error.
    #[cfg_attr(feature = "host", component(name = "redirect"))]
    Redirect(String),
    /// The same call may succeed later.
    #[cfg_attr(feature = "host", component(name = "unavailable"))]
    Unavailable(String),
}
