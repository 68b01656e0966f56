//! The types of an organization's SCIM connector: enabling, tokens, status.

use serde::{Deserialize, Serialize};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The identity provider that a connector is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityProvider {
    /// Okta.
    Okta,
    /// Microsoft Entra ID.
    Azure,
    /// PingFederate.
    PingFederate,
    /// Any other RFC 7644 client, by name.
    #[serde(untagged)]
    Other(String),
}

/// A text: serde writes the untagged variant as it is, which a derived schema would not say.
impl PartialSchema for IdentityProvider {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "`okta`, `azure` (Microsoft Entra ID), `ping-federate`, or another RFC 7644 client by name.",
            ))
            .examples(["okta"])
            .into()
    }
}

impl ToSchema for IdentityProvider {}

/// How long a token is valid, chosen when it is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ExpiryWindow {
    /// 30 days.
    #[serde(rename = "30d")]
    Days30,
    /// 90 days.
    #[serde(rename = "90d")]
    Days90,
    /// 180 days.
    #[serde(rename = "180d")]
    Days180,
    /// One year.
    #[serde(rename = "1y")]
    Year1,
    /// Two years.
    #[serde(rename = "2y")]
    Years2,
    /// It does not expire.
    #[serde(rename = "never")]
    Never,
}

/// What the token is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenStatus {
    /// It is accepted.
    Valid,
    /// It is accepted, and 20 days or less are left.
    ExpiringSoon,
    /// Every SCIM request is answered 401 until the token is refreshed.
    Expired,
    /// SCIM is disabled, or was never enabled.
    Disabled,
}

/// A new token, shown once: only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// `insm_scim_`, 43 characters of base62 (256 bits) and 6 of checksum.
    pub token: String,
    /// When it expires, in milliseconds since the Unix epoch; `None` for never.
    pub expires: Option<u64>,
}

/// Without the token: what is printed for debugging ends in logs.
impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedToken").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// A connector as it stands. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConnectorStatus {
    /// Whether SCIM is enabled.
    pub enabled: bool,
    /// What it was enabled for.
    pub identity_provider: Option<IdentityProvider>,
    /// How long its tokens are valid.
    pub window: Option<ExpiryWindow>,
    /// What the token is worth now.
    pub status: TokenStatus,
    /// When the current token was generated.
    pub created: Option<u64>,
    /// When it expires; `None` for never.
    pub expires: Option<u64>,
    /// When a request was last authenticated by it, to the minute.
    pub last_used: Option<u64>,
    /// Until when the previous token is accepted beside it.
    pub overlap_until: Option<u64>,
    /// How many tokens there were, this one included.
    pub generation: u32,
}
