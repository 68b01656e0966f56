//! Random operations: operations that undo each other restore the document, failed ones change nothing, and none makes
//! the document invalid.

use proptest::prelude::*;

use super::*;

fn texts() -> impl Strategy<Value = Value> {
    prop::sample::select(&["a", "b", "B", "", "True", "x@y"][..]).prop_map(Value::from)
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![6 => texts(), 1 => any::<bool>().prop_map(Value::from), 1 => Just(Value::Null), 1 => (0..3).prop_map(Value::from)]
}

fn paths() -> impl Strategy<Value = Value> {
    prop::sample::select(
        &[
            "userName",
            "title",
            "active",
            "name",
            "name.givenName",
            "emails",
            "emails.value",
            "emails[type eq \"a\"]",
            "emails[type eq \"a\"].value",
            "emails[primary eq true].type",
            "emails[value eq \"a\" or not (type pr)].primary",
            "manager",
            "manager.value",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            "department",
            "addresses",
            "addresses[type eq \"b\"].locality",
            "roles[value sw \"b\"]",
            "nosuch",
            "id",
            "schemas",
            "groups",
            "emails[",
            "[",
            "x509Certificates",
        ][..],
    )
    .prop_map(Value::from)
}

fn names() -> impl Strategy<Value = String> {
    prop::sample::select(
        &[
            "value",
            "type",
            "primary",
            "givenName",
            "emails",
            "name.familyName",
            "title",
            "display",
            "$ref",
            "manager",
            "locality",
            "schemas",
        ][..],
    )
    .prop_map(str::to_owned)
}

fn values() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((names(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn operations() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(&["add", "Replace", "remove", "remove", "x"][..]);
    let operation = (op, prop::option::weighted(0.8, paths()), prop::option::weighted(0.9, values())).prop_map(
        |(op, path, value)| {
            let mut operation = document(json!({"op": op}));
            operation.extend(path.map(|path| ("path".to_owned(), path)));
            operation.extend(value.map(|value| ("value".to_owned(), value)));
            Value::Object(operation)
        },
    );
    prop::collection::vec(operation, 1..6).prop_map(Value::Array)
}

fn has_nothing_empty(value: &Value, mode: Mode<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => mode.is_strict() || !text.is_empty(),
        Value::Array(values) => !values.is_empty() && values.iter().all(|value| has_nothing_empty(value, mode)),
        Value::Object(members) => !members.is_empty() && members.values().all(|value| has_nothing_empty(value, mode)),
        _ => true,
    }
}

fn modes() -> impl Strategy<Value = Mode<'static>> {
    prop_oneof![Just(Mode::COMPAT), Just(Mode::STRICT)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_document_stays_canonical(first in operations(), second in operations(), mode in modes()) {
        let mut user = document(json!({"userName": "x", "active": true, "emails": [{"value": "a", "type": "a", "primary": true}]}));
        for operations in [first, second] {
            let before = user.clone();
            match run(&users(), &mut user, &body(operations), mode) {
                Ok(outcome) => prop_assert_eq!(outcome.changed, user != before),
                Err(error) => {
                    prop_assert_eq!(error.status, 400);
                    prop_assert_eq!(&user, &before);
                }
            }
            prop_assert!(has_nothing_empty(&Value::Object(user.clone()), mode), "{:?}", user);
            let primaries = |name: &str| user.get(name).and_then(Value::as_array).map_or(0, |values| {
                values.iter().filter(|value| value.get("primary") == Some(&Value::Bool(true))).count()
            });
            prop_assert!(primaries("emails") <= 1 && primaries("roles") <= 1, "{:?}", user);
        }
    }

    #[test]
    fn the_same_replacements_again_change_nothing(operations in operations(), mode in modes()) {
        let mut user = document(json!({"userName": "x", "emails": [{"value": "a", "type": "a"}]}));
        let replacements: Vec<Value> = operations.as_array().unwrap().iter().take(1).cloned().map(|mut operation| {
            operation["op"] = "replace".into();
            // With a filter, the second operation could choose other elements than the first.
            if operation["path"].as_str().is_some_and(|path| path.contains('[')) {
                operation["path"] = "title".into();
            }
            operation
        }).collect();
        let body = body(Value::Array(replacements));
        if run(&users(), &mut user, &body, mode).is_ok() {
            prop_assert!(!run(&users(), &mut user, &body, mode).unwrap().changed);
        }
    }

    #[test]
    fn a_patch_and_its_inverse_restore_the_document(
        title in prop::option::of("[a-z]{1,5}"),
        given_name in prop::option::of("[a-z]{1,5}"),
        department in prop::option::of("[a-z]{1,5}"),
        emails in prop::collection::btree_map("[a-z]{1,3}", "[a-z]{1,3}", 0..4),
        new in "[a-z]{1,5}",
        mode in modes(),
    ) {
        let mut user = document(json!({"userName": "x"}));
        for (path, value) in [("title", &title), ("name.givenName", &given_name), ("department", &department)] {
            if let Some(value) = value {
                run(&users(), &mut user, &body(json!([{"op": "add", "path": path, "value": value}])), mode).unwrap();
            }
        }
        let emails: Vec<Value> = emails.iter().map(|(value, kind)| json!({"value": value, "type": kind})).collect();
        run(&users(), &mut user, &body(json!([{"op": "add", "path": "emails", "value": emails}])), mode).unwrap();
        let before = user.clone();
        let mut inverse = Vec::new();
        let mut forward = Vec::new();
        for (path, value) in [("title", &title), ("name.givenName", &given_name), ("department", &department)] {
            forward.push(json!({"op": "replace", "path": path, "value": new}));
            inverse.push(match value {
                Some(value) => json!({"op": "replace", "path": path, "value": value}),
                None => json!({"op": "remove", "path": path}),
            });
        }
        let address = format!("{new}@example.com");
        forward.push(json!({"op": "add", "path": "emails", "value": [{"value": address, "type": "new"}]}));
        inverse.push(json!({"op": "remove", "path": format!("emails[value eq \"{address}\"]")}));
        run(&users(), &mut user, &body(Value::Array(forward)), mode).unwrap();
        run(&users(), &mut user, &body(Value::Array(inverse)), mode).unwrap();
        prop_assert_eq!(user, before);
    }

    #[test]
    fn any_path_is_read_or_refused(path in r#"(\PC|[\[\]".\\]|emails|\[type eq "x"\]|urn:ietf:|name|\.value){0,8}"#, mode in modes()) {
        let body = body(json!([{"op": "replace", "path": path, "value": "x"}]));
        if let Err(error) = patch::parse(&users(), &body, mode) {
            prop_assert_eq!(error.status, 400);
        }
    }

    #[test]
    fn any_body_is_read_or_refused(body in values(), mode in modes()) {
        let mut group = document(json!({"displayName": "x"}));
        for body in [body.clone(), json!({"Operations": body})] {
            if let Err(error) = run(&groups(), &mut group, &body, mode) {
                prop_assert_eq!(error.status, 400);
            }
        }
    }
}
