//! `add` (RFC 7644 §3.5.2.1).

use serde_json::Value;

use super::element::{clear_primary, is_primary};
use super::target::{Chosen, Target};
use crate::protocol::document;
use crate::protocol::error::ScimError;

/// Sets a single value, or adds to the values that are there. What is there already stays as it is.
pub(super) fn add(target: &mut Target<'_>, value: &Value) -> Result<(), ScimError> {
    if let Some(filter) = target.filter {
        return target.change_chosen(filter, value, Chosen::Merged);
    }
    match target.sub {
        Some(sub) => target.assign_sub(sub, value),
        None if target.attribute.multi_valued => append(target, value),
        None => target.assign(value),
    }
}

fn append(target: &mut Target<'_>, value: &Value) -> Result<(), ScimError> {
    let added = match value {
        Value::Array(_) | Value::Null => value.clone(),
        // One value instead of an array of one.
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
