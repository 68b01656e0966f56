//! PATCH: operations are read once against the schema, then applied to a document in memory (RFC 7644 §3.5.2).

mod add;
mod apply;
mod element;
mod expand;
mod members;
mod parse;
mod path;
mod remove;
mod replace;
mod target;
#[cfg(test)]
mod tests;

pub use apply::{Outcome, apply, apply_shown};
pub use members::{Member, MemberChange};
pub use parse::{Operation, OperationKind, PatchRequest};
pub use path::PatchPath;
