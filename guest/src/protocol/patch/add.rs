//! The operation `add` (RFC 7644 §3.5.2.1).

use std::borrow::Cow;

use serde_json::Value;

use super::element::{clear_primary, is_primary};
use super::target::{Chosen, Target};
use crate::protocol::document;
use crate::protocol::error::ScimError;
use crate::protocol::tolerance::Tolerance;

/// Sets a single value, or adds values to a list. A value that the list already has stays as it is.
pub(super) fn add(target: &mut Target<'_>, value: &Value) -> Result<(), ScimError> {
    let Some(value) = given(target, value) else { return Ok(()) };
    let value = value.as_ref();
    if let Some(filter) = target.filter {
        return target.change_chosen(filter, value, Chosen::Merged);
    }
    match target.sub {
        Some(sub) => target.assign_sub(sub, value),
        None if target.attribute.multi_valued => append(target, value),
        None => target.assign(value),
    }
}

/// The value to add. Null is no value (RFC 7643 §2.5), nor is an empty string in compat mode (T6), and adding no value
/// changes nothing. Only a `manager` is cleared by it, because Entra ID sends `add` for every kind of change (T10).
fn given<'v>(target: &Target<'_>, value: &'v Value) -> Option<Cow<'v, Value>> {
    if target.attribute.name == "manager" {
        return Some(Cow::Borrowed(value));
    }
    let is_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() && target.mode.tolerates(Tolerance::Unknown),
        _ => false,
    };
    match value {
        Value::Object(members) if members.values().any(is_nothing) => {
            let mut members = members.clone();
            members.retain(|_, value| !is_nothing(value));
            (!members.is_empty()).then(|| Cow::Owned(Value::Object(members)))
        }
        value => (!is_nothing(value)).then_some(Cow::Borrowed(value)),
    }
}

fn append(target: &mut Target<'_>, value: &Value) -> Result<(), ScimError> {
    let added = match value {
        Value::Array(_) | Value::Null => value.clone(),
        // A single value is taken as an array with that value.
        single => Value::Array(vec![single.clone()]),
    };
    let Some(Value::Array(added)) = document::value(target.attribute, added, target.mode)? else { return Ok(()) };
    let mut elements = target.take_elements();
    if added.iter().any(is_primary) {
        clear_primary(&mut elements);
    }
    elements.extend(added);
    target.put_elements(elements)
}
