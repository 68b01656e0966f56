//! RFC 7643, 7644 and 9865 as pure functions over JSON, without access to storage, tenants or the clock.

mod binary;
pub mod cursor;
pub mod discovery;
pub mod document;
pub mod error;
pub mod filter;
pub mod message;
pub mod mode;
pub mod patch;
pub mod path;
pub mod preference;
pub mod projection;
pub mod query;
pub mod route;
pub mod schema;
pub mod sort;
pub mod timestamp;
pub mod tolerance;
pub mod version;
