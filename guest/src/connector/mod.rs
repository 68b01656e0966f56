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
pub use lifecycle::{
    ConnectorError, IssuedToken, Requirement, Status, TokenStatus, Window, disable, enable, refresh,
    refresh_as_operator, status, unmet_requirements,
};
pub use token::{Token, hexadecimal};
