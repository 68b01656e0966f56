//! Evaluates whether a document matches a filter (RFC 7644 table 3).

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::ast::Filter;
use super::fold::fold;
use super::instant::Instant;
use super::literal::Literal;
use super::path::{FilterPath, Operator};

/// The value to which a filter's paths are relative.
#[derive(Clone, Copy)]
enum Scope<'d> {
    Resource(&'d Map<String, Value>),
    Element(&'d Value),
}

impl Filter {
    /// Whether the document matches.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn matches(&self, document: &Map<String, Value>) -> bool {
        self.matches_knowing(document, &|_| None)
    }

    /// Whether the document matches, if the caller can answer some terms itself. `known` is asked about every
    /// comparison, presence and value path first; if it returns `None`, the document is examined.
    ///
    /// In this way the store answers `members.value eq "…"` by looking up one membership, without listing the members.
    #[must_use]
    pub fn matches_knowing(&self, document: &Map<String, Value>, known: &dyn Fn(&Self) -> Option<bool>) -> bool {
        evaluate(self, Scope::Resource(document), known)
    }

    /// Whether one element of an attribute matches a filter that [`Filter::parse_element`] has parsed.
    #[must_use]
    pub fn matches_element(&self, element: &Value) -> bool {
        evaluate(self, Scope::Element(element), &|_| None)
    }

    /// Whether a term uses this attribute, given in the schema's spelling, such as `members`.
    #[must_use]
    pub fn mentions(&self, attribute: &str) -> bool {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().any(|filter| filter.mentions(attribute)),
            Self::Not(inner) => inner.mentions(attribute),
            Self::Compare { path, .. } | Self::Present { path } | Self::ValuePath { path, .. } => {
                path.attribute == attribute && !path.foreign
            }
        }
    }
}

fn evaluate(filter: &Filter, scope: Scope<'_>, known: &dyn Fn(&Filter) -> Option<bool>) -> bool {
    match filter {
        Filter::And(filters) => return filters.iter().all(|filter| evaluate(filter, scope, known)),
        Filter::Or(filters) => return filters.iter().any(|filter| evaluate(filter, scope, known)),
        Filter::Not(inner) => return !evaluate(inner, scope, known),
        _ => {}
    }
    if let Scope::Resource(_) = scope
        && let Some(answer) = known(filter)
    {
        return answer;
    }
    match filter {
        Filter::Present { path } => any(path, scope, &mut is_present),
        Filter::ValuePath { path, inner } => {
            any(path, scope, &mut |element| evaluate(inner, Scope::Element(element), known))
        }
        Filter::Compare { path, operator, value } => compare(path, *operator, value, scope),
        Filter::And(_) | Filter::Or(_) | Filter::Not(_) => false,
    }
}

fn compare(path: &FilterPath, operator: Operator, literal: &Literal, scope: Scope<'_>) -> bool {
    match (operator, literal) {
        (Operator::Eq | Operator::Ne, Literal::Boolean(expected))
            if path.sub_attribute.as_deref() == Some("primary") =>
        {
            compare_primary(path, operator == Operator::Eq, *expected, scope)
        }
        (Operator::Eq, Literal::Null) => !any(path, scope, &mut is_present),
        (_, Literal::Null) => any(path, scope, &mut is_present),
        (Operator::Ne, _) => {
            let mut absent = true;
            any(path, scope, &mut |value| {
                absent = false;
                !holds(value, Operator::Eq, literal)
            }) || absent
        }
        _ => any(path, scope, &mut |value| holds(value, operator, literal)),
    }
}

/// A value without `primary` is not primary (RFC 7643 §2.4).
fn compare_primary(path: &FilterPath, equal: bool, expected: bool, scope: Scope<'_>) -> bool {
    let matches = |element: &Value| ((element.get("primary") == Some(&Value::Bool(true))) == expected) == equal;
    if let Scope::Element(element) = scope {
        return matches(element);
    }
    let whole = FilterPath { sub_attribute: None, ..path.clone() };
    let mut absent = true;
    any(&whole, scope, &mut |element| {
        absent = false;
        matches(element)
    }) || (absent && !equal)
}

/// Whether one of the attribute's values passes the test; nulls do not count as values.
fn any(path: &FilterPath, scope: Scope<'_>, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    let sub = path.sub_attribute.as_deref();
    match scope {
        Scope::Element(element) => any_below(element, sub, test),
        Scope::Resource(_) if path.foreign => false,
        Scope::Resource(document) => {
            let container = match &path.extension {
                None => Some(document),
                Some(urn) => document.get(urn).and_then(Value::as_object),
            };
            match container.and_then(|container| container.get(&path.attribute)) {
                Some(Value::Array(elements)) => elements.iter().any(|element| any_below(element, sub, test)),
                Some(value) => any_below(value, sub, test),
                None => false,
            }
        }
    }
}

fn any_below(element: &Value, sub: Option<&str>, test: &mut dyn FnMut(&Value) -> bool) -> bool {
    let value = match sub {
        Some(sub) => element.get(sub),
        None => Some(element),
    };
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Array(values)) => values.iter().any(test),
        Some(value) => test(value),
    }
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn holds(value: &Value, operator: Operator, literal: &Literal) -> bool {
    match (literal, value) {
        (Literal::Boolean(expected), Value::Bool(actual)) => operator == Operator::Eq && expected == actual,
        (Literal::Number(expected), Value::Number(actual)) => ordered(compare_numbers(actual, expected), operator),
        (Literal::DateTime { instant, .. }, Value::String(actual)) => {
            ordered(Instant::parse(actual).map(|actual| actual.cmp(instant)), operator)
        }
        (Literal::Text { text, folded: None }, Value::String(actual)) => holds_text(actual, operator, text),
        (Literal::Text { text, folded: Some(folded) }, Value::String(actual)) => {
            // A shortcut for the most frequent comparison, which needs no copy.
            if operator == Operator::Eq && actual.is_ascii() && text.is_ascii() {
                return actual.eq_ignore_ascii_case(text);
            }
            holds_text(&fold(actual), operator, folded)
        }
        _ => false,
    }
}

fn holds_text(actual: &str, operator: Operator, expected: &str) -> bool {
    match operator {
        Operator::Co => actual.contains(expected),
        Operator::Sw => actual.starts_with(expected),
        Operator::Ew => actual.ends_with(expected),
        _ => ordered(Some(actual.cmp(expected)), operator),
    }
}

fn ordered(ordering: Option<Ordering>, operator: Operator) -> bool {
    let Some(ordering) = ordering else { return false };
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}

/// Compares exact values, so that the order is total; `None` only for numbers that JSON can't represent.
pub(in crate::protocol) fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (Some(left), None) => Some(compare_with_float(left, right.as_f64()?)),
        (None, Some(right)) => Some(compare_with_float(right, left.as_f64()?).reverse()),
        (None, None) => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

#[expect(clippy::cast_possible_truncation, reason = "a float beyond i128 becomes its end, which is beyond all u64")]
fn compare_with_float(integer: i128, float: f64) -> Ordering {
    let floor = float.floor();
    integer.cmp(&(floor as i128)).then(if float > floor { Ordering::Less } else { Ordering::Equal })
}
