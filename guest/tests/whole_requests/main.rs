//! Whole requests to the component, natively, over a host in memory: rules that hold for any of them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed expectation is a failed test"
)]

#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

mod any_request;
mod corpus;
mod indexes;
mod projection;
mod resources;
mod rules;
mod sequences;
mod strangers;
mod undoing;

use fuzz::connector::{Answer, Connector};
use insomnia_scim_guest::store::Options;

/// A connector with seats for everybody.
fn connector() -> Connector {
    Connector::new(10_000, Options::default())
}

/// A value in a query.
fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
