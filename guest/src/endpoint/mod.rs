//! The endpoints of RFC 7644: each joins the protocol to provisioning, and answers.

mod answer;
mod bulk;
mod conditions;
mod context;
mod dispatch;
mod groups;
mod list;
mod plan;
mod refusal;
mod representation;
mod users;

#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use context::{Context, Host};
pub use dispatch::handle;
