//! The endpoints of RFC 7644. Each reads a request, calls `provisioning` (or the store), and writes the answer.
//!
//! A request first passes `dispatch`, which asks `admission` to authenticate the caller and `routing` to find the
//! endpoint. The actions on a resource are written once in `resource`; `users`, `groups` and `declared` add the rules
//! of their type. Both a single request and an operation of a bulk request end in `operation`.
//!
//! If the client wants a request to be run later, `acceptance` stores it, `later` runs it, and `completion` serves its
//! result.

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
