//! The connector: enabling, tokens, and who may call.

mod authenticate;
mod lifecycle;
mod token;

pub use authenticate::{Authenticated, Unauthenticated, authenticate};
pub use lifecycle::{
    ConnectorError, IssuedToken, Requirement, Status, TokenStatus, Window, disable, enable, refresh,
    refresh_as_operator, status, unmet_requirements,
};
pub use token::{Token, hexadecimal};
