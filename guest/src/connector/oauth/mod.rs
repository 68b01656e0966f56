//! OAuth 2.0 for connectors (RFC 6749, 7009, 7521, 7523, 7636, 8414): clients, grants and tokens of one organization.
//!
//! Two grants: client credentials, as Microsoft Entra ID uses them, and authorization codes with refresh tokens, as Okta
//! does. Everything is opaque and stored as hashes only. Every organization has its own storage, so that a client, a code
//! or a token of one is unknown to all others.
//!
//! A refresh token is `insm_rt_`, 22 characters that name the grant, 43 that change with every use, and 6 of checksum. So
//! the grant is found by the part that stays, and a token that was used before is recognised for as long as the grant
//! lives, without keeping the used ones.

mod answer;
mod assertion;
mod authorize;
mod clients;
mod consent;
mod credentials;
mod exchange;
mod form;
mod issue;
mod jwks;
mod key_set;
mod metadata;
mod operator;
mod pkce;
mod revoke;
#[cfg(test)]
mod tests;

pub use authorize::{approve, authorize_request, deny};
pub(crate) use clients::sweep;
pub use clients::{create, delete, list, rotate_secret};
pub use exchange::token;
pub use insomnia_scim_contract::{
    AuthorizeRefusal, ClientAssertion, Consent, IssuedOAuthClient as IssuedClient, NewOAuthClient as NewClient,
    OAuthRequest, OAuthResponse, OperatorClient, SecretWindow,
};
pub use metadata::metadata;
pub use revoke::revoke;

/// The one scope: to provision this organization.
pub const SCOPE: &str = "scim";
/// What an access token begins with.
pub const ACCESS_PREFIX: &str = "insm_at_";
/// What a refresh token begins with.
pub const REFRESH_PREFIX: &str = "insm_rt_";
/// What an authorization code begins with.
pub const CODE_PREFIX: &str = "insm_ac_";
/// What a client secret begins with.
pub const SECRET_PREFIX: &str = "insm_cs_";

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 24 * 60 * MINUTE;
/// For how many minutes an access token may be valid. Microsoft Entra ID takes 1 to 6 hours.
pub const ACCESS_MINUTES: std::ops::RangeInclusive<u32> = 60..=360;
/// For how many minutes it is valid where nobody chose: well inside the bounds, since Entra rounds down before it compares.
const DEFAULT_ACCESS_MINUTES: u32 = 120;
/// The longest that an access token is valid, in milliseconds.
pub const LONGEST_ACCESS: u64 = *ACCESS_MINUTES.end() as u64 * MINUTE;
/// How long an authorization code is valid, in milliseconds.
const CODE_LIFE: u64 = 60 * SECOND;
/// How long a grant lives on without use, in milliseconds.
const GRANT_LIFE: u64 = 90 * DAY;
