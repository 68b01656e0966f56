//! The SCIM page: in a real browser, and over HTTP where a browser would not let itself be used.

mod acme;
mod api_keys;
mod browser;
mod changes;
mod exports;
mod header_fields;
mod host;
mod letter;
mod lists;
mod organization;
mod questions;
mod sessions;
mod setup_links;
pub(crate) mod visitor;
