//! The tolerance rules one by one, and values that are refused nevertheless.

use super::*;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[test]
fn t1_names_and_urns_have_any_case() {
    let document = compat(
        "User",
        json!({"SCHEMAS":["URN:ietf:params:scim:schemas:CORE:2.0:user"],"USERNAME":"ada","Name":{"FAMILYNAME":"Lovelace"},
         "Emails":[{"VALUE":"ada@example.com","Primary":true}],
         "urn:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User":{"DEPARTMENT":"Engines"}}),
    );
    assert_eq!(
        document,
        Ok(json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",ENTERPRISE],"userName":"ada",
         "name":{"familyName":"Lovelace"},"emails":[{"value":"ada@example.com","primary":true}],
         ENTERPRISE:{"department":"Engines"}}))
    );
}

#[test]
fn t2_strings_become_booleans() {
    for (sent, kept) in [("true", true), ("True", true), ("FALSE", false), ("False", false), (" true ", true)] {
        assert_eq!(user_attribute("active", json!(sent)), json!(kept), "{sent:?}");
    }
    let (scim_type, detail) = refusal(compat("User", json!({"userName":"ada","active":"yes"})));
    assert_eq!(scim_type, Some(ScimType::InvalidValue));
    assert_eq!(detail, "`active` must be true or false");
}

#[test]
fn t4_members_have_many_forms() {
    let document = compat(
        "Group",
        json!({"displayName":"Engines","members":[{"value":"a"},{"value":"b","$ref":null},{"value":"c","display":"C"},
         {"value":"d","type":"User"},"e",{"value":"a","display":"again"},"d",null]}),
    );
    assert_eq!(
        document,
        Ok(json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Engines",
         "members":[{"value":"a"},{"value":"b"},{"value":"c"},{"value":"d","type":"User"},{"value":"e"}]}))
    );
}

#[test]
fn t4_a_member_without_a_value_is_refused() {
    for member in [json!({}), json!({"display":"x"}), json!({"value":null}), json!({"type":"User"})] {
        let (scim_type, detail) = refusal(compat("Group", json!({"displayName":"Engines","members":[member]})));
        assert_eq!(scim_type, Some(ScimType::InvalidValue));
        assert_eq!(detail, "`members.value` is required");
    }
}

#[test]
fn t6_what_can_not_be_used_is_ignored() {
    let document = compat(
        "User",
        json!({"schemas":["urn:okta:custom:group:1.0"],"id":"x","meta":{"version":"1"},"groups":[{"value":"g"}],"userName":"ada",
         "middleName":"","nickName":"","title":null,"emails":[],"name":{"middleName":"","givenName":"Ada"},"favouriteColour":"blue",
         "urn:okta:custom:group:1.0":{"description":"x"},"phoneNumbers":[{"value":""},{"value":"1","unknown":true}]}),
    );
    assert_eq!(
        document,
        Ok(
            json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","name":{"givenName":"Ada"},
         "phoneNumbers":[{"value":"1"}]})
        )
    );
}

#[test]
fn t6_the_endpoint_says_what_the_resource_is_unless_schemas_name_another() {
    assert!(compat("User", json!({"userName":"ada"})).is_ok());
    assert!(compat("User", json!({"schemas":null,"userName":"ada"})).is_ok());
    assert!(compat("User", json!({"schemas":"nonsense","userName":"ada"})).is_ok());
    let group = json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"userName":"ada"});
    assert_eq!(refusal(compat("User", group)).0, Some(ScimType::InvalidSyntax));
}

#[test]
fn t7_keys_can_be_paths() {
    let document = compat(
        "User",
        json!({"userName":"ada","name.givenName":"Ada","name":{"familyName":"Lovelace"},"NAME.familyName":"ignored",
         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"1",
         "urn:ietf:params:scim:schemas:core:2.0:User:title":"Countess",
         "urn:ietf:params:scim:schemas:core:2.0:User":{"nickName":"A","id":"x","schemas":[]},
         "emails.value":"ada@example.com","emails.primary":"true"}),
    );
    assert_eq!(
        document,
        Ok(
            json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User",ENTERPRISE],"userName":"ada","title":"Countess",
         "nickName":"A","name":{"givenName":"Ada","familyName":"Lovelace"},
         "emails":[{"value":"ada@example.com","primary":true}],ENTERPRISE:{"employeeNumber":"1"}})
        )
    );
}

#[test]
fn t7_of_several_spellings_of_a_path_the_last_one_counts() {
    let body = json!({"userName":"ada","name.givenName":"1","NAME.givenName":"2","department":"1","Department":"2",
         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department":"3"});
    let document = compat("User", body).expect("a user");
    assert_eq!(document.get("name"), Some(&json!({"givenName":"2"})));
    assert_eq!(document.get(ENTERPRISE), Some(&json!({"department":"3"})));
}

#[test]
fn t10_the_manager_has_many_forms() {
    let manager = |value: Value| {
        let document = compat("User", json!({"userName":"ada",ENTERPRISE:{"manager":value}})).expect("a user");
        document.get(ENTERPRISE).and_then(|extension| extension.get("manager")).cloned().unwrap_or_default()
    };
    let plain = json!({"value":"26"});
    assert_eq!(manager(json!("26")), plain);
    assert_eq!(manager(json!(26)), plain);
    assert_eq!(manager(json!({"value":"26"})), plain);
    assert_eq!(manager(json!({"value":"26","displayName":"Charles","$ref":null})), plain);
    assert_eq!(manager(json!({"managerId":"26","displayName":"Charles"})), plain);
    assert_eq!(
        manager(json!([{"$ref":"http://h/Users/26","value":"26"}])),
        json!({"$ref":"http://h/Users/26","value":"26"})
    );
    for nothing in [json!(""), json!(null), json!([]), json!({}), json!({"value":""}), json!({"displayName":"Charles"})]
    {
        assert_eq!(manager(nothing.clone()), Value::Null, "{nothing}");
    }
}

#[test]
fn t11_extension_attributes_can_be_bare_and_the_extension_s_own_win() {
    let document =
        compat("User", json!({"userName":"ada","department":"bare","costCenter":"7",ENTERPRISE:{"department":"own"}}));
    let document = document.expect("a user");
    assert_eq!(document.get(ENTERPRISE), Some(&json!({"department":"own","costCenter":"7"})));
}

#[test]
fn t12_json_text_in_a_value_is_a_string() {
    let text = "{\"id\":\"06b07648-ecfe-589f-9d2f-6325724a46ee\",\"value\":\"25\",\"displayName\":\"Role1234\"}";
    assert_eq!(user_attribute("roles", json!([{"value":text}])), json!([{"value":text}]));
    assert_eq!(user_attribute("roles", json!("Admin")), json!([{"value":"Admin"}]));
}

#[test]
fn t13_single_values_come_wrapped() {
    for wrapped in [json!([{"value":"x"}]), json!({"value":"x"}), json!(["x"]), json!({"Value":"x"})] {
        assert_eq!(user_attribute("title", wrapped), json!("x"));
    }
    for wrong in [json!(["x", "y"]), json!({"label":"x"}), json!({"value":{"value":"x"}}), json!([["x"]])] {
        assert_eq!(refusal(compat("User", json!({"userName":"ada","title":wrong}))).0, Some(ScimType::InvalidValue));
    }
}

#[test]
fn t27_values_are_kept_as_sent() {
    for (name, value) in [
        ("locale", json!("not a locale ")),
        ("profileUrl", json!("not a url")),
        ("addresses", json!([{"country":"Atlantis"}])),
        ("phoneNumbers", json!([{"value":"call me","type":"carrier pigeon"}])),
        ("emails", json!([{"value":"ADA@Example.com"},{"value":"ada@example.com","type":"home"}])),
    ] {
        assert_eq!(user_attribute(name, value.clone()), value);
    }
    assert_eq!(user_attribute("title", json!(7)), json!("7"));
}

#[test]
fn r24_of_several_primary_values_the_first_wins() {
    let sent = json!([{"value":"a"},{"value":"b","primary":true},{"value":"c","primary":true}]);
    let kept = json!([{"value":"a"},{"value":"b","primary":true},{"value":"c","primary":false}]);
    assert_eq!(user_attribute("emails", sent), kept);
}

#[test]
fn r25_the_same_type_and_value_is_kept_once() {
    let sent =
        json!([{"value":"a","type":"work"},{"value":"a","type":"home"},{"value":"a","type":"work","primary":true}]);
    let kept = json!([{"value":"a","type":"work","primary":true},{"value":"a","type":"home"}]);
    assert_eq!(user_attribute("emails", sent), kept);
}

#[test]
fn r48_a_missing_required_attribute_is_an_invalid_value() {
    for body in
        [json!({}), json!({"userName":null}), json!({"userName":""}), json!({"userName":" "}), json!({"userName":[]})]
    {
        assert_eq!(refusal(compat("User", body)), (Some(ScimType::InvalidValue), "`userName` is required".to_owned()));
    }
    assert_eq!(refusal(compat("Group", json!({"members":[]}))).1, "`displayName` is required");
}

#[test]
fn r48_a_wrong_type_names_the_attribute_and_not_the_value() {
    for (body, detail) in [
        (json!({"userName":"ada","name":"secret"}), "`name` must be an object"),
        (json!({"userName":"ada","emails":[{"value":["secret","secret"]}]}), "`emails.value` must be a single value"),
        (json!({"userName":"ada","password":["secret","secret"]}), "`password` must be a single value"),
        (
            json!({"userName":"ada",ENTERPRISE:{"manager":{"value":{"x":"secret"}}}}),
            "`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value` must be a string",
        ),
        (
            json!({"userName":"ada",ENTERPRISE:"secret"}),
            "`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User` must be an object",
        ),
    ] {
        assert_eq!(refusal(compat("User", body)), (Some(ScimType::InvalidValue), detail.to_owned()));
    }
}

#[test]
fn r48_what_is_no_json_object_is_invalid_syntax() {
    for body in [json!(null), json!([]), json!("x"), json!(1)] {
        assert_eq!(refusal(compat("User", body)).0, Some(ScimType::InvalidSyntax));
    }
    let deep = "[".repeat(100_000);
    for body in ["", " ", "{", "{\"a\":secret}", deep.as_str()] {
        let error = parse(body.as_bytes()).expect_err("not JSON");
        assert_eq!((error.status, error.scim_type), (400, Some(ScimType::InvalidSyntax)));
        assert!(!error.detail.contains("secret"));
    }
    assert_eq!(parse(b"\xef\xbb\xbf{\"a\":1}"), Ok(json!({"a":1})));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for (body, what) in [(deep.as_str(), "is nested too deep"), ("{\"a\":1e400}", "has a number that is too large")] {
        let error = parse(body.as_bytes()).expect_err("a refusal");
        assert_eq!(error.scim_type, Some(ScimType::InvalidSyntax));
        assert!(error.detail.contains(what), "{}", error.detail);
    }
}

#[test]
fn sizes_are_bounded() {
    let long = "x".repeat(64 * 1024);
    assert_eq!(user_attribute("title", json!(long)), json!(long));
    assert_eq!(
        refusal(compat("User", json!({"userName":"ada","title":format!("{long}x")}))).0,
        Some(ScimType::InvalidValue)
    );
    let picture = format!("data:{}", long.repeat(7));
    assert_eq!(user_attribute("photos", json!([{"value":picture}])), json!([{"value":picture}]));
    let many = |count: usize| (0..count).map(|number| json!({"value":number.to_string()})).collect::<Vec<_>>();
    assert!(compat("User", json!({"userName":"ada","emails":many(10_000)})).is_ok());
    assert!(compat("User", json!({"userName":"ada","emails":many(10_001)})).is_err());
    assert!(compat("Group", json!({"displayName":"x","members":many(100_000)})).is_ok());
    assert!(compat("Group", json!({"displayName":"x","members":many(100_001)})).is_err());
}

#[test]
fn elements_settle_what_patch_has_put_together() {
    let user = schema("User");
    let emails = user.core_attribute("emails").expect("emails");
    let values = vec![json!({"value":"a"}), json!({"value":"a"}), json!({"value":"b"})];
    assert_eq!(elements(emails, values, Mode::COMPAT), Ok(Some(json!([{"value":"a"},{"value":"b"}]))));
    assert_eq!(elements(emails, Vec::new(), Mode::COMPAT), Ok(None));
    assert_eq!(element(emails, json!("a"), Mode::COMPAT), Ok(Some(json!({"value":"a"}))));
    assert_eq!(value(emails, json!([""]), Mode::COMPAT), Ok(None));
}

#[test]
fn schemas_follow_the_attributes() {
    let user = schema("User");
    let Value::Object(mut document) = json!({"userName":"ada",ENTERPRISE:{"department":"x"}}) else { unreachable!() };
    set_schemas(&user, &mut document);
    assert_eq!(document.get("schemas"), Some(&json!(["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE])));
    document.insert(ENTERPRISE.to_owned(), json!({}));
    set_schemas(&user, &mut document);
    assert_eq!(
        Value::Object(document),
        json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"})
    );
}

#[test]
fn values_without_a_value_are_merged_where_they_are_the_same() {
    let home = json!({"type": "home", "locality": "London"});
    assert_eq!(
        user_attribute(
            "addresses",
            json!([home, {"locality": "London", "type": "home", "primary": true}, {"type": "home"}])
        ),
        json!([{"type": "home", "locality": "London", "primary": true}, {"type": "home"}])
    );
}
