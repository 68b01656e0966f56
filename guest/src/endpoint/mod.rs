//! The endpoints of RFC 7644: each joins the protocol to provisioning, and answers.
//!
//! A request passes `dispatch`, which asks `admission` who calls and `routing` which endpoint serves it. What can be done
//! to a resource is written once in `resource`; `users`, `groups` and `declared` say what is special about their type. A
//! request and an operation of a bulk request meet in `operation`.
//!
//! A request that the client would have run later is kept by `acceptance`, run by `later`, and what came of it is read at
//! `completion`.

mod acceptance;
mod admission;
mod answer;
mod bulk;
mod bulk_request;
mod completion;
mod conditions;
mod context;
mod declared;
mod dispatch;
mod groups;
mod head;
mod later;
mod list;
mod operation;
mod quota;
mod references;
mod refusal;
mod representation;
mod resource;
mod routing;
mod shared;
mod users;

#[cfg(test)]
mod tests;

pub use admission::admits;
pub use answer::Answer;
pub use dispatch::handle;
pub use later::run_accepted;
