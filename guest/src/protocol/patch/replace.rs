//! The operation `replace` (RFC 7644 §3.5.2.3).

use serde_json::Value;

use super::target::{Chosen, Target};
use crate::protocol::document;
use crate::protocol::error::ScimError;

/// Sets a single value, or all values of a multi-valued attribute. Sub-attributes of a complex value that are not sent
/// stay. Null counts as no value.
pub(super) fn replace(target: &mut Target<'_>, value: &Value) -> Result<(), ScimError> {
    if let Some(filter) = target.filter {
        return target.change_chosen(filter, value, Chosen::Replaced);
    }
    match target.sub {
        Some(sub) => target.assign_sub(sub, value),
        None if target.attribute.multi_valued => {
            let values = match value {
                Value::Array(_) | Value::Null => value.clone(),
                single => Value::Array(vec![single.clone()]),
            };
            let values = document::value(target.attribute, values, target.mode)?;
            target.set(values);
            Ok(())
        }
        None => target.assign(value),
    }
}
