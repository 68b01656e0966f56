//! PUT: decides which attributes of the current resource stay (RFC 7644 §3.5.1).

use serde_json::{Map, Value};

use super::Document;
use super::place::Place;
use super::presence::{is_complete, set_schemas};
use crate::protocol::error::ScimError;
use crate::protocol::schema::{Attribute, AttributeType, Mutability, ResourceSchema, Schema};

/// The resource after a PUT: `incoming` (from [`super::from_client`]) and those attributes of `current` that a client
/// can't replace.
///
/// Read-only attributes stay. Immutable ones stay too, even if they are omitted. Attributes that no response contains, so
/// that no client can send them back, and `active`, which always has a value, stay if they are omitted (T23). All other
/// omitted attributes are cleared.
///
/// If the whole extension is omitted, its hidden attributes only stay if it then still has all that it requires:
/// otherwise the resource would have an extension that is not complete.
///
/// # Errors
/// 400 `mutability` if an immutable attribute has another value than the current one.
pub fn replace(schema: &ResourceSchema<'_>, current: &Document, incoming: Document) -> Result<Document, ScimError> {
    let mut document = incoming;
    let core = || schema.common.iter().chain(&schema.core.attributes);
    merge(None, core(), current, &mut document)?;
    for attribute in core().filter(|attribute| attribute.kept) {
        if let Some(kept) = current.get(attribute.name.as_str()) {
            document.entry(attribute.name.as_str()).or_insert_with(|| kept.clone());
        }
    }
    for extension in &schema.extensions {
        let urn = extension.id.as_str();
        let Some(Value::Object(current)) = current.get(urn) else { continue };
        let (mut container, is_sent) = match document.get_mut(urn) {
            Some(Value::Object(container)) => (std::mem::take(container), true),
            _ => (Map::new(), false),
        };
        merge(Some(extension), extension.attributes.iter(), current, &mut container)?;
        if !is_sent && !is_complete(extension, &container) {
            container.retain(|name, _| extension.attribute(name).is_none_or(|attribute| !may_be_cleared(attribute)));
        }
        document.insert(urn.to_owned(), Value::Object(container));
    }
    set_schemas(schema, &mut document);
    Ok(document)
}

/// Whether a client may clear the attribute.
fn may_be_cleared(attribute: &Attribute) -> bool {
    !matches!(attribute.mutability, Mutability::ReadOnly | Mutability::Immutable)
}

fn merge<'a>(
    extension: Option<&Schema>,
    attributes: impl Iterator<Item = &'a Attribute>,
    current: &Map<String, Value>,
    incoming: &mut Map<String, Value>,
) -> Result<(), ScimError> {
    for attribute in attributes {
        let name = attribute.name.as_str();
        let Some(current) = current.get(name) else {
            if attribute.mutability == Mutability::ReadOnly && name != "schemas" {
                incoming.shift_remove(name);
            }
            continue;
        };
        match (attribute.mutability, incoming.get_mut(name)) {
            (Mutability::ReadOnly, _) | (Mutability::Immutable, None) => {
                incoming.insert(name.to_owned(), current.clone());
            }
            (_, None) if attribute.is_hidden() => {
                incoming.insert(name.to_owned(), current.clone());
            }
            (Mutability::Immutable, Some(incoming)) if incoming != current => {
                let place = Place::of(extension, attribute);
                return Err(ScimError::mutability(format!("`{place}` can't be changed once it is set")));
            }
            (_, Some(Value::Object(incoming))) if attribute.kind == AttributeType::Complex => {
                if let Value::Object(current) = current {
                    merge_single(extension, attribute, current, incoming)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Keeps the sub-attributes that the server has set in a single complex value, as long as the value is the same: for
/// another manager, the former display name would be wrong.
fn merge_single(
    extension: Option<&Schema>,
    attribute: &Attribute,
    current: &Map<String, Value>,
    incoming: &mut Map<String, Value>,
) -> Result<(), ScimError> {
    let is_same = attribute.sub_attributes.iter().all(|sub_attribute| {
        let name = sub_attribute.name.as_str();
        sub_attribute.mutability == Mutability::ReadOnly || current.get(name) == incoming.get(name)
    });
    for sub_attribute in &attribute.sub_attributes {
        let name = sub_attribute.name.as_str();
        let Some(current) = current.get(name) else { continue };
        match (sub_attribute.mutability, incoming.get(name)) {
            (Mutability::ReadOnly, _) if is_same => {
                incoming.insert(name.to_owned(), current.clone());
            }
            (Mutability::Immutable, Some(incoming)) if incoming != current => {
                let place = Place::of(extension, attribute).sub_attribute(name);
                return Err(ScimError::mutability(format!("`{place}` can't be changed once it is set")));
            }
            (Mutability::Immutable, None) => {
                incoming.insert(name.to_owned(), current.clone());
            }
            (_, None) if sub_attribute.is_hidden() => {
                incoming.insert(name.to_owned(), current.clone());
            }
            _ => {}
        }
    }
    Ok(())
}
