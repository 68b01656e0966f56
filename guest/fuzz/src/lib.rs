//! What every input must keep to, for fuzzing and for the replay of the corpora in `cargo test`.
//!
//! Each module has a `check` that takes any bytes and panics where a rule is broken.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken rule is a failed test; one of the two crates that this file is part of uses only some of it"
)]

pub mod connector;
pub mod credential;
pub mod filter;
pub mod oauth;
pub mod patch;
pub mod path;
pub mod request;
pub mod samples;
