//! The types of an organization's SCIM connector: enabling, tokens, status.

pub use insomnia_scim_contract::{ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken, TokenStatus};

/// How long a token is valid where nobody has chosen: the same on the SCIM page, in the admin API and on the command line.
pub const DEFAULT_EXPIRY: ExpiryWindow = ExpiryWindow::Days180;
