//! Streams of SCIM events (RFC 9967): receivers are told what happens to users and groups by Security Event Tokens (RFC 8417),
//! which are pushed to them (RFC 8935) or which they ask for (RFC 8936).
//!
//! | question | file |
//! |---|---|
//! | which streams are there, and who adds and removes them? | `manage` |
//! | what do tokens say? | [`provisioning`](crate::provisioning), in the commit of the change |
//! | what does a token look like, and which key signs it? | `token`, `keys` |
//! | how does a receiver ask for tokens? | `poll` |
//! | how are tokens pushed? | [`jobs`](crate::jobs) |
//! | what came of asynchronous requests? | [`endpoint`](crate::endpoint) |

mod error;
mod keys;
mod manage;
mod poll;
#[cfg(test)]
mod tests;
mod token;

pub use error::StreamError;
pub(crate) use keys::{Signer, SignerError};
pub use keys::{key_set, rotate_signing_key};
pub use manage::{add, list, remove, rotate_token};
pub use poll::poll;
pub(crate) use token::token;
