//! Complex values as PATCH changes them: the given sub-attributes are set, the others stay.

use serde_json::{Map, Value};

use crate::protocol::document;
use crate::protocol::error::ScimError;
use crate::protocol::filter::{Filter, Literal, Operator};
use crate::protocol::mode::Mode;
use crate::protocol::schema::{Attribute, Mutability};

/// A complex value in which the sub-attributes in `sent` are set, or removed if they are null; `None` if nothing is
/// left.
///
/// If `value` changes, the sub-attributes that the server has set are removed: read-only ones, and a `$ref` that was
/// not sent. Otherwise a new manager would have the name of the former one.
///
/// # Errors
/// 400 `invalidValue` for values of the wrong type, 400 `mutability` for an immutable sub-attribute that has a value.
pub(super) fn merged(
    attribute: &Attribute,
    current: Map<String, Value>,
    sent: &Map<String, Value>,
    mode: Mode<'_>,
) -> Result<Option<Value>, ScimError> {
    let mut wanted = current.clone();
    for (name, value) in sent {
        let name = attribute.sub_attribute(name).map_or(name.as_str(), |sub| sub.name.as_str());
        wanted.insert(name.to_owned(), value.clone());
    }
    let reference_sent = sent.keys().any(|name| name.eq_ignore_ascii_case("$ref"));
    let mut value = match document::element(attribute, Value::Object(wanted), mode)? {
        Some(Value::Object(value)) => value,
        Some(other) => return Ok(Some(other)),
        None => Map::new(),
    };
    let same_value = current.get("value") == value.get("value");
    for sub in &attribute.sub_attributes {
        let name = sub.name.as_str();
        let Some(before) = current.get(name) else { continue };
        match sub.mutability {
            Mutability::ReadOnly if same_value && !value.is_empty() => {
                value.insert(name.to_owned(), before.clone());
            }
            Mutability::Immutable if value.get(name) != Some(before) => {
                let detail = format!("`{}.{name}` can't be changed once it is set", attribute.name);
                return Err(ScimError::mutability(detail));
            }
            _ => {}
        }
    }
    if !same_value && !reference_sent {
        value.shift_remove("$ref");
    }
    let lost = value.len() < current.len();
    if value.is_empty() || (lost && !mode.is_strict() && value.keys().all(|name| document::is_label(name))) {
        return Ok(None);
    }
    Ok(Some(Value::Object(value)))
}

/// One complex value from a client as an object: `"271"` becomes `{"value":"271"}` (T10), `[{…}]` becomes `{…}` (T13).
/// `None` for null and for texts that mean it.
///
/// # Errors
/// 400 `invalidValue` if it is none of these.
pub(super) fn as_object(
    attribute: &Attribute,
    value: &Value,
    mode: Mode<'_>,
) -> Result<Option<Map<String, Value>>, ScimError> {
    let value = match value {
        Value::Array(values) => match values.as_slice() {
            [] => return Ok(None),
            [only] if mode.tolerates(document::form(attribute)) => only,
            _ => return Err(ScimError::invalid_value(format!("`{}` must be a single value", attribute.name))),
        },
        value => value,
    };
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() && mode.tolerates(document::emptiness(attribute)) => Ok(None),
        Value::Object(object) => Ok(Some(object.clone())),
        Value::String(_) | Value::Number(_) | Value::Bool(_)
            if attribute.sub_attribute("value").is_some() && mode.tolerates(document::form(attribute)) =>
        {
            Ok(Some(Map::from_iter([("value".to_owned(), value.clone())])))
        }
        _ => Err(ScimError::invalid_value(format!("`{}` must be an object", attribute.name))),
    }
}

/// The object that the `eq` terms of a filter require (T9): `type eq "work" and primary eq true` gives
/// `{"type":"work","primary":true}`.
pub(super) fn demanded(filter: &Filter) -> Map<String, Value> {
    let mut object = Map::new();
    collect(filter, &mut object);
    object
}

fn collect(filter: &Filter, object: &mut Map<String, Value>) {
    match filter {
        Filter::And(filters) => filters.iter().for_each(|filter| collect(filter, object)),
        Filter::Compare { path, operator: Operator::Eq, value } => {
            let Some(sub) = &path.sub_attribute else { return };
            let value = match value {
                Literal::Null => return,
                Literal::Boolean(value) => Value::Bool(*value),
                Literal::Number(value) => Value::Number(value.clone()),
                Literal::DateTime { text, .. } | Literal::Text { text, .. } => Value::String(text.clone()),
            };
            object.insert(sub.clone(), value);
        }
        _ => {}
    }
}

/// `object`, with the members of `defaults` that it does not have.
pub(super) fn filled(mut object: Map<String, Value>, defaults: &Map<String, Value>) -> Map<String, Value> {
    for (name, value) in defaults {
        let present = object.keys().any(|key| key.eq_ignore_ascii_case(name));
        if !present {
            object.insert(name.clone(), value.clone());
        }
    }
    object
}

pub(super) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Makes the other elements non-primary (RFC 7644 §3.5.2).
pub(super) fn clear_primary<'v>(elements: impl IntoIterator<Item = &'v mut Value>) {
    for element in elements {
        if is_primary(element)
            && let Value::Object(object) = element
        {
            object.insert("primary".to_owned(), Value::Bool(false));
        }
    }
}
