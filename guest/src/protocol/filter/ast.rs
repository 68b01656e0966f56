//! A filter as a tree that owns its data.

use super::literal::Literal;
use super::path::{FilterPath, Operator};

/// A filter. The parser bounds its depth, so code that walks it may recurse.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of these match; at least two, none of them an `And`.
    And(Vec<Filter>),
    /// One of these matches; at least two, none of them an `Or`.
    Or(Vec<Filter>),
    /// This one does not match.
    Not(Box<Filter>),
    /// A value of the attribute is compared with the given one.
    Compare {
        /// The attribute whose values are compared.
        path: FilterPath,
        /// The comparison operator.
        operator: Operator,
        /// The value to compare with.
        value: Literal,
    },
    /// The attribute has a value that is not empty.
    Present {
        /// The attribute.
        path: FilterPath,
    },
    /// One element of the attribute matches the whole inner filter.
    ValuePath {
        /// The complex or multi-valued attribute.
        path: FilterPath,
        /// The filter for the element; its paths name sub-attributes of `path`.
        inner: Box<Filter>,
    },
}
