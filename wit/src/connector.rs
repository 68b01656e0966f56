//! The SCIM connector: enabling, tokens, status.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
#[cfg(feature = "openapi")]
use utoipa::{PartialSchema, ToSchema};
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

/// The identity provider that a connector is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
#[serde(rename_all = "kebab-case")]
pub enum IdentityProvider {
    /// Okta.
    #[cfg_attr(feature = "host", component(name = "okta"))]
    Okta,
    /// Microsoft Entra ID.
    #[cfg_attr(feature = "host", component(name = "azure"))]
    Azure,
    /// PingFederate.
    #[cfg_attr(feature = "host", component(name = "ping-federate"))]
    PingFederate,
    /// Any other RFC 7644 client, by name.
    #[serde(untagged)]
    #[cfg_attr(feature = "host", component(name = "other"))]
    Other(String),
}

impl IdentityProvider {
    /// Its name in JSON and in text.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Okta => "okta",
            Self::Azure => "azure",
            Self::PingFederate => "ping-federate",
            Self::Other(name) => name,
        }
    }
}

/// The identity provider of this name. An unknown name is [`IdentityProvider::Other`].
impl From<&str> for IdentityProvider {
    fn from(name: &str) -> Self {
        match name {
            "okta" => Self::Okta,
            "azure" => Self::Azure,
            "ping-federate" => Self::PingFederate,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// A text. serde writes the untagged variant as it is, which a derived schema would not say.
#[cfg(feature = "openapi")]
impl PartialSchema for IdentityProvider {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "`okta`, `azure` (Microsoft Entra ID), `ping-federate`, or another RFC 7644 client by name.",
            ))
            .min_length(Some(1))
            .max_length(Some(100))
            .examples(["okta"])
            .into()
    }
}

#[cfg(feature = "openapi")]
impl ToSchema for IdentityProvider {}

enumeration! {
    /// How long a token is valid, chosen when it is generated.
    pub enum ExpiryWindow {
        /// 30 days.
        Days30 = "days30" "30d",
        /// 90 days.
        Days90 = "days90" "90d",
        /// 180 days.
        Days180 = "days180" "180d",
        /// One year.
        Year1 = "year1" "1y",
        /// Two years.
        Years2 = "years2" "2y",
        /// It does not expire.
        Never = "never" "never",
    }
}

impl ExpiryWindow {
    /// How many days a token is valid; `None` means for ever.
    #[must_use]
    pub const fn days(self) -> Option<u32> {
        match self {
            Self::Days30 => Some(30),
            Self::Days90 => Some(90),
            Self::Days180 => Some(180),
            Self::Year1 => Some(365),
            Self::Years2 => Some(730),
            Self::Never => None,
        }
    }
}

enumeration! {
    /// Whether the token is accepted now.
    pub enum TokenStatus {
        /// It is accepted.
        Valid = "valid",
        /// It is accepted, and 20 days or less are left.
        ExpiringSoon = "expiring-soon",
        /// Every SCIM request is answered 401 until the token is refreshed.
        Expired = "expired",
        /// SCIM is disabled, or was never enabled.
        Disabled = "disabled",
    }
}

/// A new token. It is shown only once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct IssuedToken {
    /// `insm_scim_`, 43 characters of base62 (256 bits) and 6 of checksum.
    pub token: String,
    /// When it expires; `None` means never.
    pub expires: Option<u64>,
}

/// Omits the token, because debugging output ends up in logs.
impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// The state of a connector. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct ConnectorStatus {
    /// Whether SCIM is enabled.
    pub enabled: bool,
    /// The identity provider for which it was enabled.
    #[cfg_attr(feature = "host", component(name = "identity-provider"))]
    pub identity_provider: Option<IdentityProvider>,
    /// How long its tokens are valid.
    pub window: Option<ExpiryWindow>,
    /// Whether the token is accepted now.
    pub status: TokenStatus,
    /// When the current token was generated.
    pub created: Option<u64>,
    /// When it expires; `None` means never.
    pub expires: Option<u64>,
    /// When it last authenticated a request, to the minute.
    #[cfg_attr(feature = "host", component(name = "last-used"))]
    pub last_used: Option<u64>,
    /// Until when the previous token is accepted beside it.
    #[cfg_attr(feature = "host", component(name = "overlap-until"))]
    pub overlap_until: Option<u64>,
    /// How many tokens there have been, this one included.
    pub generation: u32,
}
