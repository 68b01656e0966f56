//! PUT: decides which attributes of the current resource stay (RFC 7644 §3.5.1).

use std::borrow::Borrow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

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
/// The same holds for the hidden parts of a complex value. In a list, an element keeps them if exactly one current element
/// has the same shown parts, and no other element of the PUT; otherwise nothing says which parts belong to it, and those
/// that are omitted are cleared.
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
        if let Some(incoming) = incoming.get_mut(name) {
            keep_hidden(attribute, current, incoming);
        }
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

/// Adds the hidden parts that the client has omitted to a complex value, or to the elements of a list.
fn keep_hidden(attribute: &Attribute, current: &Value, incoming: &mut Value) {
    if !attribute.sub_attributes.iter().any(Attribute::is_hidden) {
        return;
    }
    match (current, incoming) {
        (Value::Object(current), Value::Object(incoming)) => add_hidden(attribute, current, incoming),
        (Value::Array(current), Value::Array(incoming)) => {
            let current = by_shown_parts(attribute, current.iter().filter_map(Value::as_object));
            let sent = by_shown_parts(attribute, incoming.iter_mut().filter_map(Value::as_object_mut));
            for (shown, incoming) in sent {
                if let (Some(Some(current)), Some(incoming)) = (current.get(&shown), incoming) {
                    add_hidden(attribute, current, incoming);
                }
            }
        }
        _ => {}
    }
}

fn add_hidden(attribute: &Attribute, current: &Map<String, Value>, incoming: &mut Map<String, Value>) {
    for hidden in attribute.sub_attributes.iter().filter(|sub| sub.is_hidden()) {
        let name = hidden.name.as_str();
        if let Some(current) = current.get(name)
            && !incoming.contains_key(name)
        {
            incoming.insert(name.to_owned(), current.clone());
        }
    }
}

/// The elements by the parts that responses show and clients may write, as JSON; `None` if several elements have the
/// same ones. An element without such parts can't be recognized, and is left out.
fn by_shown_parts<E: Borrow<Map<String, Value>>>(
    attribute: &Attribute,
    elements: impl Iterator<Item = E>,
) -> HashMap<String, Option<E>> {
    let is_shown = |sub: &&Attribute| !sub.is_hidden() && sub.mutability != Mutability::ReadOnly;
    let mut found: HashMap<String, Option<E>> = HashMap::new();
    for element in elements {
        let parts = attribute.sub_attributes.iter().filter(is_shown);
        let parts: Vec<Option<&Value>> = parts.map(|sub| element.borrow().get(sub.name.as_str())).collect();
        if parts.iter().all(Option::is_none) {
            continue;
        }
        let shown = serde_json::to_string(&parts).unwrap_or_default();
        match found.entry(shown) {
            Entry::Occupied(mut several) => drop(several.insert(None)),
            Entry::Vacant(first) => drop(first.insert(Some(element))),
        }
    }
    found
}

/// Keeps the sub-attributes that the server has set in a single complex value, as long as the value is the same: for
/// another manager, the former display name would be wrong. Hidden parts do not count: what the server has set is shown,
/// and must not tell whether a hidden part has changed.
fn merge_single(
    extension: Option<&Schema>,
    attribute: &Attribute,
    current: &Map<String, Value>,
    incoming: &mut Map<String, Value>,
) -> Result<(), ScimError> {
    let is_same = attribute.sub_attributes.iter().all(|sub_attribute| {
        let name = sub_attribute.name.as_str();
        sub_attribute.mutability == Mutability::ReadOnly
            || sub_attribute.is_hidden()
            || current.get(name) == incoming.get(name)
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
            _ => {}
        }
    }
    Ok(())
}
