//! Properties that every JSON value must have.

use proptest::prelude::*;

use super::*;
use crate::protocol::schema::{Attribute, AttributeType};

/// Names that mean something, in several spellings, and some that mean nothing.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "schemas",
        "id",
        "externalId",
        "meta",
        "userName",
        "name",
        "givenName",
        "name.givenName",
        "emails",
        "value",
        "type",
        "primary",
        "display",
        "$ref",
        "emails.value",
        "emails.primary",
        "active",
        "password",
        "groups",
        "members",
        "displayName",
        "manager",
        "managerId",
        "manager.value",
        "department",
        "addresses",
        "country",
        "x509Certificates",
        "photos",
        "roles",
        "members.type",
        "title",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:schemas:core:2.0:User:title",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
        "urn:insomnia:params:scim:schemas:extension:1.0:User",
        "emails[type eq \"work\"].value",
        "",
    ]);
    (known, 0..4_u8).prop_map(|(name, spelling)| match spelling {
        0 => name.to_ascii_uppercase(),
        1 => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        prop::sample::select(vec!["", " ", "a", "b", "work", "true", "False", "7", "é"]).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        4 => text,
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_body() -> impl Strategy<Value = Value> {
    prop::collection::vec((name(), any_json()), 0..10).prop_map(|members| {
        let mut body: Map<String, Value> = members.into_iter().collect();
        body.entry("userName").or_insert_with(|| json!("ada"));
        body.entry("displayName").or_insert_with(|| json!("Engines"));
        Value::Object(body)
    })
}

fn assert_canonical(attributes: &[&Attribute], object: &Map<String, Value>) {
    for (name, value) in object {
        let attribute = attributes.iter().find(|attribute| attribute.name == *name);
        let attribute = attribute.unwrap_or_else(|| panic!("{name} is in the schema"));
        let values = match value {
            Value::Array(values) => {
                assert!(attribute.multi_valued && !values.is_empty(), "{name}");
                values.iter().collect()
            }
            value => {
                assert!(!attribute.multi_valued, "{name}");
                vec![value]
            }
        };
        for value in values {
            match (attribute.kind, value) {
                (AttributeType::Complex, Value::Object(object)) => {
                    assert!(!object.is_empty(), "{name}");
                    assert_canonical(&attribute.sub_attributes.iter().collect::<Vec<_>>(), object);
                }
                (AttributeType::Boolean, value) => assert!(value.is_boolean(), "{name}"),
                (_, value) => assert!(value.is_string(), "{name}"),
            }
        }
    }
}

proptest! {
    #[test]
    fn any_body_becomes_canonical_or_is_refused(body in any_body(), is_user: bool, is_strict: bool) {
        let schema = schema(if is_user { "User" } else { "Group" });
        let mode = if is_strict { Mode::STRICT } else { Mode::COMPAT };
        match from_client(&schema, body, mode) {
            Ok(document) => {
                let mut core = document.clone();
                for extension in &schema.extensions {
                    if let Some(Value::Object(container)) = core.shift_remove(extension.id.as_str()) {
                        prop_assert!(!container.is_empty());
                        assert_canonical(&extension.attributes.iter().collect::<Vec<_>>(), &container);
                    }
                }
                let attributes: Vec<&Attribute> = schema.common.iter().chain(&schema.core.attributes).collect();
                assert_canonical(&attributes, &core);
                let again = from_client(&schema, Value::Object(document.clone()), mode);
                prop_assert_eq!(again, Ok(document));
            }
            Err(error) => prop_assert_eq!(error.status, 400),
        }
    }

    #[test]
    fn any_json_is_answered(body in any_json(), is_strict: bool) {
        let mode = if is_strict { Mode::STRICT } else { Mode::COMPAT };
        for name in ["User", "Group"] {
            if let Err(error) = from_client(&schema(name), body.clone(), mode) {
                prop_assert_eq!(error.status, 400);
            }
        }
    }

    #[test]
    fn put_of_what_is_there_changes_nothing(body in any_body()) {
        let user = schema("User");
        if let Ok(document) = from_client(&user, body, Mode::COMPAT) {
            let incoming = from_client(&user, Value::Object(document.clone()), Mode::COMPAT).expect("canonical already");
            prop_assert_eq!(replace(&user, &document, incoming), Ok(document));
        }
    }

    #[test]
    fn any_bytes_are_json_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Err(error) = parse(&bytes) {
            prop_assert_eq!(error.status, 400);
        }
    }
}
