//! Parses the body of a PATCH request into operations (RFC 7644 §3.5.2).

use serde_json::{Map, Value};

use super::expand::Expansion;
use super::operation::{Operation, OperationKind};
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::mode::Mode;
use crate::protocol::schema::ResourceSchema;
use crate::protocol::tolerance::Tolerance;

/// The schema of the body.
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// The most operations of one request.
const MAX_OPERATIONS: usize = 10_000;

/// The operations in the body, in order. Keys and `op` are accepted in any case (T1). In compat mode, operations on
/// unknown attributes are left out.
///
/// # Errors
/// 400 `invalidSyntax` for a body of the wrong structure, `tooMany` for more than 10,000 operations, `invalidPath`,
/// `invalidFilter`, `noTarget` for a `remove` without path, `invalidValue` for an operation that lacks its value.
pub fn parse<'a>(
    schema: &ResourceSchema<'a>,
    body: &'a Value,
    mode: Mode<'_>,
) -> Result<Vec<Operation<'a>>, ScimError> {
    let body = body.as_object().ok_or_else(|| ScimError::invalid_syntax("the body is not a JSON object"))?;
    if !has_patch_schema(body, mode) && !mode.tolerates(Tolerance::Unknown) {
        return Err(ScimError::invalid_syntax(format!("`schemas` does not hold {PATCH_OP}")));
    }
    let operations = match member(body, "Operations", mode) {
        Some(Value::Array(operations)) => operations.as_slice(),
        Some(single @ Value::Object(_)) if mode.tolerates(Tolerance::ValueForm) => std::slice::from_ref(single),
        _ => return Err(ScimError::invalid_syntax("`Operations` is not an array")),
    };
    if operations.is_empty() && !mode.tolerates(Tolerance::NoOperations) {
        return Err(ScimError::invalid_syntax("`Operations` is empty"));
    }
    if operations.len() > MAX_OPERATIONS {
        let detail = format!("the request has {} operations; {MAX_OPERATIONS} are allowed", operations.len());
        return Err(ScimError::new(ScimType::TooMany, detail));
    }
    let mut parsed = Vec::with_capacity(operations.len());
    for (at, operation) in operations.iter().enumerate() {
        let number = at + 1;
        let result = read(schema, operation, number, mode, &mut parsed);
        result.map_err(|error| numbered(number, error))?;
    }
    Ok(parsed)
}

/// Adds the number of the operation to an error.
pub(super) fn numbered(number: usize, mut error: ScimError) -> ScimError {
    error.detail = format!("operation {number}: {}", error.detail);
    error
}

fn read<'a>(
    schema: &ResourceSchema<'a>,
    operation: &'a Value,
    number: usize,
    mode: Mode<'_>,
    parsed: &mut Vec<Operation<'a>>,
) -> Result<(), ScimError> {
    let operation = operation.as_object().ok_or_else(|| ScimError::invalid_syntax("it is not a JSON object"))?;
    let kind = kind(operation, mode)?;
    let value = member(operation, "value", mode);
    let path = match member(operation, "path", mode) {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) if path.trim().is_empty() && mode.tolerates(Tolerance::Unknown) => None,
        Some(Value::String(path)) => Some(path.as_str()),
        Some(_) => return Err(ScimError::invalid_path("`path` is not a string")),
    };
    let mut expansion = Expansion { schema, kind, number, mode, operations: parsed };
    if kind == OperationKind::Remove {
        let Some(path) = path else { return Err(ScimError::no_target("`remove` needs a path")) };
        return expansion.remove(path, value);
    }
    let value = value.ok_or_else(|| ScimError::invalid_value("it has no `value`"))?;
    match path {
        Some(path) => expansion.at_path(path, value),
        None => expansion.pathless(value),
    }
}

fn kind(operation: &Map<String, Value>, mode: Mode<'_>) -> Result<OperationKind, ScimError> {
    let sent = member(operation, "op", mode).and_then(Value::as_str).unwrap_or_default();
    let op = sent.trim();
    [("add", OperationKind::Add), ("replace", OperationKind::Replace), ("remove", OperationKind::Remove)]
        .into_iter()
        .find(|(keyword, _)| keyword.eq_ignore_ascii_case(op))
        .map(|(keyword, kind)| {
            if keyword != sent {
                mode.note(Tolerance::LetterCase);
            }
            kind
        })
        .ok_or_else(|| ScimError::invalid_syntax("`op` must be add, replace or remove"))
}

fn has_patch_schema(body: &Map<String, Value>, mode: Mode<'_>) -> bool {
    let schemas = member(body, "schemas", mode).and_then(Value::as_array);
    schemas.is_some_and(|schemas| {
        schemas.iter().any(|schema| schema.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_OP)))
    })
}

/// The member of this name, in any case.
fn member<'a>(object: &'a Map<String, Value>, name: &str, mode: Mode<'_>) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let (_, value) = object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        mode.note(Tolerance::LetterCase);
        Some(value)
    })
}
