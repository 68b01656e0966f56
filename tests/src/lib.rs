//! Tests from outside: the server as a process, an HTTP client that sends exact bytes, and simulators of identity providers.
//!
//! Everything here talks to the built `insomnia-scim` binary over a socket and knows nothing of its inside. If an expectation
//! is not met, it panics with the whole request and response, so that the test fails with them.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

pub mod client;
pub mod component;
pub mod idp;
pub mod person;
pub mod pgbouncer;
pub mod postgres;
pub mod scim;
pub mod seed;
pub mod server;
mod wire;
