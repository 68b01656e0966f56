//! All tests from outside are one executable, because each executable has to link wasmtime and Cranelift again.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod api;
mod capabilities;
mod conformance;
mod contract;
mod dice;
mod embedding;
mod growth;
mod house;
mod outside;
mod page;
mod postgres;
mod python;
mod rules;
mod storage_conformance;
mod storage_data;
