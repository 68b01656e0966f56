//! PATCH (RFC 7644 §3.5.2): operations are parsed once with the schema, and then applied to a document in memory.

mod add;
mod apply;
mod element;
mod expand;
mod members;
mod operation;
mod parse;
mod path;
mod remove;
mod replace;
mod target;
#[cfg(test)]
mod tests;

pub use apply::{Patched, apply};
pub use members::{MemberChange, member_id};
pub use operation::{Operation, OperationKind};
pub use parse::parse;
pub use path::PatchPath;
