//! The types of an organization's SCIM connector: enabling, tokens, status.

pub use insomnia_scim_contract::{ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken, TokenStatus};
