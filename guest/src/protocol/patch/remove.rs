//! The operation `remove` (RFC 7644 §3.5.2.2). Its value may list what to remove (T3).

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::target::Target;
use crate::protocol::error::ScimError;
use crate::protocol::filter::fold;
use crate::protocol::schema::{Attribute, AttributeType, Mutability};
use crate::protocol::tolerance::Tolerance;

/// Removes the attribute, the chosen elements, or a sub-attribute of either. It is no error if they do not exist (RFC
/// 7644 §3.5.2.2: "a success response should be returned").
pub(super) fn remove(target: &mut Target<'_>, value: Option<&Value>) -> Result<(), ScimError> {
    if target.current().is_none() {
        return Ok(());
    }
    if let Some(sub) = target.sub {
        return remove_sub(target, sub);
    }
    if let Some(filter) = target.filter {
        let mut elements = target.take_elements();
        elements.retain(|element| !filter.matches_element(element));
        return target.put_elements(elements);
    }
    match value {
        Some(value) if target.attribute.multi_valued && !value.is_null() => {
            let listed = match value {
                Value::Array(listed) => listed.as_slice(),
                single => std::slice::from_ref(single),
            };
            target.mode.note(Tolerance::RemoveListed);
            let mut elements = target.take_elements();
            Listed::new(target.attribute, listed).take_from(&mut elements);
            target.put_elements(elements)
        }
        _ => {
            target.set(None);
            Ok(())
        }
    }
}

fn remove_sub(target: &mut Target<'_>, sub: &Attribute) -> Result<(), ScimError> {
    if sub.required {
        return Err(ScimError::mutability(format!("`{}` is required", target.text)));
    }
    let sent = Map::from_iter([(sub.name.clone(), Value::Null)]);
    if !target.attribute.multi_valued {
        return target.merge(&sent);
    }
    let mut elements = target.take_elements();
    for element in &mut elements {
        if target.filter.is_none_or(|filter| filter.matches_element(element)) {
            *element = target.merged_element(element.take(), &sent)?.unwrap_or_default();
        }
    }
    target.put_elements(elements)
}

/// The elements to remove, grouped by the sub-attributes that identify them. Each element of the document is looked up
/// only once for each group, however many elements are listed.
struct Listed<'a> {
    attribute: &'a Attribute,
    groups: HashMap<Vec<&'a str>, HashSet<Vec<String>>>,
}

impl<'a> Listed<'a> {
    fn new(attribute: &'a Attribute, listed: &[Value]) -> Self {
        let mut groups: HashMap<Vec<&'a str>, HashSet<Vec<String>>> = HashMap::new();
        for item in listed {
            let told = told_by(attribute, item);
            if !told.is_empty() {
                let (names, values) = told.into_iter().unzip();
                groups.entry(names).or_default().insert(values);
            }
        }
        Self { attribute, groups }
    }

    fn take_from(&self, elements: &mut Vec<Value>) {
        let subs: HashMap<&str, &Attribute> =
            self.attribute.sub_attributes.iter().map(|sub| (sub.name.as_str(), sub)).collect();
        elements.retain(|element| {
            !self.groups.iter().any(|(names, listed)| {
                let values: Option<Vec<String>> = names
                    .iter()
                    .map(|name| match subs.get(name) {
                        Some(sub) => comparable(sub, element.get(name)?),
                        None => comparable(self.attribute, element),
                    })
                    .collect();
                values.is_some_and(|values| listed.contains(&values))
            })
        });
    }
}

/// The sub-attributes that identify a listed element, with their values: `value`, and `type` if it is given; without
/// `value` all that are given. Nulls, unknown and read-only sub-attributes are ignored, and so are those that no response
/// shows: whether an element is removed would tell whether they were guessed right (R30).
fn told_by<'a>(attribute: &'a Attribute, item: &Value) -> Vec<(&'a str, String)> {
    let object = match item {
        Value::Object(object) => object,
        // A plain value instead of an object.
        single => {
            let value = attribute.sub_attribute("value");
            if value.is_some_and(Attribute::is_hidden) {
                return Vec::new();
            }
            let leaf = value.unwrap_or(attribute);
            let name = if attribute.kind == AttributeType::Complex { "value" } else { "" };
            return comparable(leaf, single).map(|value| (name, value)).into_iter().collect();
        }
    };
    if attribute.kind != AttributeType::Complex {
        let value = object.iter().find(|(name, _)| name.eq_ignore_ascii_case("value")).map(|(_, value)| value);
        return value.and_then(|value| comparable(attribute, value)).map(|value| ("", value)).into_iter().collect();
    }
    let mut told: Vec<(&str, String)> = attribute
        .sub_attributes
        .iter()
        .filter(|sub| sub.mutability != Mutability::ReadOnly && !sub.is_hidden())
        .filter_map(|sub| {
            let value = object.iter().find(|(name, _)| name.eq_ignore_ascii_case(&sub.name))?.1;
            comparable(sub, value).map(|value| (sub.name.as_str(), value))
        })
        .collect();
    if told.iter().any(|(name, _)| *name == "value") {
        told.retain(|(name, _)| matches!(*name, "value" | "type"));
    }
    told
}

/// A text that is equal for equal values; `None` for no value.
fn comparable(attribute: &Attribute, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) if attribute.kind == AttributeType::Boolean => Some(text.trim().to_ascii_lowercase()),
        Value::String(text) if attribute.case_exact => Some(text.clone()),
        Value::String(text) => Some(fold(text).into_owned()),
        other => Some(other.to_string()),
    }
}
