//! References of bulk operations to each other (RFC 7644 §3.7.2).

use serde_json::{Map, Value, json};

/// The prefix of a reference to another operation.
pub(super) const REFERENCE: &str = "bulkId:";

/// Takes out the attributes that refer to one of the operations. Attributes of an extension are taken one by one.
pub(super) fn take_referring(attributes: &mut Map<String, Value>, urn: &str, names: &[&str], later: &mut Vec<Value>) {
    attributes.retain(|name, value| {
        if let Value::Object(extension) = value
            && urn.is_empty()
            && name.contains(':')
        {
            take_referring(extension, &format!("{name}:"), names, later);
            return true;
        }
        let mut found = Vec::new();
        references(value, &mut found);
        let refers = found.iter().any(|reference| names.contains(reference));
        if refers {
            later.push(json!({"op": "add", "path": format!("{urn}{name}"), "value": value.take()}));
        }
        !refers
    });
}

/// The bulkIds that the value refers to. JSON nesting is bounded by its parser, so this may recurse.
pub(super) fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.extend(text.strip_prefix(REFERENCE)),
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(path) if is_path(name) => {
                let mut rest = path.as_str();
                while let Some((_, reference, behind)) = next_quoted(rest) {
                    found.push(reference);
                    rest = behind;
                }
            }
            value => references(value, found),
        }),
        _ => {}
    }
}

/// Whether the member is the `path` of a PATCH operation, whose filter may contain references.
pub(super) fn is_path(name: &str) -> bool {
    name.eq_ignore_ascii_case("path")
}

/// The first reference in a string of a filter: the text before it, its bulkId, and the text after it.
pub(super) fn next_quoted(text: &str) -> Option<(&str, &str, &str)> {
    let at = text.find("\"bulkId:")?;
    let (before, rest) = text.split_at_checked(at + 1)?;
    let reference = rest.strip_prefix(REFERENCE)?;
    let end = reference.find('"')?;
    let (reference, behind) = reference.split_at_checked(end)?;
    Some((before, reference, behind))
}
