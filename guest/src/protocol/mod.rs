//! RFC 7643, 7644 and 9865 as pure functions over JSON: knows no storage, no tenant, no clock.

pub mod error;
pub mod path;
pub mod schema;
