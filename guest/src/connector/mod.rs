//! The connector: enabling, tokens, and who may call.

mod authenticate;
#[cfg(test)]
mod fixture;
mod lifecycle;
pub mod oauth;
pub mod refresh;
pub mod setup_link;

pub use authenticate::{Authenticated, Credential, Presented, Unauthenticated, authenticate, authenticate_again};
pub use insomnia_scim_contract::{ExpiryWindow as Window, IdentityProvider, IssuedToken, Requirement, TokenStatus};
pub use lifecycle::{
    ConnectorError, SOON, disable, enable, refresh, refresh_verified, status, unmet, unmet_requirements,
};
