//! One operation of a PATCH (RFC 7644 §3.5.2).

use serde_json::Value;

use super::path::PatchPath;

/// The kind of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Adds to the current value (RFC 7644 §3.5.2.1).
    Add,
    /// Replaces the current value (RFC 7644 §3.5.2.3).
    Replace,
    /// Removes a value (RFC 7644 §3.5.2.2).
    Remove,
}

/// One change of one attribute. An operation without a path is expanded into one of these for each attribute in its
/// value.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    /// The number of the request's operation from which this one was made, counted from 1.
    pub number: usize,
    /// The kind of change.
    pub kind: OperationKind,
    /// The place of the change.
    pub path: PatchPath<'a>,
    /// The new value; `None` only for `remove`.
    pub value: Option<&'a Value>,
    /// Whether the attribute was named in a value object and not in `path`. Then a read-only attribute is no error
    /// (T5).
    pub implied: bool,
}
