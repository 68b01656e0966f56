//! The schemas and resource types that the organization declares.

use insomnia_scim_contract::Mistake;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::protocol::schema::SchemaTable;
use crate::store::{DeclaredRecord, Store, StoreError};

/// The largest declaration, in bytes.
const LARGEST: usize = 512 * 1024;

/// The names that a declaration may have.
const MEMBERS: [&str; 2] = ["schemas", "resourceTypes"];

/// The reason why a declaration is refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SchemasError {
    /// It is not valid.
    #[error("{}", .0.detail)]
    Invalid(Mistake),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Stores what the organization declares: JSON with `schemas` (RFC 7643 §7) and `resourceTypes` (RFC 7643 §6).
///
/// # Errors
/// [`SchemasError::Invalid`] says what is wrong, and where.
pub fn put_schemas(store: &Store, declaration: &str) -> Result<(), SchemasError> {
    let declared = parse(declaration).map_err(SchemasError::Invalid)?;
    Ok(store.put_declared(&declared)?)
}

fn parse(declaration: &str) -> Result<DeclaredRecord, Mistake> {
    let wrong = |pointer: String, detail: String| Mistake { pointer, detail };
    if declaration.len() > LARGEST {
        return Err(wrong(String::new(), format!("A declaration has at most {LARGEST} bytes")));
    }
    let members: Map<String, Value> = serde_json::from_str(declaration)
        .map_err(|error| wrong(String::new(), format!("A declaration is a JSON object: {error}")))?;
    let list = |name: &str| match members.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list.clone()),
        Some(_) => Err(wrong(format!("/{name}"), format!("`{name}` must be an array"))),
    };
    let declared = DeclaredRecord { schemas: list("schemas")?, resource_types: list("resourceTypes")? };
    // Without this check, a misspelt name would delete the former declaration.
    if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let pointer = format!("/{}", unknown.replace('~', "~0").replace('/', "~1"));
        return Err(wrong(pointer, "A declaration has the members `schemas` and `resourceTypes`, and no other".into()));
    }
    SchemaTable::builtin().with_new(&declared.schemas, &declared.resource_types)?;
    Ok(declared)
}

/// The organization's declaration, as JSON.
///
/// # Errors
/// If the store can't answer.
pub fn get_schemas(store: &Store) -> Result<String, StoreError> {
    let Some(stored) = store.declared_bytes()? else { return Ok(r#"{"schemas":[],"resourceTypes":[]}"#.to_owned()) };
    String::from_utf8(stored).map_err(|error| StoreError::Broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_declaration_is_an_object_with_two_lists_and_mistakes_are_pointed_at() {
        let pointer = |declaration: &str| parse(declaration).expect_err("a refusal").pointer;
        assert_eq!(parse("{}"), Ok(DeclaredRecord::default()));
        for (declaration, expected) in [
            ("", ""),
            ("[]", ""),
            (r#"{"schemas": {}}"#, "/schemas"),
            (r#"{"resourceTypes": 1}"#, "/resourceTypes"),
            (r#"{"resource_types": []}"#, "/resource_types"),
            (r#"{"schemas": [{"id": "x"}]}"#, "/schemas/0/id"),
            (r#"{"resourceTypes": [{"name": "User"}, {"name": "1"}]}"#, "/resourceTypes/1/name"),
        ] {
            assert_eq!(pointer(declaration), expected, "{declaration}");
        }
    }

    /// This tests the example of the documentation.
    #[test]
    fn the_declarations_that_come_with_the_project_are_valid() {
        let okta = include_str!("../../../host/examples/declarations/okta-entitlements.json");
        let badge = include_str!("../../../host/examples/declarations/user-attributes.json");
        for declaration in [okta, badge] {
            parse(declaration).unwrap();
        }
    }
}
