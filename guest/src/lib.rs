//! SCIM provisioning for Insomnia Enterprise as a WebAssembly component (`wit/`).
//!
//! A request passes the modules in one direction: [`protocol`] parses it, [`endpoint`] calls [`provisioning`], which
//! decides, and [`store`] writes. The answer goes back the same way once. All code except `component` is native Rust
//! that uses the traits in [`capability`].

// Native builds forbid `unsafe` in all hand-written code. On wasm the code that wit-bindgen generates needs it, so
// there the level is "deny", with the one exception `bindings`.
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
