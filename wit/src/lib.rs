//! The types of the contract, once in Rust: every record, variant and enumeration that `wit/*.wit` declares in an interface
//! named `…-types`, and that the component and its host share.
//!
//! Both binding generators are told to use these types instead of making their own (`with`): wit-bindgen in
//! `guest/src/component/bindings.rs`, wasmtime in `host/src/component/bindings.rs`. Therefore a new field of a record is one line
//! in WIT, one line here, and its use. If the two differ, the guest does not compile, or the host's first look at the component
//! fails: names, order and types of fields and cases are compared.
//!
//! - A generator replaces the types of an interface without functions only, so each topic has two interfaces in WIT: its
//!   types (`directory-types`) and its functions (`directory`).
//! - In JSON (the admin API, the command line, stored documents) the types look as their `serde` attributes say. Enumerations have the
//!   same names in JSON, in text (`FromStr`, `Display`) and in WIT, except where the documentation of one says otherwise.
//! - The feature `host` adds wasmtime's traits, `openapi` the schemas of the OpenAPI document. The component is built with neither,
//!   so that wasmtime is never compiled for it.
//!
//! All times are milliseconds since the Unix epoch.

mod enumeration;
mod guard;

pub use enumeration::UnknownName;
pub use guard::{Decision, Guard, GuardStatus, HeldRemoval, Removal};
