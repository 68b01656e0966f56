//! The connector: enabling, tokens, and who may call.

mod authenticate;
#[cfg(test)]
mod fixture;
mod lifecycle;
pub mod oauth;
pub mod refresh;
mod token;
mod url;

pub use authenticate::{Authenticated, Credential, Unauthenticated, access_token_hash, authenticate};
pub use insomnia_scim_contract::{ExpiryWindow as Window, IdentityProvider, IssuedToken, Requirement, TokenStatus};
pub use lifecycle::{ConnectorError, disable, enable, refresh, status, unmet_requirements};
pub use token::{Token, hexadecimal};
