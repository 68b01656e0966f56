//! The rules of RFC 7644 §3.5.2 and the tolerance rules, one by one.

use super::*;

fn two_emails() -> Value {
    json!({"emails": [{"value": "w@x", "type": "work", "primary": true}, {"value": "h@x", "type": "home"}]})
}

#[test]
fn r99_read_only_attributes_can_not_be_addressed() {
    for (op, path) in [
        ("add", "groups"),
        ("replace", "id"),
        ("replace", "meta.created"),
        ("remove", "meta"),
        ("remove", "id"),
        ("remove", "schemas"),
        ("add", "groups[value eq \"x\"].display"),
        ("remove", "urn:insomnia:params:scim:schemas:extension:1.0:User:licensed"),
        ("replace", "urn:insomnia:params:scim:schemas:extension:1.0:User:role"),
    ] {
        let operations = json!([{"op": op, "path": path, "value": "x"}]);
        assert_eq!(refused_in_both(json!({"id": "1"}), operations), ScimType::Mutability, "{op} {path}");
    }
    let rename = json!([{"op": "replace", "path": "manager.displayName", "value": "x"}]);
    assert_eq!(refused(json!({}), rename.clone(), Mode::STRICT), ScimType::Mutability);
    assert_eq!(compat(json!({}), rename), json!({}));
}

#[test]
fn r100_a_new_primary_value_takes_it_from_the_others() {
    let added = json!([{"op": "add", "path": "emails", "value": [{"value": "o@x", "primary": true}]}]);
    assert_eq!(
        either(two_emails(), added)["emails"],
        json!([{"value": "w@x", "type": "work", "primary": false}, {"value": "h@x", "type": "home"}, {"value": "o@x", "primary": true}])
    );
    let moved = json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]);
    assert_eq!(
        either(two_emails(), moved)["emails"],
        json!([{"value": "w@x", "type": "work", "primary": false}, {"value": "h@x", "type": "home", "primary": true}])
    );
    let created = json!([{"op": "add", "path": "emails[type eq \"other\" and primary eq true].value", "value": "o@x"}]);
    assert_eq!(either(two_emails(), created)["emails"][2], json!({"value": "o@x", "type": "other", "primary": true}));
}

#[test]
fn r101_schemas_says_which_extensions_are_there() {
    let schemas = |initial: Value, operations: Value| {
        let mut user = document(initial);
        run(&users(), &mut user, &body(operations), Mode::STRICT).unwrap();
        user["schemas"].clone()
    };
    let core = "urn:ietf:params:scim:schemas:core:2.0:User";
    let department = format!("{ENTERPRISE_USER}:department");
    assert_eq!(
        schemas(json!({"userName": "x"}), json!([{"op": "add", "path": department, "value": "x"}])),
        json!([core, ENTERPRISE_USER])
    );
    let with_extension =
        json!({"userName": "x", "schemas": [core, ENTERPRISE_USER], ENTERPRISE_USER: {"department": "x"}});
    assert_eq!(schemas(with_extension, json!([{"op": "remove", "path": department}])), json!([core]));
}

#[test]
fn r103_add_sets_appends_and_merges() {
    let initial = json!({"title": "a", "name": {"givenName": "G"}, "emails": [{"value": "w@x", "type": "work"}]});
    let operations = json!([{"op": "add", "value": {
        "title": "b", "name": {"familyName": "F"}, "emails": [{"value": "h@x", "type": "home"}]
    }}]);
    assert_eq!(
        either(initial, operations),
        json!({
            "title": "b", "name": {"givenName": "G", "familyName": "F"},
            "emails": [{"value": "w@x", "type": "work"}, {"value": "h@x", "type": "home"}]
        })
    );
    // A single value counts as a list with this value.
    let one = json!([{"op": "add", "path": "emails", "value": {"value": "h@x"}}]);
    assert_eq!(either(json!({}), one), json!({"emails": [{"value": "h@x"}]}));
}

#[test]
fn r104_t22_what_is_there_already_is_no_change() {
    for operation in [
        json!({"op": "add", "path": "emails", "value": [{"value": "w@x", "type": "work"}]}),
        json!({"op": "add", "path": "emails", "value": [{"type": "home", "value": "h@x"}]}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "w@x"}),
        json!({"op": "replace", "path": "emails", "value": [{"primary": true, "value": "w@x", "type": "work"}, {"value": "h@x", "type": "home"}]}),
        json!({"op": "remove", "path": "title"}),
        json!({"op": "remove", "path": "emails[type eq \"other\"]"}),
        json!({"op": "remove", "path": "emails[type eq \"other\"].value"}),
        json!({"op": "remove", "path": "phoneNumbers"}),
        json!({"op": "remove", "path": ENTERPRISE_USER}),
        json!({"op": "remove", "path": "emails", "value": []}),
        json!({"op": "add", "path": "emails", "value": []}),
        json!({"op": "add", "value": {}}),
    ] {
        for mode in [Mode::COMPAT, Mode::STRICT] {
            let (_, changed) = patched(two_emails(), json!([operation]), mode).unwrap();
            assert!(!changed, "{operation}");
        }
    }
}

#[test]
fn r105_add_where_the_filter_matches_nothing_creates_an_element() {
    let operations = json!([{"op": "add", "path": "emails[type eq \"other\"]", "value": {"value": "o@x"}}]);
    assert_eq!(either(json!({}), operations)["emails"], json!([{"value": "o@x", "type": "other"}]));
}

#[test]
fn t9_only_what_then_matches_the_filter_is_created() {
    let replace = |path: &str| json!([{"op": "replace", "path": path, "value": "n@x"}]);
    let created = compat(json!({}), replace("emails[type eq \"work\" and primary eq \"True\"].value"));
    assert_eq!(created["emails"], json!([{"value": "n@x", "type": "work", "primary": true}]));
    assert_eq!(
        compat(json!({}), replace("emails[type eq \"work\"]"))["emails"],
        json!([{"value": "n@x", "type": "work"}])
    );
    for path in [
        "emails[type sw \"w\"].value",
        "emails[type eq \"work\" and value eq \"old@x\"].value",
        "emails[type eq \"a\" or type eq \"b\"].value",
    ] {
        assert_eq!(refused(json!({}), replace(path), Mode::COMPAT), ScimType::NoTarget, "{path}");
    }
    // Without a value, no element is created.
    let null = json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": null}]);
    assert_eq!(compat(json!({}), null), json!({}));
}

#[test]
fn r106_remove() {
    let removed = |path: &str| either(two_emails(), json!([{"op": "remove", "path": path}]));
    assert_eq!(removed("emails"), json!({}));
    assert_eq!(removed("emails[type eq \"work\"]"), json!({"emails": [{"value": "h@x", "type": "home"}]}));
    assert_eq!(removed("emails[value ew \"@x\"]"), json!({}));
    assert_eq!(removed("emails.type"), json!({"emails": [{"value": "w@x", "primary": true}, {"value": "h@x"}]}));
    let name = json!({"name": {"givenName": "G"}});
    assert_eq!(either(name, json!([{"op": "remove", "path": "name.givenName"}])), json!({}));
    let extension = json!({"title": "x", ENTERPRISE_USER: {"department": "x", "manager": {"value": "1"}}});
    assert_eq!(either(extension.clone(), json!([{"op": "remove", "path": ENTERPRISE_USER}])), json!({"title": "x"}));
    assert_eq!(compat(extension, json!([{"op": "replace", "value": {ENTERPRISE_USER: null}}])), json!({"title": "x"}));
}

#[test]
fn r106_an_email_without_its_address_is_no_email() {
    let operations = json!([{"op": "Remove", "path": "emails[type eq \"work\"].value"}]);
    assert_eq!(compat(two_emails(), operations.clone())["emails"], json!([{"value": "h@x", "type": "home"}]));
    let strict = patched(two_emails(), operations, Mode::STRICT).unwrap().0;
    assert_eq!(strict["emails"][0], json!({"type": "work", "primary": true}));
}

#[test]
fn r107_r112_required_attributes_stay() {
    for operation in [
        json!({"op": "remove", "path": "userName"}),
        json!({"op": "remove", "path": "urn:ietf:params:scim:schemas:core:2.0:User:userName"}),
    ] {
        assert_eq!(refused_in_both(json!({}), json!([operation])), ScimType::Mutability);
    }
    for value in [json!(null), json!("")] {
        let operations = json!([{"op": "replace", "path": "userName", "value": value}]);
        assert_eq!(refused_in_both(json!({}), operations), ScimType::InvalidValue);
    }
}

#[test]
fn r109_replace_keeps_the_sub_attributes_that_are_not_sent() {
    let initial =
        json!({"name": {"givenName": "G", "familyName": "F"}, ENTERPRISE_USER: {"department": "D", "division": "V"}});
    let operations = json!([
        {"op": "replace", "path": "name", "value": {"givenName": "H"}},
        {"op": "replace", "path": ENTERPRISE_USER, "value": {"department": "E"}}
    ]);
    assert_eq!(
        either(initial, operations),
        json!({"name": {"givenName": "H", "familyName": "F"}, ENTERPRISE_USER: {"department": "E", "division": "V"}})
    );
}

#[test]
fn r26_null_and_empty_are_no_value() {
    let initial = json!({"title": "T", "name": {"givenName": "G", "middleName": "M"}, "emails": [{"value": "a@x"}]});
    let operations = json!([{"op": "replace", "value": {"title": null, "name": {"middleName": null}, "emails": []}}]);
    assert_eq!(either(initial.clone(), operations), json!({"name": {"givenName": "G"}}));
    // In compat mode an empty string counts as no value (T6).
    let operations = json!([{"op": "replace", "value": {"title": "", "name": {"MiddleName": ""}}}]);
    assert_eq!(compat(initial, operations), json!({"name": {"givenName": "G"}, "emails": [{"value": "a@x"}]}));
}

#[test]
fn r109_replace_without_filter_replaces_all_values() {
    let operations = json!([{"op": "replace", "path": "emails", "value": [{"value": "n@x"}]}]);
    assert_eq!(either(two_emails(), operations), json!({"emails": [{"value": "n@x"}]}));
}

#[test]
fn r110_replace_with_filter_replaces_every_match() {
    let initial =
        json!({"roles": [{"value": "a", "type": "x"}, {"value": "b", "type": "x", "display": "B"}, {"value": "c"}]});
    let sub = json!([{"op": "replace", "path": "roles[type eq \"x\"].display", "value": "D"}]);
    assert_eq!(
        either(initial.clone(), sub)["roles"],
        json!([{"value": "a", "type": "x", "display": "D"}, {"value": "b", "type": "x", "display": "D"}, {"value": "c"}])
    );
    let whole = json!([{"op": "replace", "path": "roles[value eq \"b\"]", "value": {"value": "d", "type": "y"}}]);
    assert_eq!(
        either(initial.clone(), whole)["roles"],
        json!([{"value": "a", "type": "x"}, {"value": "d", "type": "y"}, {"value": "c"}])
    );
    let merged = json!([{"op": "add", "path": "roles[value eq \"b\"]", "value": {"type": "y"}}]);
    assert_eq!(either(initial.clone(), merged)["roles"][1], json!({"value": "b", "type": "y", "display": "B"}));
    // In compat mode the element still matches the filter that has chosen it.
    let without_type =
        json!([{"op": "replace", "path": "roles[type eq \"x\" and value eq \"a\"]", "value": {"value": "e"}}]);
    assert_eq!(compat(initial, without_type)["roles"][0], json!({"value": "e", "type": "x"}));
}

#[test]
fn r111_replace_with_filter_that_matches_nothing() {
    let operations = json!([{"op": "replace", "path": "emails[type eq \"other\"].value", "value": "o@x"}]);
    assert_eq!(refused(two_emails(), operations.clone(), Mode::STRICT), ScimType::NoTarget);
    assert_eq!(compat(two_emails(), operations)["emails"][2], json!({"value": "o@x", "type": "other"}));
}

#[test]
fn t3_remove_with_value_from_any_multi_valued_attribute() {
    let removed = |value: Value| {
        either(two_emails(), json!([{"op": "remove", "path": "emails", "value": value}]))["emails"].clone()
    };
    let home = json!([{"value": "h@x", "type": "home"}]);
    for value in [
        json!([{"value": "W@X"}]),
        json!("w@x"),
        json!(["w@x", "no@x"]),
        json!({"value": "w@x", "$ref": null, "display": "x"}),
        json!([{"type": "work"}]),
        json!([{"primary": true, "type": "work"}]),
        json!([{"value": "w@x", "type": "Work"}]),
    ] {
        assert_eq!(removed(value.clone()), home, "{value}");
    }
    for value in
        [json!([{"value": "w@x", "type": "home"}]), json!([{}]), json!([{"nosuch": "x"}]), json!([{"value": null}])]
    {
        assert_eq!(removed(value.clone()), two_emails()["emails"], "{value}");
    }
    let both = json!([{"op": "remove", "path": "emails", "value": [{"value": "w@x"}, {"value": "h@x"}]}]);
    assert_eq!(either(two_emails(), both), json!({}));
}

#[test]
fn t10_manager_in_all_its_forms() {
    let set = |path: &str, value: Value| compat(json!({}), json!([{"op": "add", "path": path, "value": value}]));
    let expected = json!({ENTERPRISE_USER: {"manager": {"value": "271"}}});
    let urn = format!("{ENTERPRISE_USER}:manager");
    for path in ["manager", "Manager", urn.as_str()] {
        for value in [
            json!("271"),
            json!({"value": "271"}),
            json!([{"value": "271"}]),
            json!({"managerId": "271", "displayName": "x"}),
        ] {
            assert_eq!(set(path, value.clone()), expected, "{path} {value}");
        }
    }
    assert_eq!(set("manager.value", json!("271")), expected);
    assert_eq!(set(&format!("{urn}.value"), json!("271")), expected);
}

#[test]
fn t10_manager_is_cleared_by_null_an_empty_string_or_remove() {
    let initial =
        || json!({ENTERPRISE_USER: {"manager": {"value": "271", "$ref": "../Users/271", "displayName": "Boss"}}});
    for operation in [
        json!({"op": "replace", "path": "manager", "value": ""}),
        json!({"op": "replace", "path": "manager", "value": null}),
        json!({"op": "replace", "path": "manager", "value": {"value": ""}}),
        json!({"op": "replace", "path": "manager.value", "value": null}),
        json!({"op": "remove", "path": "manager"}),
        json!({"op": "remove", "path": "manager.value"}),
        json!({"op": "remove", "path": "manager", "value": [{"value": "271"}]}),
    ] {
        assert_eq!(compat(initial(), json!([operation])), json!({}), "{operation}");
    }
}

#[test]
fn t10_another_manager_has_another_reference_and_name() {
    let initial = || json!({ENTERPRISE_USER: {"manager": {"value": "1", "$ref": "../Users/1", "displayName": "Boss"}}});
    let manager = |path: &str, value: Value| {
        either(initial(), json!([{"op": "replace", "path": path, "value": value}]))[ENTERPRISE_USER]["manager"].clone()
    };
    assert_eq!(manager("manager.value", json!("2")), json!({"value": "2"}));
    assert_eq!(
        manager("manager", json!({"value": "2", "$ref": "../Users/2"})),
        json!({"value": "2", "$ref": "../Users/2"})
    );
    assert_eq!(manager("manager", json!({"value": "1"})), initial()[ENTERPRISE_USER]["manager"]);
}

#[test]
fn t13_a_single_value_in_a_list_or_an_object() {
    for value in [json!([{"value": "x"}]), json!({"value": "x"}), json!(["x"]), json!("x")] {
        assert_eq!(
            compat(json!({}), json!([{"op": "replace", "path": "title", "value": value}])),
            json!({"title": "x"})
        );
    }
    let operations = json!([{"op": "replace", "path": "title", "value": ["x", "y"]}]);
    assert_eq!(refused_in_both(json!({}), operations), ScimType::InvalidValue);
}

#[test]
fn r23_wrong_types_are_refused() {
    for (path, value) in [
        ("active", json!("maybe")),
        ("name", json!("x")),
        ("name.givenName", json!({"x": 1})),
        ("emails", json!([[1]])),
        ("emails[type eq \"work\"].primary", json!("x")),
        ("title", json!({"x": 1})),
        (ENTERPRISE_USER, json!("x")),
    ] {
        let operations = json!([{"op": "replace", "path": path, "value": value}]);
        assert_eq!(refused(two_emails(), operations, Mode::COMPAT), ScimType::InvalidValue, "{path}");
    }
    for (path, value) in [("active", json!("true")), ("title", json!(17)), ("emails", json!(["x"]))] {
        let operations = json!([{"op": "replace", "path": path, "value": value}]);
        assert_eq!(refused(two_emails(), operations, Mode::STRICT), ScimType::InvalidValue, "{path}");
    }
}

#[test]
fn a_sub_attribute_of_all_values() {
    let operations = json!([{"op": "replace", "path": "emails.display", "value": "x"}]);
    let user = either(two_emails(), operations.clone());
    assert_eq!(user["emails"][0]["display"], "x");
    assert_eq!(user["emails"][1]["display"], "x");
    assert_eq!(
        either(json!({}), json!([{"op": "add", "path": "emails.value", "value": "n@x"}])),
        json!({"emails": [{"value": "n@x"}]})
    );
}
