//! The SCIM page: in a real browser, and over HTTP where a browser would not let itself be used.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod accessibility;
mod browser;
mod exports;
mod journey;
mod keyboard;
mod organization;
mod sessions;
mod visitor;
