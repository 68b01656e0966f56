//! The log of SCIM requests (rule P5).

mod entry;
mod search;

pub use entry::{Entry, Note, Subject};
pub use search::{LogPage, LogQuery, search};
