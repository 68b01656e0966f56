//! The SCIM page: in a real browser, and over HTTP where a browser would not let itself be used.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod acme;
mod browser;
mod examine;
mod host;
mod letter;
mod organization;
mod views;
mod visitor;
