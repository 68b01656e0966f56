//! The server against what others wrote: a conformance suite, and another server that is asked the same.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod differential;
mod python;
mod tester;
