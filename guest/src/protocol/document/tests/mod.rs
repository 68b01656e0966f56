//! Bodies that clients send, and the documents that are made of them.

mod identity_providers;
mod properties;
mod replacing;
mod rules;
mod strict;

use serde_json::{Value, json};

use super::*;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::mode::Mode;
use crate::protocol::schema::{ResourceSchema, SchemaTable};

fn schema(name: &str) -> ResourceSchema<'static> {
    SchemaTable::builtin().resource(name).expect("a built-in resource type")
}

fn compat(name: &str, body: Value) -> Result<Value, ScimError> {
    from_client(&schema(name), body, Mode::COMPAT).map(Value::Object)
}

fn strict(name: &str, body: Value) -> Result<Value, ScimError> {
    from_client(&schema(name), body, Mode::STRICT).map(Value::Object)
}

/// The canonical form of one attribute of a user.
fn user_attribute(name: &str, value: Value) -> Value {
    let mut document = compat("User", json!({ "userName": "ada", name: value })).expect("a user");
    document.get_mut(name).map(Value::take).unwrap_or_default()
}

fn refusal(result: Result<Value, ScimError>) -> (Option<ScimType>, String) {
    let error = result.expect_err("a refusal");
    assert_eq!(error.status, 400);
    (error.scim_type, error.detail)
}
