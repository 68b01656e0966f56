//! A filter as a tree that owns its data.

use super::literal::Literal;
use super::path::{FilterPath, Operator};

/// A filter. Its depth is bounded by the parser, so that walking it may recurse.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them; two at least, none of them `And`.
    And(Vec<Filter>),
    /// One of them; two at least, none of them `Or`.
    Or(Vec<Filter>),
    /// Not this one.
    Not(Box<Filter>),
    /// A value of the attribute compares with the given one.
    Compare {
        /// The attribute whose values are compared.
        path: FilterPath,
        /// How they are compared.
        operator: Operator,
        /// What they are compared with.
        value: Literal,
    },
    /// The attribute has a value that is not empty.
    Present {
        /// The attribute.
        path: FilterPath,
    },
    /// One element of the attribute satisfies the whole inner filter.
    ValuePath {
        /// The complex or multi-valued attribute.
        path: FilterPath,
        /// What the element satisfies; its paths name sub-attributes of `path`.
        inner: Box<Filter>,
    },
}
