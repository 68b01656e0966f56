//! Random resources, as clients send them.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The enterprise extension.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Text that people have in names: more than ASCII, no white space at its ends.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z]{1,12}",
        2 => "[a-zäöüßéİıΣςКǅ’\"\\\\&+%]{1,10}",
        1 => "[a-z]{150,260}",
        1 => "\\PC{1,8}".prop_filter("trimmed", |text| text.trim() == text && !text.is_empty()),
    ]
}

/// Elements of a multi-valued attribute, with different values, the first one possibly primary.
fn labelled() -> impl Strategy<Value = Value> {
    let element = (text(), prop::option::of(prop::sample::select(&["work", "home", "other"][..])));
    (prop::collection::btree_map(text(), element, 0..4), any::<bool>()).prop_map(|(elements, primary)| {
        let element = |(number, (value, (display, kind))): (usize, (String, (String, Option<&str>)))| {
            let mut element = json!({"value": value, "display": display});
            if let Some(kind) = kind {
                element["type"] = kind.into();
            }
            if number == 0 && primary {
                element["primary"] = true.into();
            }
            element
        };
        elements.into_iter().enumerate().map(element).collect()
    })
}

fn optional(strategy: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop::option::of(strategy).boxed()
}

fn texts(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::btree_map(prop::sample::select(names), text(), 1..4).prop_map(|members| json!(members))
}

/// Any part of a user but `userName` and `emails`: attribute names and values, none of them empty.
pub(crate) fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    let fields: Vec<(&str, BoxedStrategy<Option<Value>>)> = vec![
        ("externalId", optional(text().prop_map(Value::from))),
        ("displayName", optional(text().prop_map(Value::from))),
        ("title", optional(text().prop_map(Value::from))),
        ("locale", optional(text().prop_map(Value::from))),
        ("name", optional(texts(&["givenName", "familyName", "formatted", "honorificPrefix"]))),
        ("active", optional(any::<bool>().prop_map(Value::from))),
        ("phoneNumbers", optional(labelled())),
        ("roles", optional(labelled())),
        ("entitlements", optional(labelled())),
        (
            "addresses",
            optional(texts(&["type", "locality", "country", "formatted"]).prop_map(|address| json!([address]))),
        ),
        (ENTERPRISE, optional(texts(&["department", "employeeNumber", "costCenter"]))),
    ];
    fields.into_iter().fold(Just(Map::new()).boxed(), |all, (name, value)| {
        let add = move |(mut all, value): (Map<String, Value>, Option<Value>)| {
            if let Some(value) = value.filter(|value| value.as_array().is_none_or(|values| !values.is_empty())) {
                all.insert(name.to_owned(), value);
            }
            all
        };
        (all, value).prop_map(add).boxed()
    })
}

/// A user whose userName and addresses nobody else has who has another number.
pub(crate) fn user(number: usize) -> impl Strategy<Value = Value> {
    let addresses = prop::collection::vec(prop::sample::select(&["work", "home", "other"][..]), 0..3);
    (attributes(), text(), addresses).prop_map(move |(mut user, name, kinds)| {
        user.insert("userName".into(), format!("{name}{number}").into());
        let address =
            |(at, kind): (usize, &str)| json!({"value": format!("{name}.{at}.{number}@example.com"), "type": kind});
        let emails: Vec<Value> = kinds.into_iter().enumerate().map(address).collect();
        if !emails.is_empty() {
            user.insert("emails".into(), emails.into());
        }
        user.into()
    })
}
