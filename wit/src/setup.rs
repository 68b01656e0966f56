//! Set-up links, for somebody who sets up the identity provider and is no owner.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::{ExpiryWindow, IdentityProvider};

/// A set-up link to make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct NewSetupLink {
    /// The link shows the steps for this identity provider. If SCIM is not enabled when the link is used, it is enabled for
    /// this one.
    #[cfg_attr(feature = "host", component(name = "identity-provider"))]
    pub identity_provider: IdentityProvider,
    /// How long the token will be valid; `None` means as long as the token before it, or 180 days if there is none.
    pub window: Option<ExpiryWindow>,
    /// How long the link is valid: 3,600 to 604,800 seconds, which is an hour to seven days.
    #[cfg_attr(feature = "host", component(name = "valid-seconds"))]
    pub valid_seconds: u32,
}

/// A set-up link and its state. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct SetupLink {
    /// A UUID. It names the link when the link is revoked.
    pub id: String,
    /// The identity provider whose steps it shows.
    #[cfg_attr(feature = "host", component(name = "identity-provider"))]
    pub identity_provider: IdentityProvider,
    /// How long the token will be valid; `None` means as long as the token before it, or 180 days if there is none.
    pub window: Option<ExpiryWindow>,
    /// When it was made.
    pub created: u64,
    /// The name of the member who made it, or `operator`.
    #[cfg_attr(feature = "host", component(name = "created-by"))]
    pub created_by: String,
    /// The time from which it is no longer valid.
    pub expires: u64,
    /// When it issued its token; `None` if it has not been used.
    pub used: Option<u64>,
    /// When it was revoked; `None` if it was not.
    pub revoked: Option<u64>,
}

/// A set-up link with its secret. The secret is shown only once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct IssuedSetupLink {
    /// The link.
    pub link: SetupLink,
    /// `insm_setup_`, 43 characters of base62 (256 bits) and 6 of checksum.
    pub token: String,
}

/// Omits the token, because debugging output ends up in logs.
impl std::fmt::Debug for IssuedSetupLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedSetupLink").field("link", &self.link).finish_non_exhaustive()
    }
}
