//! The SCIM page: in a real browser and, for requests that a browser would not send, over HTTP.

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
