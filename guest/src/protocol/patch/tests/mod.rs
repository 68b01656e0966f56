//! The effect of PATCH: bodies of real identity providers, the RFC's rules, and random operations.

mod forms;
mod membership;
mod random;
mod rules;
mod verbatim;

use serde_json::{Value, json};

use super::{MemberChange, apply};
use crate::protocol::document::Document;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::mode::Mode;
use crate::protocol::patch;
use crate::protocol::schema::{ENTERPRISE_USER, ResourceSchema, SchemaTable};

fn users() -> ResourceSchema<'static> {
    SchemaTable::builtin().resource("User").unwrap()
}

fn groups() -> ResourceSchema<'static> {
    SchemaTable::builtin().resource("Group").unwrap()
}

fn document(value: Value) -> Document {
    match value {
        Value::Object(document) => document,
        other => panic!("{other} is no document"),
    }
}

fn body(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

/// The result of a PATCH.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// Whether the document has changed.
    changed: bool,
    members: Vec<MemberChange>,
}

/// Applies the body to the document. If the body is refused, the document stays as it is.
fn run(
    schema: &ResourceSchema<'_>,
    document: &mut Document,
    body: &Value,
    mode: Mode<'_>,
) -> Result<Outcome, ScimError> {
    let patched = apply(schema, document, None, &patch::parse(schema, body, mode)?, mode)?;
    let changed = patched.document != *document;
    *document = patched.document;
    Ok(Outcome { changed, members: patched.members })
}

/// Applies a PATCH to a user with the attributes in `initial`; returns the user without `schemas`.
fn patched(initial: Value, operations: Value, mode: Mode<'_>) -> Result<(Value, bool), ScimError> {
    let mut user = document(initial);
    user.entry("userName").or_insert_with(|| "bjensen".into());
    crate::protocol::document::set_schemas(&users(), &mut user);
    let before = user.clone();
    let outcome = run(&users(), &mut user, &body(operations), mode)?;
    user.shift_remove("schemas");
    if before.get("userName") == user.get("userName") && user.get("userName") == Some(&"bjensen".into()) {
        user.shift_remove("userName");
    }
    Ok((Value::Object(user), outcome.changed))
}

fn compat(initial: Value, operations: Value) -> Value {
    patched(initial, operations, Mode::COMPAT).unwrap().0
}

/// Applies the operations in both modes, whose results must be equal.
fn either(initial: Value, operations: Value) -> Value {
    let strict = patched(initial.clone(), operations.clone(), Mode::STRICT).unwrap().0;
    let compat = compat(initial, operations);
    assert_eq!(strict, compat);
    compat
}

fn refused(initial: Value, operations: Value, mode: Mode<'_>) -> ScimType {
    let error = patched(initial, operations, mode).unwrap_err();
    assert_eq!(error.status, 400);
    error.scim_type.unwrap()
}

fn refused_in_both(initial: Value, operations: Value) -> ScimType {
    let strict = refused(initial.clone(), operations.clone(), Mode::STRICT);
    assert_eq!(refused(initial, operations, Mode::COMPAT), strict);
    strict
}

fn membership(operations: Value, mode: Mode<'_>) -> Result<Vec<MemberChange>, ScimError> {
    let mut group =
        document(json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Tour Guides"}));
    let outcome = run(&groups(), &mut group, &body(operations), mode)?;
    assert!(!group.contains_key("members"));
    Ok(outcome.members)
}
