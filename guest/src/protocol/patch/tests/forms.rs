//! The forms of the body, of paths and of value objects.

use super::*;

fn parse_error(body: &Value, mode: Mode<'_>) -> ScimType {
    patch::parse(&users(), body, mode).unwrap_err().scim_type.unwrap()
}

#[test]
fn r95_the_body_has_operations_with_one_of_three_ops() {
    for body in [
        json!([]),
        json!("x"),
        json!({}),
        json!({"Operations": "x"}),
        json!({"Operations": [17]}),
        body(json!([{}])),
        body(json!([{"op": "move", "path": "title"}])),
        body(json!([{"op": 1, "path": "title"}])),
        body(json!([{"op": "test", "path": "title", "value": "x"}])),
    ] {
        for mode in [Mode::COMPAT, Mode::STRICT] {
            assert_eq!(parse_error(&body, mode), ScimType::InvalidSyntax, "{body}");
        }
    }
    let without_schema = json!({"Operations": [{"op": "replace", "path": "title", "value": "x"}]});
    assert_eq!(parse_error(&without_schema, Mode::STRICT), ScimType::InvalidSyntax);
    assert_eq!(patch::parse(&users(), &without_schema, Mode::COMPAT).unwrap().len(), 1);
}

#[test]
fn t1_keys_ops_and_names_in_any_case() {
    let body = json!({"SCHEMAS": ["URN:ietf:params:scim:api:messages:2.0:patchop"], "operations": [
        {"OP": "ADD", "Path": "NickName", "Value": "Babs"},
        {"op": "rePlace", "path": "NAME.givenname", "value": "Barbara"},
        {"op": "Remove", "path": "TITLE"}
    ]});
    for mode in [Mode::COMPAT, Mode::STRICT] {
        let mut user = document(json!({"userName": "x", "title": "Boss"}));
        assert!(run(&users(), &mut user, &body, mode).unwrap().changed);
        user.shift_remove("schemas");
        assert_eq!(Value::Object(user), json!({"userName": "x", "nickName": "Babs", "name": {"givenName": "Barbara"}}));
    }
}

#[test]
fn r96_remove_needs_a_path() {
    for operation in [
        json!({"op": "remove"}),
        json!({"op": "remove", "path": null}),
        json!({"op": "remove", "value": {"title": "x"}}),
    ] {
        assert_eq!(refused_in_both(json!({}), json!([operation])), ScimType::NoTarget);
    }
}

#[test]
fn r103_add_and_replace_need_a_value() {
    for op in ["add", "replace"] {
        assert_eq!(refused_in_both(json!({}), json!([{"op": op, "path": "title"}])), ScimType::InvalidValue);
        assert_eq!(refused_in_both(json!({}), json!([{"op": op, "value": "x"}])), ScimType::InvalidValue);
    }
}

#[test]
fn limit_of_operations() {
    let operations =
        |count: usize| body(Value::Array(vec![json!({"op": "replace", "path": "title", "value": "x"}); count]));
    assert_eq!(patch::parse(&users(), &operations(10_000), Mode::COMPAT).unwrap().len(), 10_000);
    assert_eq!(parse_error(&operations(10_001), Mode::COMPAT), ScimType::TooMany);
}

#[test]
fn operations_that_look_at_too_many_values_are_refused() {
    let roles: Vec<Value> = (0..2_000).map(|role| json!({"value": format!("role-{role}")})).collect();
    let operation = json!({"op": "replace", "path": "roles[value eq \"role-1\"].display", "value": "x"});
    let operations = Value::Array(vec![operation; 2_000]);
    assert_eq!(refused(json!({"roles": roles}), operations, Mode::COMPAT), ScimType::TooMany);
}

#[test]
fn r97_malformed_paths() {
    for path in [
        "emails[type eq \"work\"",
        "emails[type eq \"work]",
        "emails]",
        "[type eq \"work\"]",
        "emails[type eq \"work\"]value",
        "emails[type eq \"work\"].",
        "emails[type eq \"work\"].value.x",
        "name.",
        ".name",
        "name..givenName",
        "na me",
        "/emails/0",
        "emails.0",
        "emails[type eq \"work\"][type eq \"work\"]",
        "userName[value eq \"x\"]",
        "name[givenName eq \"x\"]",
        "emails.value[type eq \"x\"]",
        "\"title\"",
    ] {
        let operations = json!([{"op": "replace", "path": path, "value": "x"}]);
        assert_eq!(refused_in_both(json!({}), operations), ScimType::InvalidPath, "{path}");
    }
    assert_eq!(refused_in_both(json!({}), json!([{"op": "replace", "path": 17, "value": "x"}])), ScimType::InvalidPath);
}

#[test]
fn r97_bad_filters_in_paths() {
    for path in [
        "emails[]",
        "emails[0]",
        "emails[type is \"x\"].value",
        "emails[nosuch eq \"x\"].value",
        "emails[primary gt true]",
    ] {
        let operations = json!([{"op": "replace", "path": path, "value": "x"}]);
        assert_eq!(refused_in_both(json!({}), operations), ScimType::InvalidFilter, "{path}");
    }
}

#[test]
fn brackets_and_quotes_within_a_filter_are_text() {
    let initial = json!({"roles": [{"value": "a]\"[b"}, {"value": "c"}]});
    let path = r#"roles[value eq "a]\"[b"].display"#;
    let user = either(initial, json!([{"op": "add", "path": path, "value": "x"}]));
    assert_eq!(user["roles"], json!([{"value": "a]\"[b", "display": "x"}, {"value": "c"}]));
}

#[test]
fn unknown_attributes_are_ignored_in_compat_mode_and_refused_in_strict_mode() {
    for path in [
        "nosuch",
        "name.nosuch",
        "nosuch[type eq \"x\"].value",
        "urn:example:2.0:User:x",
        "emails[type eq \"work\"].nosuch",
    ] {
        for operation in [json!({"op": "add", "path": path, "value": "x"}), json!({"op": "remove", "path": path})] {
            assert_eq!(compat(json!({"title": "x"}), json!([operation])), json!({"title": "x"}), "{path}");
            assert_eq!(refused(json!({}), json!([operation]), Mode::STRICT), ScimType::InvalidPath, "{path}");
        }
    }
    let operations =
        json!([{"op": "add", "value": {"nosuch": 1, "urn:okta:custom:group:1.0": {"description": "x"}, "title": "y"}}]);
    assert_eq!(compat(json!({}), operations.clone()), json!({"title": "y"}));
    assert_eq!(refused(json!({}), operations, Mode::STRICT), ScimType::InvalidSyntax);
}

#[test]
fn t7_keys_of_a_value_object_are_paths() {
    let operations = json!([{"op": "add", "value": {
        "name.givenName": "Barbara",
        "NAME": {"familyName": "Jensen"},
        "emails[type eq \"work\"].value": "b@example.com",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Tours", "manager.value": "271"},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "17",
        "urn:ietf:params:scim:schemas:core:2.0:User:nickName": "Babs",
        "urn:ietf:params:scim:schemas:core:2.0:User": {"title": "Boss"},
        "costCenter": "4130"
    }}]);
    assert_eq!(
        compat(json!({}), operations),
        json!({
            "name": {"givenName": "Barbara", "familyName": "Jensen"},
            "emails": [{"value": "b@example.com", "type": "work"}],
            "nickName": "Babs", "title": "Boss",
            ENTERPRISE_USER: {"department": "Tours", "manager": {"value": "271"}, "employeeNumber": "17", "costCenter": "4130"}
        })
    );
}

#[test]
fn t5_read_only_attributes_in_a_value_object() {
    let initial = json!({"id": "1", "meta": {"resourceType": "User"}});
    let same = json!([{"op": "replace", "value": {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "1", "meta": {"resourceType": "User"}, "groups": [], "title": "x"
    }}]);
    assert_eq!(either(initial.clone(), same), json!({"id": "1", "meta": {"resourceType": "User"}, "title": "x"}));
    let different = json!([{"op": "replace", "value": {"id": "2", "title": "x"}}]);
    assert_eq!(
        compat(initial.clone(), different.clone()),
        json!({"id": "1", "meta": {"resourceType": "User"}, "title": "x"})
    );
    assert_eq!(refused(initial, different, Mode::STRICT), ScimType::Mutability);
}

#[test]
fn t8_legacy_separator_behind_the_urn() {
    let path = format!("{ENTERPRISE_USER}.department");
    assert_eq!(
        either(json!({}), json!([{"op": "add", "path": path, "value": "Tours"}])),
        json!({ENTERPRISE_USER: {"department": "Tours"}})
    );
}

#[test]
fn r98_an_error_names_the_operation_and_changes_nothing() {
    let operations = json!([
        {"op": "replace", "path": "title", "value": "x"},
        {"op": "replace", "path": "active", "value": "maybe"}
    ]);
    let error = patched(json!({"title": "y"}), operations, Mode::COMPAT).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    assert!(error.detail.starts_with("operation 2: "), "{}", error.detail);
}
