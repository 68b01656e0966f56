//! A SCIM resource's attributes for people: one line for each name and value.

use serde_json::{Map, Value};

use super::words::visible;

/// How many lines are shown.
const MOST: usize = 200;
/// How much of a value is shown, in characters.
const LONGEST: usize = 1_000;

/// One attribute, or one value of an attribute that has several.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// The name, such as `name.familyName`.
    pub(super) name: String,
    /// The URN of the extension that it belongs to.
    pub(super) extension: Option<String>,
    pub(super) value: String,
}

/// The attributes of the resource with this JSON, without those that each view shows in another place.
pub(super) fn attributes(json: &str) -> Vec<Attribute> {
    let mut lines = Vec::new();
    if let Ok(Value::Object(resource)) = serde_json::from_str(json) {
        add(&resource, "", None, &mut lines);
    }
    lines
}

/// JSON nesting is bounded by its parser, so this may recurse.
fn add(object: &Map<String, Value>, path: &str, extension: Option<&str>, lines: &mut Vec<Attribute>) {
    for (name, value) in object {
        if lines.len() >= MOST {
            return;
        }
        let is_elsewhere = path.is_empty() && extension.is_none() && matches!(name.as_str(), "schemas" | "id");
        match value {
            _ if is_elsewhere => {}
            Value::Object(inner) if path.is_empty() && name.contains(':') => add(inner, "", Some(name), lines),
            Value::Object(inner) => add(inner, &format!("{path}{name}."), extension, lines),
            Value::Array(values) => {
                for value in values.iter().take(MOST) {
                    push(path, name, extension, &element(value), lines);
                }
            }
            value => push(path, name, extension, &plain(value), lines),
        }
    }
}

fn push(path: &str, name: &str, extension: Option<&str>, value: &str, lines: &mut Vec<Attribute>) {
    if lines.len() < MOST && !value.is_empty() {
        let value = visible(&value.chars().take(LONGEST).collect::<String>());
        lines.push(Attribute { name: visible(&format!("{path}{name}")), extension: extension.map(visible), value });
    }
}

/// `ada@example.com (work, primary)`
fn element(value: &Value) -> String {
    let Value::Object(fields) = value else { return plain(value) };
    let own = fields.get("value").map(plain).unwrap_or_default();
    let others = fields.iter().filter(|(name, _)| *name != "value").filter_map(|(name, value)| match value {
        Value::Bool(true) => Some(name.clone()),
        Value::Bool(false) | Value::Null => None,
        value if name == "type" => Some(plain(value)),
        value => Some(format!("{name}: {}", plain(value))),
    });
    let others = others.collect::<Vec<_>>().join(", ");
    match (own.is_empty(), others.is_empty()) {
        (true, _) => others,
        (false, true) => own,
        (false, false) => format!("{own} ({others})"),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c24_attributes_are_lines_that_people_read() {
        let user = r#"{"schemas": ["x"], "id": "1", "userName": "ada", "name": {"familyName": "Lovelace"}, "active": true,
            "emails": [{"value": "a@x.example", "type": "work", "primary": true}, {"value": "b@x.example", "primary": false}],
            "urn:x:User": {"department": "R\u202e&D", "manager": {"value": "7"}}, "nickName": ""}"#;
        let lines: Vec<String> = attributes(user)
            .into_iter()
            .map(|line| format!("{} {}={}", line.extension.unwrap_or_default(), line.name, line.value))
            .collect();
        let expected = [
            " userName=ada",
            " name.familyName=Lovelace",
            " active=yes",
            " emails=a@x.example (work, primary)",
            " emails=b@x.example",
            "urn:x:User department=R\\u202e&D",
            "urn:x:User manager.value=7",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn c24_a_resource_with_any_number_of_attributes_has_a_bounded_view() {
        let many: Vec<String> = (0..1_000).map(|number| format!("\"a{number}\": \"{}\"", "x".repeat(2_000))).collect();
        let lines = attributes(&format!("{{{}}}", many.join(",")));
        assert_eq!(lines.len(), MOST);
        assert!(lines.iter().all(|line| line.value.len() == LONGEST));
        assert!(attributes("nonsense").is_empty());
    }
}
