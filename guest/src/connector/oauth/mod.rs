//! OAuth 2.0 for connectors (RFC 6749, 7009, 7521, 7523, 7636, 8414): the clients, grants and tokens of one
//! organization.
//!
//! There are two grants: client credentials, which Microsoft Entra ID uses, and authorization codes with refresh
//! tokens, which Okta uses. Codes and tokens are random strings, and only their hashes are stored. Every organization
//! has its own storage, so a client, a code or a token of one organization is unknown in all others.
//!
//! A refresh token consists of `insm_rt_`, 22 characters that name the grant, 43 characters that change with every use,
//! and 6 of checksum. The grant is found by the constant part. So a used token is recognised as long as the grant
//! exists, although used tokens are not stored.

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

/// The only scope: it allows a client to provision this organization.
pub const SCOPE: &str = "scim";
/// The prefix of an access token.
pub const ACCESS_PREFIX: &str = "insm_at_";
/// The prefix of a refresh token.
pub const REFRESH_PREFIX: &str = "insm_rt_";
/// The prefix of an authorization code.
pub const CODE_PREFIX: &str = "insm_ac_";
/// The prefix of a client secret.
pub const SECRET_PREFIX: &str = "insm_cs_";

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 24 * 60 * MINUTE;
/// For how many minutes an access token may be valid. Microsoft Entra ID accepts 1 to 6 hours.
pub const ACCESS_MINUTES: std::ops::RangeInclusive<u32> = 60..=360;
/// For how many minutes an access token is valid by default: well inside the bounds, since Entra rounds down before it
/// compares.
const DEFAULT_ACCESS_MINUTES: u32 = 120;
/// The longest that an access token is valid, in milliseconds.
pub const LONGEST_ACCESS: u64 = *ACCESS_MINUTES.end() as u64 * MINUTE;
/// How long an authorization code is valid, in milliseconds.
const CODE_LIFE: u64 = 60 * SECOND;
/// How long a grant is valid without use, in milliseconds.
const GRANT_LIFE: u64 = 90 * DAY;
