//! PATCH bodies: read or refused with 400; applied whole or not at all; the resource stays canonical.

use insomnia_scim_guest::protocol::document::{self, Document};
use insomnia_scim_guest::protocol::mode::Mode;
use insomnia_scim_guest::protocol::patch;
use serde_json::Value;

use super::samples::{MODES, group, schema, user};

/// Checks one body.
pub fn check(data: &[u8]) {
    let body = match document::parse(data) {
        Ok(body) => body,
        Err(error) => return assert_eq!(error.status, 400, "{error}"),
    };
    for (name, resource) in [("User", user()), ("Group", group())] {
        for mode in MODES {
            apply_to(name, resource.clone(), &body, mode);
        }
    }
}

fn apply_to(name: &str, mut resource: Document, body: &Value, mode: Mode<'_>) {
    let schema = schema(name);
    let request = match patch::parse(&schema, body, mode) {
        Ok(request) => request,
        Err(error) => return assert_eq!(error.status, 400, "{error}"),
    };
    let before = resource.clone();
    match patch::apply(&schema, &before, None, &request, mode) {
        Ok(patched) => resource = patched.document,
        Err(error) => assert_eq!(error.status, 400, "{error}"),
    }
    for fixed in ["id", "meta", "groups"] {
        assert_eq!(resource.get(fixed), before.get(fixed), "{fixed} is the server's");
    }
    assert!(!resource.contains_key("members"), "members are kept apart");
    for (attribute, value) in &resource {
        assert!(has_nothing_empty(value, mode), "{attribute} is {value}");
        let primary = |element: &&Value| element.get("primary") == Some(&Value::Bool(true));
        let primaries = value.as_array().into_iter().flatten().filter(primary).count();
        assert!(primaries <= 1, "{primaries} of {attribute} are primary");
    }
}

fn has_nothing_empty(value: &Value, mode: Mode<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => mode.is_strict() || !text.is_empty(),
        Value::Array(values) => !values.is_empty() && values.iter().all(|value| has_nothing_empty(value, mode)),
        Value::Object(members) => !members.is_empty() && members.values().all(|value| has_nothing_empty(value, mode)),
        _ => true,
    }
}
