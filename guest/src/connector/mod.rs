//! The connector: enabling, tokens, and who may call.

mod authenticate;
#[cfg(test)]
mod fixture;
mod lifecycle;
pub mod oauth;
pub mod refresh;

pub use authenticate::{Authenticated, Credential, Presented, Unauthenticated, authenticate};
pub use lifecycle::{
    ConnectorError, IssuedToken, Requirement, Status, TokenStatus, Window, disable, enable, refresh,
    refresh_as_operator, status, unmet_requirements,
};
