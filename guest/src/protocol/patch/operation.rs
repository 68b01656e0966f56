//! One operation of a PATCH (RFC 7644 §3.5.2).

use serde_json::Value;

use super::path::PatchPath;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// Adds to what is there (RFC 7644 §3.5.2.1).
    Add,
    /// Takes the place of what is there (RFC 7644 §3.5.2.3).
    Replace,
    /// Takes away (RFC 7644 §3.5.2.2).
    Remove,
}

/// One change of one attribute. An operation without a path becomes one of these for every attribute in its value.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    /// Which operation of the request it comes from, counted from 1.
    pub number: usize,
    /// What it does.
    pub kind: OperationKind,
    /// Where.
    pub path: PatchPath<'a>,
    /// With what; `None` only for `remove`.
    pub value: Option<&'a Value>,
    /// The attribute stands in a value object, not in `path`: then read-only attributes are no mistake (T5).
    pub implied: bool,
}
