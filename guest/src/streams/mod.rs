//! Streams of SCIM events (RFC 9967): Security Event Tokens (RFC 8417) report changes of users and groups to receivers.
//! Tokens are pushed to a receiver (RFC 8935), or the receiver polls for them (RFC 8936).
//!
//! | question | file |
//! |---|---|
//! | which streams are there, and who adds and removes them? | `manage` |
//! | what is in the tokens? | [`provisioning`](crate::provisioning), in the commit of the change |
//! | which form does a token have, and which key signs it? | `token`, `keys` |
//! | how does a receiver poll for tokens? | `poll` |
//! | how are tokens pushed? | [`jobs`](crate::jobs) |
//! | what is the result of an asynchronous request? | [`endpoint`](crate::endpoint) |

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
