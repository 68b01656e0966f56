//! The endpoints of RFC 7644: each joins the protocol to provisioning, and answers.

mod admission;
mod answer;
mod bulk;
mod conditions;
mod context;
mod declared;
mod dispatch;
mod edges;
#[expect(clippy::module_inception, reason = "it is what the endpoints of this module have in common")]
mod endpoint;
mod groups;
mod list;
mod plan;
mod references;
mod refusal;
mod representation;
mod table;
mod users;

#[cfg(test)]
mod tests;

pub use admission::admits;
pub use answer::Answer;
pub use context::{Context, Host};
pub use dispatch::handle;
