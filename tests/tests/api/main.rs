//! The admin API over HTTP, against the server process.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod caller;
mod connector;
mod document;
mod guard;
mod idempotency;
mod journal;
mod keys;
mod organizations;
mod pages;
mod people;
mod problems;
#[path = "../conformance/python.rs"]
mod python;
mod schemathesis;
