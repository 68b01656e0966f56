//! SCIM provisioning for Insomnia Enterprise as a WebAssembly component (`wit/`): protocol, rules, connector.
//!
//! A request falls straight down — [`protocol`] parses, [`endpoint`] joins, [`provisioning`] decides, [`store`] keeps — and
//! comes back once. Everything below this file is native Rust over the traits in [`capability`].

// Hand-written code is held to "forbid" by every native build. On wasm the bindings that wit-bindgen generates need
// `unsafe`, so there it is "deny" with one exception, `bindings`.
#![cfg_attr(not(target_family = "wasm"), forbid(unsafe_code))]
#![cfg_attr(test, allow(clippy::unreachable, reason = "a test may say what it relies on"))]

pub mod capability;
#[cfg(target_family = "wasm")]
mod component;
pub mod connector;
pub mod directory;
pub mod endpoint;
pub mod jobs;
pub mod journal;
mod jws;
pub mod opaque;
pub mod protocol;
pub mod provisioning;
mod retry_after;
pub mod rules;
mod secret;
mod sentence;
pub mod store;
pub mod streams;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod text;
mod url;
