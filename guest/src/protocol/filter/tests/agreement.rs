//! Random filters: a printed filter parses to the same filter, and an independent evaluator gives the same results.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A filter for the independent evaluator: it has only names and JSON values, without the schema.
#[derive(Clone, Debug)]
enum Naive {
    And(Box<Naive>, Box<Naive>),
    Or(Box<Naive>, Box<Naive>),
    Not(Box<Naive>),
    Compare(&'static str, &'static str, Value),
    Present(&'static str),
    ValuePath(&'static str, Box<Naive>),
}

impl Naive {
    /// The filter as text, with all possible parentheses.
    fn text(&self) -> String {
        match self {
            Self::And(left, right) => format!("({}) and ({})", left.text(), right.text()),
            Self::Or(left, right) => format!("({}) or ({})", left.text(), right.text()),
            Self::Not(inner) => format!("not ({})", inner.text()),
            Self::Compare(path, operator, value) => format!("{path} {operator} {value}"),
            Self::Present(path) => format!("{path} pr"),
            Self::ValuePath(path, inner) => format!("{path}[{}]", inner.text()),
        }
    }

    fn holds(&self, object: &Value) -> bool {
        match self {
            Self::And(left, right) => left.holds(object) & right.holds(object),
            Self::Or(left, right) => left.holds(object) | right.holds(object),
            Self::Not(inner) => !inner.holds(object),
            Self::Present(path) => !values(object, path).is_empty(),
            Self::ValuePath(path, inner) => values(object, path).iter().any(|element| inner.holds(element)),
            Self::Compare(path, operator, expected) => {
                let found = values(object, path);
                match (*operator, expected) {
                    ("eq", Value::Null) => found.is_empty(),
                    ("ne", Value::Null) => !found.is_empty(),
                    ("ne", _) => found.is_empty() || found.iter().any(|value| !same(path, value, expected)),
                    ("eq", _) => found.iter().any(|value| same(path, value, expected)),
                    (operator, Value::String(expected)) => found.iter().any(|value| {
                        let (value, expected) = (shown(path, value.as_str().unwrap()), shown(path, expected));
                        match operator {
                            "co" => value.contains(&expected),
                            "sw" => value.starts_with(&expected),
                            "ew" => value.ends_with(&expected),
                            "gt" => value > expected,
                            "ge" => value >= expected,
                            "lt" => value < expected,
                            "le" => value <= expected,
                            other => panic!("{other}"),
                        }
                    }),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

fn values(object: &Value, path: &str) -> Vec<Value> {
    let mut found = vec![object.clone()];
    for name in path.split('.') {
        found = found
            .iter()
            .filter_map(|value| value.get(name).cloned())
            .flat_map(|value| match value {
                Value::Array(values) => values,
                value => vec![value],
            })
            .collect();
    }
    found
}

fn same(path: &str, left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => shown(path, left) == shown(path, right),
        (left, right) => left == right,
    }
}

/// A text in the form in which the evaluator compares it. The times in the documents are whole hours with an offset of
/// whole hours, written `HH±hh`.
fn shown(path: &str, text: &str) -> String {
    if path.starts_with("meta.") {
        let hour: i32 = text[11..13].parse().unwrap();
        let offset: i32 = text[19..22].parse().unwrap();
        return format!("{:03}", hour - offset + 100);
    }
    if path == "externalId" { text.to_owned() } else { text.to_lowercase() }
}

const WORDS: [&str; 7] = ["a", "A", "ab", "bA", "a\"\\", "É", ""];
const ANY: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
const ORDER: [&str; 6] = ["eq", "ne", "gt", "ge", "lt", "le"];

fn word() -> impl Strategy<Value = Value> {
    prop::sample::select(&WORDS[..]).prop_map(Value::from)
}

fn present_word() -> impl Strategy<Value = Value> {
    prop::sample::select(&WORDS[..6]).prop_map(Value::from)
}

fn time() -> impl Strategy<Value = Value> {
    (0..5, -3..4).prop_map(|(hour, offset)| Value::from(format!("2020-01-01T{hour:02}:00:00{offset:+03}:00")))
}

fn text_term(paths: &'static [&'static str]) -> impl Strategy<Value = Naive> {
    prop_oneof![
        4 => (prop::sample::select(paths), prop::sample::select(&ANY[..]), word())
            .prop_map(|(path, operator, value)| Naive::Compare(path, operator, value)),
        1 => prop::sample::select(paths).prop_map(Naive::Present),
        1 => (prop::sample::select(paths), prop::sample::select(&ANY[..2]))
            .prop_map(|(path, operator)| Naive::Compare(path, operator, Value::Null)),
    ]
}

fn joined(term: impl Strategy<Value = Naive> + 'static, size: u32) -> impl Strategy<Value = Naive> {
    term.prop_recursive(4, size, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Naive::And(Box::new(left), Box::new(right))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Naive::Or(Box::new(left), Box::new(right))),
            inner.prop_map(|inner| Naive::Not(Box::new(inner))),
        ]
    })
}

fn filter() -> impl Strategy<Value = Naive> {
    let term = prop_oneof![
        4 => text_term(&["userName", "externalId", "name.givenName", "emails.value", "emails.type"]),
        1 => (prop::sample::select(&ANY[..2]), any::<bool>())
            .prop_map(|(operator, value)| Naive::Compare("active", operator, Value::from(value))),
        1 => (prop::sample::select(&ORDER[..]), time())
            .prop_map(|(operator, value)| Naive::Compare("meta.created", operator, value)),
        2 => joined(text_term(&["value", "type"]), 4).prop_map(|inner| Naive::ValuePath("emails", Box::new(inner))),
    ];
    joined(term, 12)
}

fn optional(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), value]
}

fn user() -> impl Strategy<Value = Value> {
    let email =
        (present_word(), optional(present_word())).prop_map(|(value, kind)| json!({"value": value, "type": kind}));
    (
        present_word(),
        optional(present_word()),
        optional(present_word()),
        prop::collection::vec(email, 0..4),
        any::<bool>(),
        time(),
    )
        .prop_map(|(user_name, external_id, given_name, emails, active, created)| {
            without_nulls(json!({
                "userName": user_name, "externalId": external_id, "name": {"givenName": given_name},
                "emails": emails, "active": active, "meta": {"created": created}
            }))
        })
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(object) => object
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_nulls(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn evaluation_agrees_with_the_naive_evaluator(naive in filter(), user in user()) {
        let filter = Filter::parse(&users(), &[], &naive.text(), Mode::STRICT).unwrap();
        prop_assert_eq!(filter.matches(user.as_object().unwrap()), naive.holds(&user), "{} on {}", filter, user);
    }

    #[test]
    fn a_printed_filter_parses_to_itself(naive in filter()) {
        let filter = Filter::parse(&users(), &[], &naive.text(), Mode::STRICT).unwrap();
        let printed = filter.to_string();
        prop_assert_eq!(Filter::parse(&users(), &[], &printed, Mode::STRICT).unwrap(), filter.clone());
        prop_assert_eq!(Filter::parse(&users(), &[], &printed, Mode::COMPAT).unwrap(), filter);
    }

    #[test]
    fn what_a_filter_implies_is_true_of_every_match(naive in filter(), user in user()) {
        let filter = Filter::parse(&users(), &[], &naive.text(), Mode::STRICT).unwrap();
        if filter.matches(user.as_object().unwrap()) {
            for term in filter.conjuncts() {
                let text = format!("{} {} {}", term.path, term.operator, term.value);
                prop_assert!(parse(&text).matches(user.as_object().unwrap()), "{}", text);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in r#"(\PC|[ ()\[\]".\\]| and | or |not \(|userName |emails\[|eq |pr|"x"|type ){0,40}"#) {
        for mode in [Mode::COMPAT, Mode::STRICT] {
            match Filter::parse(&users(), &[], &text, mode) {
                Ok(filter) => prop_assert_eq!(Filter::parse(&users(), &[], &filter.to_string(), mode), Ok(filter)),
                Err(error) => prop_assert_eq!(error.scim_type, Some(ScimType::InvalidFilter)),
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Filter::parse(&users(), &[], &text, Mode::COMPAT).is_err() || !text.is_empty());
    }
}
