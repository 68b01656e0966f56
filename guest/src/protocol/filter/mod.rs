//! Filters (RFC 7644 §3.4.2.2): a filter is parsed once with the schema, and then evaluated on documents by direct
//! look-ups.

mod ast;
mod equality;
mod evaluate;
mod fold;
mod instant;
mod lexer;
mod literal;
mod parse;
mod path;
mod print;
#[cfg(test)]
mod tests;

pub use ast::Filter;
pub use equality::Conjunct;
pub(in crate::protocol) use evaluate::compare_numbers;
pub use fold::fold;
pub use instant::Instant;
pub(in crate::protocol) use lexer::closing_quote;
pub use literal::Literal;
pub use path::{FilterPath, Operator};
