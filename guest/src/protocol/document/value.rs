//! Converts the value that a client sends for one attribute into canonical form.
//!
//! In compat mode an empty string counts as no value: Okta sends `"middleName":""` for an attribute that a user does
//! not have (T6). In strict mode it is a string like any other. Apart from that, strings are stored unchanged (T27).

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Number, Value};

use super::format;
use super::place::Place;
use crate::protocol::binary;
use crate::protocol::error::ScimError;
use crate::protocol::filter::fold;
use crate::protocol::mode::Mode;
use crate::protocol::schema::{Attribute, AttributeType, Mutability};
use crate::protocol::tolerance::Tolerance;

/// Sub-attributes that describe a value and mean nothing without it.
const LABELS: [&str; 5] = ["type", "primary", "display", "displayName", "$ref"];
/// The longest string, in bytes.
const MAX_STRING: usize = 64 * 1024;
/// The longest reference or binary value, in bytes: pictures come as data URIs, certificates with their chains.
const MAX_LARGE: usize = 512 * 1024;
/// The most values of a multi-valued attribute.
const MAX_ELEMENTS: usize = 10_000;
/// The most members of a group.
const MAX_MEMBERS: usize = 100_000;

/// The canonical form of an attribute's value; `None` if there is no value.
///
/// Read-only sub-attributes are left out. The caller must check whether the attribute itself may be written.
///
/// # Errors
/// 400 `invalidValue` if the value does not fit the attribute's type or is too large; in strict mode also 400
/// `invalidSyntax` if it has an unknown sub-attribute.
pub fn value(attribute: &Attribute, value: Value, mode: Mode<'_>) -> Result<Option<Value>, ScimError> {
    value_at(Place::of(None, attribute), attribute, value, mode)
}

/// The canonical form of one value of a multi-valued attribute; `None` if it is no value.
///
/// # Errors
/// Those of [`value`].
pub fn element(attribute: &Attribute, value: Value, mode: Mode<'_>) -> Result<Option<Value>, ScimError> {
    one(Place::of(None, attribute), attribute, value, mode)
}

/// Applies the rules for the list of values of a multi-valued attribute, each of them already canonical; `None` if
/// there is no value.
///
/// Duplicate values are merged. Two references to resources (`members`) are duplicates if they have the same `value`,
/// other elements if they have the same `type` and `value`, and elements without `value` (`addresses`) if they are
/// equal. The first one stays, and is primary if any of them is. In compat mode, the first of several primary values
/// stays primary.
///
/// # Errors
/// 400 `invalidValue` if there are too many values; in strict mode also if several are primary.
pub fn elements(attribute: &Attribute, values: Vec<Value>, mode: Mode<'_>) -> Result<Option<Value>, ScimError> {
    settle(Place::of(None, attribute), attribute, values, mode)
}

pub(super) fn value_at(
    place: Place<'_>,
    attribute: &Attribute,
    value: Value,
    mode: Mode<'_>,
) -> Result<Option<Value>, ScimError> {
    if attribute.multi_valued {
        return many(place, attribute, value, mode);
    }
    let value = match value {
        Value::Array(values) => match only(values) {
            Only::None => return Ok(None),
            Only::One(value) if mode.tolerates(form(attribute)) => value,
            _ => return Err(place.must_be("a single value")),
        },
        value => value,
    };
    one(place, attribute, value, mode)
}

/// The tolerance rule for values of this attribute that do not have the schema's form.
pub(in crate::protocol) fn form(attribute: &Attribute) -> Tolerance {
    match attribute.name.as_str() {
        "members" => Tolerance::MemberForm,
        "manager" => Tolerance::ManagerForm,
        _ => Tolerance::ValueForm,
    }
}

/// The tolerance rule for an empty string as the value of this attribute.
pub(in crate::protocol) fn emptiness(attribute: &Attribute) -> Tolerance {
    if attribute.name == "manager" { Tolerance::ManagerForm } else { Tolerance::Unknown }
}

enum Only {
    None,
    One(Value),
    Several,
}

/// Whether a sub-attribute describes a value and means nothing without it.
pub(in crate::protocol) fn is_label(name: &str) -> bool {
    LABELS.contains(&name)
}

/// Whether the element only has a type or `primary`, but no value. If no response shows the value, a client that sends
/// back what it got sends such an element too, so it counts.
pub(in crate::protocol) fn is_label_alone(attribute: &Attribute, element: &Value) -> bool {
    let is_alone =
        |element: &Map<String, Value>| element.keys().all(|name| matches!(name.as_str(), "type" | "primary"));
    attribute.sub_attribute("value").is_some_and(|value| !value.is_hidden())
        && element.as_object().is_some_and(is_alone)
}

fn only(values: Vec<Value>) -> Only {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (None, _) => Only::None,
        (Some(value), None) => Only::One(value),
        _ => Only::Several,
    }
}

fn many(place: Place<'_>, attribute: &Attribute, value: Value, mode: Mode<'_>) -> Result<Option<Value>, ScimError> {
    let values = match value {
        Value::Null => return Ok(None),
        Value::Array(values) => values,
        value if mode.tolerates(form(attribute)) => vec![value],
        _ => return Err(place.must_be("an array")),
    };
    bounded(place, attribute, values.len())?;
    let mut canonical = Vec::with_capacity(values.len());
    for value in values {
        match one(place, attribute, value, mode)? {
            Some(value) if is_label_alone(attribute, &value) && mode.tolerates(Tolerance::Unknown) => {}
            Some(value) => canonical.push(value),
            None => {}
        }
    }
    settle(place, attribute, canonical, mode)
}

pub(super) fn settle(
    place: Place<'_>,
    attribute: &Attribute,
    mut values: Vec<Value>,
    mode: Mode<'_>,
) -> Result<Option<Value>, ScimError> {
    bounded(place, attribute, values.len())?;
    if values.is_empty() {
        return Ok(None);
    }
    if values.len() > 1 {
        let sent = values.len();
        merge_duplicates(attribute, &mut values);
        if values.len() < sent && attribute.name == "members" {
            mode.note(Tolerance::MemberForm);
        }
        settle_primary(place, attribute, &mut values, mode)?;
    }
    Ok(Some(Value::Array(values)))
}

fn bounded(place: Place<'_>, attribute: &Attribute, count: usize) -> Result<(), ScimError> {
    let most = if attribute.name == "members" { MAX_MEMBERS } else { MAX_ELEMENTS };
    if count > most {
        return Err(ScimError::invalid_value(format!("`{place}` can't have more than {most} values")));
    }
    Ok(())
}

fn merge_duplicates(attribute: &Attribute, values: &mut Vec<Value>) {
    let refers_to_a_resource =
        attribute.sub_attribute("value").is_some_and(|sub_attribute| sub_attribute.mutability == Mutability::Immutable);
    let value_case = attribute.sub_attribute("value").map_or(attribute.case_exact, |sub| sub.case_exact);
    let mut first: HashMap<(Cow<'_, str>, Cow<'_, str>), usize> = HashMap::with_capacity(values.len());
    let mut kept = Vec::with_capacity(values.len());
    let mut primary = Vec::new();
    for (at, value) in values.iter().enumerate() {
        let key = match value {
            Value::String(text) => ("".into(), compared(text, value_case)),
            Value::Object(object) => match object.get("value").and_then(Value::as_str) {
                Some(text) => {
                    let label = if refers_to_a_resource { None } else { object.get("type").and_then(Value::as_str) };
                    (fold(label.unwrap_or_default()), compared(text, value_case))
                }
                None => ("\0".into(), whole(object).into()),
            },
            other => ("\0".into(), other.to_string().into()),
        };
        let duplicate_of = match first.entry(key) {
            Entry::Occupied(entry) => Some(*entry.get()),
            Entry::Vacant(entry) => {
                entry.insert(at);
                None
            }
        };
        if let Some(first) = duplicate_of
            && is_primary(value)
        {
            primary.push(first);
        }
        kept.push(duplicate_of.is_none());
    }
    drop(first);
    for at in primary {
        if let Some(Value::Object(object)) = values.get_mut(at) {
            object.insert("primary".to_owned(), Value::Bool(true));
        }
    }
    let mut kept = kept.into_iter();
    values.retain(|_| kept.next().unwrap_or(true));
}

/// The text in a form in which two texts are equal if the attribute treats them as equal.
fn compared(text: &str, case_exact: bool) -> Cow<'_, str> {
    if case_exact { text.into() } else { fold(text) }
}

/// All of a complex value except `primary`, in an order that does not depend on the order in which it was sent.
fn whole(object: &Map<String, Value>) -> String {
    let parts: BTreeMap<&String, &Value> = object.iter().filter(|(name, _)| *name != "primary").collect();
    serde_json::to_string(&parts).unwrap_or_default()
}

fn settle_primary(
    place: Place<'_>,
    attribute: &Attribute,
    values: &mut [Value],
    mode: Mode<'_>,
) -> Result<(), ScimError> {
    if attribute.sub_attribute("primary").is_none() {
        return Ok(());
    }
    let others = values.iter_mut().filter(|value| is_primary(value)).skip(1);
    for value in others {
        if mode.is_strict() {
            return Err(ScimError::invalid_value(format!("`{place}` has more than one primary value")));
        }
        if let Value::Object(object) = value {
            object.insert("primary".to_owned(), Value::Bool(false));
        }
    }
    Ok(())
}

fn is_primary(value: &Value) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}

fn one(place: Place<'_>, attribute: &Attribute, value: Value, mode: Mode<'_>) -> Result<Option<Value>, ScimError> {
    match (value, attribute.kind) {
        (Value::Null, _) => Ok(None),
        (Value::String(text), kind) if says_nothing(kind, &text) && mode.tolerates(emptiness(attribute)) => Ok(None),
        (Value::Object(sent), AttributeType::Complex) => object(place, attribute, sent, mode),
        (value @ (Value::String(_) | Value::Number(_) | Value::Bool(_)), AttributeType::Complex) => {
            if attribute.sub_attribute("value").is_none() || !mode.tolerates(form(attribute)) {
                return Err(place.must_be("an object"));
            }
            object(place, attribute, Map::from_iter([("value".to_owned(), value)]), mode)
        }
        (_, AttributeType::Complex) => Err(place.must_be("an object")),
        (Value::Object(mut sent), _) if mode.tolerates(form(attribute)) => {
            if sent.is_empty() {
                return Err(place.must_be(expected(attribute.kind)));
            }
            let name = sent.keys().find(|name| name.eq_ignore_ascii_case("value")).cloned();
            match name.and_then(|name| sent.swap_remove(&name)) {
                Some(Value::Null) => Ok(None),
                Some(Value::String(text)) if says_nothing(attribute.kind, &text) => Ok(None),
                Some(value) => simple(place, attribute, value, mode).map(Some),
                None => Err(place.must_be(expected(attribute.kind))),
            }
        }
        (value, _) => simple(place, attribute, value, mode).map(Some),
    }
}

/// Whether the text counts as no value: it is empty, or, for base64, contains only blanks, which stand for no byte.
fn says_nothing(kind: AttributeType, text: &str) -> bool {
    text.is_empty() || (kind == AttributeType::Binary && text.trim_ascii().is_empty())
}

fn object(
    place: Place<'_>,
    attribute: &Attribute,
    sent: Map<String, Value>,
    mode: Mode<'_>,
) -> Result<Option<Value>, ScimError> {
    // Most of ten thousand members need no change, and are then not copied.
    let names_value = |sent: &Map<String, Value>| sent.keys().any(|name| name.eq_ignore_ascii_case("value"));
    let canonical = if is_canonical(attribute, &sent) {
        sent
    } else {
        let had_value = names_value(&sent);
        let canonical = canonical_object(place, attribute, sent, mode)?;
        // T6: an element whose `value` is an empty string is no value, whatever else it contains.
        let has_lost_it = attribute.multi_valued && had_value && !names_value(&canonical);
        let is_left_alone = has_lost_it && canonical.keys().all(|name| is_label(name));
        if is_left_alone && !canonical.is_empty() && mode.tolerates(Tolerance::Unknown) {
            return Ok(None);
        }
        canonical
    };
    let missing =
        |sub_attribute: &&Attribute| sub_attribute.required && !canonical.contains_key(sub_attribute.name.as_str());
    if let Some(missing) = attribute.sub_attributes.iter().find(missing) {
        return Err(place.sub_attribute(&missing.name).is_required());
    }
    Ok(if canonical.is_empty() { None } else { Some(Value::Object(canonical)) })
}

fn is_canonical(attribute: &Attribute, object: &Map<String, Value>) -> bool {
    object.iter().all(|(name, value)| {
        let sub_attribute = attribute.sub_attributes.iter().find(|sub_attribute| sub_attribute.name == *name);
        sub_attribute.is_some_and(|sub_attribute| {
            sub_attribute.mutability != Mutability::ReadOnly
                && !sub_attribute.multi_valued
                && match (sub_attribute.kind, value) {
                    (AttributeType::String, Value::String(text)) => !text.is_empty() && text.len() <= MAX_STRING,
                    (AttributeType::Boolean, Value::Bool(_)) => true,
                    _ => false,
                }
        })
    })
}

fn canonical_object(
    place: Place<'_>,
    attribute: &Attribute,
    sent: Map<String, Value>,
    mode: Mode<'_>,
) -> Result<Map<String, Value>, ScimError> {
    let mut canonical = Map::new();
    let is_members = attribute.name == "members";
    for (name, value) in sent {
        let Some(sub_attribute) = sub_attribute(attribute, &name, mode) else {
            if !mode.tolerates(Tolerance::Unknown) {
                return Err(ScimError::invalid_syntax(format!("`{place}` has no sub-attribute of this name")));
            }
            continue;
        };
        let is_read_only = sub_attribute.mutability == Mutability::ReadOnly;
        if is_members && (is_read_only || value.is_null()) {
            mode.note(Tolerance::MemberForm);
        }
        if is_read_only {
            continue;
        }
        if name != sub_attribute.name && name.eq_ignore_ascii_case(&sub_attribute.name) {
            mode.note(Tolerance::LetterCase);
        }
        let place = place.sub_attribute(&sub_attribute.name);
        if let Some(value) = value_at(place, sub_attribute, value, mode)? {
            let name = if name == sub_attribute.name { name } else { sub_attribute.name.clone() };
            if canonical.insert(name, value).is_some() && mode.is_strict() {
                return Err(ScimError::invalid_syntax(format!("`{place}` occurs twice")));
            }
        }
    }
    Ok(canonical)
}

/// The sub-attribute with this name. OneLogin says `managerId` for `manager.value` (T10).
fn sub_attribute<'a>(attribute: &'a Attribute, name: &str, mode: Mode<'_>) -> Option<&'a Attribute> {
    attribute.sub_attribute(name).or_else(|| {
        let (head, tail) = name.split_at_checked(attribute.name.len())?;
        let is_id = head.eq_ignore_ascii_case(&attribute.name) && tail.eq_ignore_ascii_case("id");
        if is_id && mode.tolerates(form(attribute)) { attribute.sub_attribute("value") } else { None }
    })
}

fn simple(place: Place<'_>, attribute: &Attribute, value: Value, mode: Mode<'_>) -> Result<Value, ScimError> {
    let kind = attribute.kind;
    let wrong = || place.must_be(expected(kind));
    match (kind, value) {
        (AttributeType::Boolean, value @ Value::Bool(_)) => Ok(value),
        (AttributeType::Boolean, Value::String(text)) if mode.tolerates(Tolerance::Conversion) => match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Ok(Value::Bool(true)),
            text if text.eq_ignore_ascii_case("false") => Ok(Value::Bool(false)),
            _ => Err(wrong()),
        },
        (AttributeType::Integer, Value::Number(number)) => integer(number, mode).map(Value::Number).ok_or_else(wrong),
        (AttributeType::Integer, Value::String(text)) if mode.tolerates(Tolerance::Conversion) => {
            text.trim().parse::<i64>().map(Value::from).map_err(|_| wrong())
        }
        (AttributeType::Decimal, value @ Value::Number(_)) => Ok(value),
        (AttributeType::Decimal, Value::String(text)) if mode.tolerates(Tolerance::Conversion) => {
            let number = text.trim().parse::<f64>().ok().and_then(Number::from_f64);
            number.map(Value::Number).ok_or_else(wrong)
        }
        (AttributeType::String | AttributeType::DateTime | AttributeType::Binary | AttributeType::Reference, value) => {
            string(place, kind, value, mode).map(Value::String)
        }
        _ => Err(wrong()),
    }
}

fn string(place: Place<'_>, kind: AttributeType, value: Value, mode: Mode<'_>) -> Result<String, ScimError> {
    let text = match value {
        Value::String(text) => text,
        // A number that was too large or too precise for JSON's number type has lost digits, so it can't be turned into
        // the text that was sent.
        Value::Number(number) if (number.is_i64() || number.is_u64()) && mode.tolerates(Tolerance::Conversion) => {
            number.to_string()
        }
        Value::Bool(boolean) if mode.tolerates(Tolerance::Conversion) => boolean.to_string(),
        _ => return Err(place.must_be(expected(kind))),
    };
    let most = match kind {
        AttributeType::Binary | AttributeType::Reference => MAX_LARGE,
        _ => MAX_STRING,
    };
    if text.len() > most {
        return Err(place.must_be(format_args!("at most {most} bytes long")));
    }
    let is_well_formed = match kind {
        AttributeType::DateTime => format::is_date_time,
        AttributeType::Binary => |text: &str| binary::standard(text).is_some(),
        AttributeType::Reference => format::is_reference,
        _ => |_: &str| true,
    };
    if !is_well_formed(&text) && !mode.tolerates(Tolerance::MalformedValue) {
        return Err(place.must_be(expected(kind)));
    }
    Ok(if kind == AttributeType::Binary { in_standard_form(text, mode) } else { text })
}

/// Base64 in its standard form (T35). Text that is no base64, or whose form strict mode does not convert, stays as it
/// was sent.
fn in_standard_form(text: String, mode: Mode<'_>) -> String {
    match binary::standard(&text) {
        Some(standard) if standard != text && mode.tolerates(Tolerance::Base64Form) => standard,
        _ => text,
    }
}

/// The number if it has no fraction; in compat mode `5.0` has none.
fn integer(number: Number, mode: Mode<'_>) -> Option<Number> {
    if number.is_i64() || number.is_u64() {
        return Some(number);
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is in range")]
    if mode.tolerates(Tolerance::Conversion) { Some(Number::from(float as i64)) } else { None }
}

fn expected(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::String => "a string",
        AttributeType::Boolean => "true or false",
        AttributeType::Decimal => "a number",
        AttributeType::Integer => "an integer",
        AttributeType::DateTime => "a date and time such as 2008-01-23T04:56:22Z",
        AttributeType::Binary => "a base64 string",
        AttributeType::Reference => "a URI",
        AttributeType::Complex => "an object",
    }
}
