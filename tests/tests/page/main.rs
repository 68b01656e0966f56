//! The SCIM page: in a real browser, and over HTTP where a browser would not let itself be used.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod acme;
mod browser;
mod changes;
mod consent;
mod examine;
mod exports;
mod header_fields;
mod host;
mod journey;
mod keyboard;
mod letter;
mod organization;
mod pictures;
mod reset;
mod sessions;
mod views;
mod visitor;
