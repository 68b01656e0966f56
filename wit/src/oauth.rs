//! OAuth 2.0 for identity providers.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Header;
use crate::enumeration::enumeration;

enumeration! {
    /// How long a client's secret is valid, chosen when it is generated.
    pub enum SecretWindow {
        /// One year.
        Year1 = "year1" "1y",
        /// Two years.
        Years2 = "years2" "2y",
        /// Three years.
        Years3 = "years3" "3y",
        /// It does not expire.
        Never = "never" "never",
    }
}

impl SecretWindow {
    /// How many days a secret is valid; `None` means for ever.
    #[must_use]
    pub const fn days(self) -> Option<u32> {
        match self {
            Self::Year1 => Some(365),
            Self::Years2 => Some(730),
            Self::Years3 => Some(1_095),
            Self::Never => None,
        }
    }
}

/// The default: every identity provider's rules allow it.
impl Default for SecretWindow {
    fn default() -> Self {
        Self::Year1
    }
}

/// A client's proof of identity that replaces a secret (RFC 7523 section 2.2): a JWT that is signed with RS256 or ES256 by a
/// key of the client's key set. This is `private_key_jwt`, and the workload identity federation of Microsoft Entra ID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClientAssertion {
    /// The `iss` of the JWT. The default is the client's id, as in `private_key_jwt`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 2_000))]
    pub issuer: Option<String>,
    /// The `sub` of the JWT. The default is the client's id, as in `private_key_jwt`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 2_000))]
    pub subject: Option<String>,
    /// The only `aud` of the JWT. By default it is the issuer or the token endpoint of this authorization server.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(max_length = 2_000))]
    pub audience: Option<String>,
    /// The `https:` URL of the key set (RFC 7517).
    #[cfg_attr(feature = "host", component(name = "jwks-url"))]
    #[cfg_attr(feature = "openapi", schema(max_length = 2_000))]
    pub jwks_url: String,
}

/// An OAuth 2.0 client to register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct NewOAuthClient {
    /// The name that administrators give it: 1 to 200 bytes.
    pub name: String,
    /// Whether it may use the client credentials grant, as Microsoft Entra ID does.
    #[cfg_attr(feature = "host", component(name = "client-credentials"))]
    pub client_credentials: bool,
    /// Whether it may use the authorization code grant and refresh tokens, as Okta does.
    #[cfg_attr(feature = "host", component(name = "authorization-code"))]
    pub authorization_code: bool,
    /// The URLs to which authorization codes may be sent, compared exactly: 1 to 10 with `authorization_code`, else none.
    #[cfg_attr(feature = "host", component(name = "redirect-uris"))]
    pub redirect_uris: Vec<String>,
    /// Whether the client has no secret. Then it must use PKCE, and can't use client credentials.
    pub public: bool,
    /// A signed JWT instead of a secret. A public client can't have one.
    pub assertion: Option<ClientAssertion>,
    /// How long its secrets are valid.
    #[cfg_attr(feature = "host", component(name = "secret-window"))]
    pub secret_window: SecretWindow,
    /// For how many minutes an access token is valid: 60 to 360. `None` means 120.
    #[cfg_attr(feature = "host", component(name = "access-token-minutes"))]
    pub access_token_minutes: Option<u32>,
}

/// A registered OAuth 2.0 client. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct OAuthClient {
    /// The `client_id`.
    pub id: String,
    /// The name that administrators give it.
    pub name: String,
    /// Whether it may use the client credentials grant.
    #[cfg_attr(feature = "host", component(name = "client-credentials"))]
    pub client_credentials: bool,
    /// Whether it may use the authorization code grant and refresh tokens.
    #[cfg_attr(feature = "host", component(name = "authorization-code"))]
    pub authorization_code: bool,
    /// The URLs to which authorization codes may be sent.
    #[cfg_attr(feature = "host", component(name = "redirect-uris"))]
    pub redirect_uris: Vec<String>,
    /// Whether it has neither a secret nor a signed JWT.
    pub public: bool,
    /// Whether it is a client of the operator to which an administrator of this organization has agreed. Its secret comes from
    /// the operator. Deleting the client withdraws the consent.
    pub operator: bool,
    /// The signed JWT that it uses instead of a secret.
    pub assertion: Option<ClientAssertion>,
    /// When it was registered.
    pub created: u64,
    /// When its secret was generated; `None` if it has no secret of its own.
    #[cfg_attr(feature = "host", component(name = "secret-created"))]
    pub secret_created: Option<u64>,
    /// When its secret expires: from then on no token is issued for it. `None` means never.
    #[cfg_attr(feature = "host", component(name = "secret-expires"))]
    pub secret_expires: Option<u64>,
    /// Until when the previous secret is accepted beside it.
    #[cfg_attr(feature = "host", component(name = "overlap-until"))]
    pub overlap_until: Option<u64>,
    /// For how many minutes an access token is valid.
    #[cfg_attr(feature = "host", component(name = "access-token-minutes"))]
    pub access_token_minutes: u32,
    /// When the key set of its `assertion` was last fetched.
    #[cfg_attr(feature = "host", component(name = "keys-fetched"))]
    pub keys_fetched: Option<u64>,
    /// Why the last attempt to fetch the key set failed, for administrators.
    #[cfg_attr(feature = "host", component(name = "keys-problem"))]
    pub keys_problem: Option<String>,
}

/// A client with its new secret. The secret is shown only once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct IssuedOAuthClient {
    /// The client.
    pub client: OAuthClient,
    /// `insm_cs_`, 43 characters of base62 (256 bits) and 6 of checksum; `None` if the client has no secret.
    pub secret: Option<String>,
}

/// Omits the secret, because debugging output ends up in logs.
impl std::fmt::Debug for IssuedOAuthClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedOAuthClient").field("client", &self.client).finish_non_exhaustive()
    }
}

/// A client of the operator for all organizations. Each organization consents to it for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct OperatorClient {
    /// The `client_id`: a UUID in lower case.
    pub id: String,
    /// The name that the consent page shows.
    pub name: String,
    /// The URLs to which authorization codes may be sent, compared exactly.
    #[cfg_attr(feature = "host", component(name = "redirect-uris"))]
    pub redirect_uris: Vec<String>,
    /// SHA-256 of each secret that is accepted, in lower-case hexadecimal digits.
    #[cfg_attr(feature = "host", component(name = "secrets-sha256"))]
    pub secrets_sha256: Vec<String>,
}

/// A request to the token or the revocation endpoint.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct OAuthRequest {
    /// At least `authorization` and `content-type`. The case of names does not matter.
    pub headers: Vec<Header>,
    /// The body: a form.
    pub body: Vec<u8>,
    /// The issuer, the same as in the metadata. A JWT that authenticates a client must be meant for it.
    pub issuer: String,
    /// The clients of the operator.
    #[cfg_attr(feature = "host", component(name = "operator-clients"))]
    pub operator_clients: Vec<OperatorClient>,
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

/// The content of a consent page for an owner or a co-owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Consent {
    /// The `client_id`.
    #[cfg_attr(feature = "host", component(name = "client-id"))]
    pub client_id: String,
    /// The name that administrators give the client.
    #[cfg_attr(feature = "host", component(name = "client-name"))]
    pub client_name: String,
    /// The URL to which the answer goes.
    #[cfg_attr(feature = "host", component(name = "redirect-uri"))]
    pub redirect_uri: String,
    /// `scim`, which means to provision this organization.
    pub scope: String,
    /// The argument of approving and denying. It is valid for ten minutes.
    pub request: String,
}

/// The text for an error page of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct PageError {
    /// The OAuth `error` code.
    pub code: String,
    /// The description of the error.
    pub description: String,
}

/// Why there is nothing to which somebody could consent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum AuthorizeRefusal {
    /// The client or the URL for the answer is unknown, so nobody may be sent there. Show this error with status 400.
    #[cfg_attr(feature = "host", component(name = "page"))]
    Page(PageError),
    /// Answer with a redirection to this URL, which contains the error.
    #[cfg_attr(feature = "host", component(name = "redirect"))]
    Redirect(String),
    /// The storage can't be reached. The same call may succeed later.
    #[cfg_attr(feature = "host", component(name = "unavailable"))]
    Unavailable(String),
}
