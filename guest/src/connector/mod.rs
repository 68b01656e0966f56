//! The connector: enables SCIM, issues tokens, and authenticates callers.
//!
//! | question | file |
//! |---|---|
//! | which requirements must be met before SCIM is enabled? | `requirements` |
//! | how is SCIM enabled and disabled? | `lifecycle` |
//! | who may act, and why is an act refused? | `actor`, `error` |
//! | how is a token replaced by hand, and when does it expire? | `token` |
//! | how is a token replaced automatically? | [`refresh`](mod@refresh) |
//! | how can somebody who is no owner set up the identity provider? | [`setup_link`] |
//! | which requests are authenticated? | `authenticate` |
//! | how do OAuth clients get their tokens? | [`oauth`] |

mod actor;
mod authenticate;
mod error;
#[cfg(test)]
mod fixture;
mod lifecycle;
pub mod oauth;
mod record;
pub mod refresh;
mod requirements;
pub mod setup_link;
mod token;

pub use authenticate::{Authenticated, Credential, Presented, Unauthenticated, authenticate, authenticate_again};
pub use error::ConnectorError;
pub use insomnia_scim_contract::{ExpiryWindow as Window, IdentityProvider, IssuedToken, Requirement, TokenStatus};
pub use lifecycle::{disable, enable, status};
pub use requirements::{unmet, unmet_requirements};
pub use token::{SOON, refresh, refresh_verified};
