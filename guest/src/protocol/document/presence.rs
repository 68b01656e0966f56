//! Checks that required attributes are present, and sets `schemas` to the schemas in use.

use serde_json::{Map, Value};

use super::Document;
use super::place::Place;
use crate::protocol::error::ScimError;
use crate::protocol::schema::{Attribute, AttributeType, Mutability, ResourceSchema, Schema};

/// Checks that every required attribute has a value that is not blank. Attributes of an extension are only required if
/// the document has the extension.
///
/// # Errors
/// 400 `invalidValue`, which names the first missing attribute.
pub fn required_present(schema: &ResourceSchema<'_>, document: &Document) -> Result<(), ScimError> {
    present(schema, None, document)
}

/// Checks the same after a change, but only of what the change has touched: an attribute whose value is not the one
/// `before`, and everything in an extension that was not there before. What was missing before, for example because the
/// organization has declared the schema later, must not stop a change of something else: a client that deactivates a
/// user always can.
///
/// # Errors
/// Those of [`required_present`].
pub fn required_after(schema: &ResourceSchema<'_>, before: &Document, document: &Document) -> Result<(), ScimError> {
    present(schema, Some(before), document)
}

fn present(schema: &ResourceSchema<'_>, before: Option<&Document>, document: &Document) -> Result<(), ScimError> {
    attributes_present(None, &schema.core.attributes, before, document)?;
    for extension in &schema.extensions {
        let urn = extension.id.as_str();
        let former = before.and_then(|before| before.get(urn)).and_then(Value::as_object);
        match document.get(urn) {
            Some(Value::Object(container)) => {
                attributes_present(Some(extension), &extension.attributes, former, container)?;
            }
            _ if is_required(schema, extension) && (before.is_none() || former.is_some()) => {
                return Err(ScimError::invalid_value(format!("`{}` is required", extension.id)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the attributes of an extension in `container` are all that the extension requires.
pub(super) fn is_complete(extension: &Schema, container: &Map<String, Value>) -> bool {
    attributes_present(Some(extension), &extension.attributes, None, container).is_ok()
}

/// Sets `schemas` to the core schema and the extensions that have attributes, and removes empty extensions.
pub fn set_schemas(schema: &ResourceSchema<'_>, document: &mut Document) {
    let mut urns = vec![Value::from(schema.core.id.as_str())];
    for extension in &schema.extensions {
        let urn = extension.id.as_str();
        match document.get(urn) {
            Some(Value::Object(container)) if !container.is_empty() => urns.push(Value::from(urn)),
            Some(_) => {
                document.shift_remove(urn);
            }
            None => {}
        }
    }
    if let Some(schemas) = document.get_mut("schemas") {
        *schemas = Value::Array(urns);
    } else {
        document.shift_insert(0, "schemas".to_owned(), Value::Array(urns));
    }
}

/// Whether every resource of the type has the extension.
pub(crate) fn is_required(schema: &ResourceSchema<'_>, extension: &Schema) -> bool {
    let mut extensions = schema.resource_type.extensions.iter();
    extensions.any(|candidate| candidate.required && candidate.schema.eq_ignore_ascii_case(&extension.id))
}

fn attributes_present(
    extension: Option<&Schema>,
    attributes: &[Attribute],
    before: Option<&Map<String, Value>>,
    container: &Map<String, Value>,
) -> Result<(), ScimError> {
    for attribute in attributes {
        let (place, value) = (Place::of(extension, attribute), container.get(attribute.name.as_str()));
        if before.is_some_and(|before| before.get(attribute.name.as_str()) == value) {
            continue;
        }
        match value {
            None if attribute.required && attribute.mutability != Mutability::ReadOnly => {
                return Err(place.is_required());
            }
            Some(Value::String(text)) if attribute.required && text.trim().is_empty() => {
                return Err(place.is_required());
            }
            Some(value) if attribute.kind == AttributeType::Complex => sub_attributes_present(place, attribute, value)?,
            _ => {}
        }
    }
    Ok(())
}

fn sub_attributes_present(place: Place<'_>, attribute: &Attribute, value: &Value) -> Result<(), ScimError> {
    let is_required = |sub: &&Attribute| sub.required && sub.mutability != Mutability::ReadOnly;
    for required in attribute.sub_attributes.iter().filter(is_required) {
        let name = required.name.as_str();
        let is_present = |value: &Value| match value {
            Value::Object(object) => object.get(name).is_some_and(|value| value.as_str() != Some("")),
            _ => true,
        };
        let all_present = match value {
            Value::Array(values) => values.iter().all(is_present),
            value => is_present(value),
        };
        if !all_present {
            return Err(place.sub_attribute(name).is_required());
        }
    }
    Ok(())
}
