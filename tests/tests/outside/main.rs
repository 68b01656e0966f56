//! The server as identity providers and their administrators see it: everything here goes over a socket.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod commands;
mod concurrency;
mod durability;
mod entra;
mod harness;
mod hostile;
mod okta;
mod okta_spec;
mod options;
mod other_providers;
mod rfc_attributes;
mod rfc_bulk;
mod rfc_create;
mod rfc_delete;
mod rfc_discovery;
mod rfc_filter;
mod rfc_filter_syntax;
mod rfc_other;
mod rfc_paging;
mod rfc_patch;
mod rfc_patch_values;
mod rfc_projection;
mod rfc_put;
mod rfc_query;
mod rfc_resources;
mod rfc_search;
mod rfc_sort;
mod rfc_transport;
mod rfc_versions;
mod tenancy;
mod tolerance_bodies;
mod tolerance_patch;
mod tolerance_requests;
mod withstand;
