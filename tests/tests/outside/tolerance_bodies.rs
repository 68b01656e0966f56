//! Tolerance rules for bodies: what identity providers send in POST, PUT and in values (T2, T4 to T6, T10 to T13, T23,
//! T26, T27, T33, T35).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::{Person, guid, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, GROUP, PATCH, USER, id, members, patch, sorted, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

/// Creates someone with further attributes and returns the resource.
#[track_caller]
fn create(with: Value) -> Value {
    let mut request = seed::user_request(&Person::new("body"));
    for (name, value) in with.as_object().expect("an object") {
        request[name] = value.clone();
    }
    client().post("/Users", request).resource(201)
}

#[track_caller]
fn put(user: &Value, with: Value) -> Value {
    let mut request = json!({ "schemas": [USER], "userName": user["userName"] });
    for (name, value) in with.as_object().expect("an object") {
        request[name] = value.clone();
    }
    client().put(&format!("/Users/{}", id(user)), request).resource(200)
}

#[track_caller]
fn patched(user: &Value, operations: Value) -> Value {
    client().patch(&format!("/Users/{}", id(user)), patch(operations)).resource(200)
}

#[test]
fn t2_strings_are_booleans_in_post() {
    for (sent, stored) in [("True", true), ("true", true), ("FALSE", false), ("False", false)] {
        let created = create(json!({ "active": sent }));
        assert_eq!(created["active"], json!(stored));
    }
    let created = create(json!({ "roles": [{ "value": "Admin", "primary": "True" }] }));
    assert_eq!(created["roles"], json!([{ "value": "Admin", "primary": true }]));
}

#[test]
fn t2_strings_are_booleans_in_put() {
    let user = create(json!({}));
    assert_eq!(put(&user, json!({ "active": "false" }))["active"], json!(false));
    assert_eq!(put(&user, json!({ "active": "TRUE" }))["active"], json!(true));
}

#[test]
fn t2_other_strings_are_no_booleans() {
    let mut request = seed::user_request(&Person::new("maybe"));
    request["active"] = json!("maybe");
    client().post("/Users", request).refusal(400, "invalidValue");
}

#[test]
fn t4_member_elements_in_every_form() {
    let client = client();
    let ids = seed::people(&client, "t4", 5);
    let body = json!({ "schemas": [GROUP], "displayName": unique("t4"), "members": [
        { "value": ids[0] },
        { "value": ids[1], "$ref": null },
        { "value": ids[2], "display": "someone@example.com" },
        { "value": ids[3], "type": "value" },
        ids[4],
        { "value": ids[0], "display": "again" },
    ] });
    let group = client.post("/Groups", body).resource(201);
    assert_eq!(members(&group), sorted(&ids), "duplicates are merged");
    for member in group["members"].as_array().expect("members") {
        assert_eq!(member["type"], json!("User"), "the type is a label that the server derives");
        assert_ne!(member["display"], json!("again"), "display is not taken from the input");
        assert_ne!(member["display"], json!("someone@example.com"));
        assert!(text(member, "$ref").ends_with(&format!("/Users/{}", text(member, "value"))));
    }
}

#[test]
fn t4_member_elements_in_every_form_by_patch() {
    let client = client();
    let ids = seed::people(&client, "t4", 4);
    let group = id(&seed::group(&client, &unique("t4"), &[]));
    let values =
        [json!([ids[0]]), json!(ids[1]), json!({ "value": ids[2] }), json!([{ "value": ids[3], "$ref": null }])];
    for value in values {
        client
            .patch(&format!("/Groups/{group}"), patch(json!({ "op": "add", "path": "members", "value": value })))
            .resource(200);
    }
    let read = client.get(&format!("/Groups/{group}")).resource(200);
    assert_eq!(members(&read), sorted(&ids));
}

#[test]
fn t5_read_only_attributes_in_a_path_less_value_are_ignored() {
    let user = create(json!({}));
    let answer = patched(
        &user,
        json!({ "op": "replace", "value": {
            "id": user["id"], "schemas": user["schemas"], "meta": user["meta"], "groups": [], "title": "Kept" } }),
    );
    assert_eq!(answer["title"], json!("Kept"));
    assert_eq!(answer["id"], user["id"]);
    assert_eq!(answer["meta"]["created"], user["meta"]["created"]);
}

#[test]
fn t5_a_groups_own_id_in_the_value_is_ignored() {
    let client = client();
    let group = id(&seed::group(&client, &unique("t5"), &[]));
    let renamed = unique("t5 renamed");
    let body = format!(
        r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"replace","value":{{"id":"{group}","displayName":"{renamed}"}}}}]}}"#
    );
    let answer = client.patch(&format!("/Groups/{group}"), body).resource(200);
    assert_eq!(text(&answer, "displayName"), renamed);
    assert_eq!(id(&answer), group);
}

#[test]
fn t6_read_only_attributes_in_post_are_ignored() {
    let created = create(json!({
        "id": "chosen-by-the-client",
        "meta": { "resourceType": "Other", "created": "2001-01-01T00:00:00Z", "location": "http://elsewhere/" },
        "groups": [{ "value": "x" }],
    }));
    assert_ne!(id(&created), "chosen-by-the-client");
    assert_eq!(created["meta"]["resourceType"], json!("User"));
    assert!(!text(&created["meta"], "created").starts_with("2001"));
    assert!(created.get("groups").is_none());
    assert!(!id(&create(json!({ "id": null }))).is_empty());
}

#[test]
fn t6_read_only_attributes_in_put_are_ignored() {
    let user = create(json!({}));
    let answer = put(
        &user,
        json!({ "id": "another", "meta": { "created": "2001-01-01T00:00:00Z" }, "groups": [{ "value": "x" }] }),
    );
    assert_eq!(answer["id"], user["id"]);
    assert_eq!(answer["meta"]["created"], user["meta"]["created"]);
    assert!(answer.get("groups").is_none());
}

#[test]
fn t6_unknown_schemas_are_ignored() {
    let client = client();
    for schemas in [
        json!(["urn:scim:schemas:core:1.0", USER]),
        json!(["urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"]),
        json!([USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"]),
        json!([USER, "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"]),
    ] {
        let created = create(json!({ "schemas": schemas }));
        let stored = created["schemas"].as_array().expect("schemas");
        assert!(stored.contains(&json!(USER)), "the endpoint's schema is assumed: {created}");
        assert!(!stored.contains(&json!("urn:scim:schemas:core:1.0")));
    }
    for schemas in [
        json!([GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]),
        json!([GROUP, "urn:okta:custom:group:1.0"]),
    ] {
        let body = json!({ "schemas": schemas, "displayName": unique("t6"), "externalId": guid(),
            "urn:okta:custom:group:1.0": { "description": "x" } });
        let created = client.post("/Groups", body).resource(201);
        assert_eq!(created["schemas"], json!([GROUP]));
        assert!(created.get("urn:okta:custom:group:1.0").is_none());
    }
}

#[test]
fn t6_unknown_attributes_nulls_and_empty_strings_are_ignored() {
    let created = create(json!({
        "shoeSize": 46,
        "urn:example:unknown:1.0": { "x": 1 },
        "nickName": null,
        "title": "",
        "name": { "givenName": "Test", "familyName": "User", "middleName": "" },
        "addresses": [],
        "phoneNumbers": null,
    }));
    for name in ["shoeSize", "urn:example:unknown:1.0", "nickName", "title", "addresses", "phoneNumbers"] {
        assert!(created.get(name).is_none(), "{name} came back: {created}");
    }
    assert_eq!(created["name"], json!({ "givenName": "Test", "familyName": "User" }));
}

#[test]
fn t10_manager_in_every_form() {
    let boss = id(&create(json!({})));
    for manager in [
        json!(boss),
        json!({ "value": boss }),
        json!([{ "$ref": format!("http://.../scim/Users/{boss}"), "value": boss }]),
        json!({ "managerId": boss, "displayName": "Boss" }),
    ] {
        let created = create(json!({ "schemas": [USER, ENTERPRISE], ENTERPRISE: { "manager": manager } }));
        assert_eq!(created[ENTERPRISE]["manager"]["value"], json!(boss), "sent as {manager}");
        let user = create(json!({}));
        for path in ["manager", &format!("{ENTERPRISE}:manager")] {
            let answer = patched(&user, json!({ "op": "Add", "path": path, "value": manager }));
            assert_eq!(answer[ENTERPRISE]["manager"]["value"], json!(boss), "{path} sent as {manager}");
        }
    }
    let user = create(json!({}));
    let answer =
        patched(&user, json!({ "op": "replace", "path": format!("{ENTERPRISE}:manager.value"), "value": boss }));
    assert_eq!(answer[ENTERPRISE]["manager"]["value"], json!(boss));
}

#[test]
fn t10_manager_is_cleared_by_remove_null_and_the_empty_string() {
    let boss = id(&create(json!({})));
    for clear in [
        json!({ "op": "Remove", "path": format!("{ENTERPRISE}:manager") }),
        json!({ "op": "remove", "path": "manager" }),
        json!({ "op": "Replace", "path": "manager", "value": "" }),
        json!({ "op": "replace", "path": "manager", "value": null }),
    ] {
        let user = create(json!({ ENTERPRISE: { "manager": { "value": boss } } }));
        assert_eq!(user[ENTERPRISE]["manager"]["value"], json!(boss));
        let answer = patched(&user, clear.clone());
        assert!(answer.pointer(&format!("/{ENTERPRISE}/manager")).is_none(), "not cleared by {clear}: {answer}");
    }
}

#[test]
fn t11_bare_names_of_extension_attributes() {
    let user = create(json!({ "department": "Research" }));
    assert_eq!(user[ENTERPRISE]["department"], json!("Research"));
    let answer = patched(&user, json!({ "op": "Replace", "path": "department", "value": "Sales" }));
    assert_eq!(answer[ENTERPRISE]["department"], json!("Sales"));
    assert!(answer.get("department").is_none());
}

#[test]
fn t12_json_text_in_a_value_is_kept_as_text() {
    let user = create(json!({}));
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"06b07648-ecfe-589f-9d2f-6325724a46ee\",\"value\":\"25\",\"displayName\":\"Role1234\"}"}]}]}"#;
    let answer = client().patch(&format!("/Users/{}", id(&user)), body).resource(200);
    assert_eq!(
        answer["roles"],
        json!([{ "value": r#"{"id":"06b07648-ecfe-589f-9d2f-6325724a46ee","value":"25","displayName":"Role1234"}"# }])
    );
}

#[test]
fn t13_single_values_wrapped_in_lists_and_objects() {
    let user = create(json!({}));
    let answer = patched(
        &user,
        json!([
            { "op": "Replace", "path": "displayName", "value": [{ "value": "From a list" }] },
            { "op": "Replace", "path": "title", "value": { "value": "From an object" } },
            { "op": "Replace", "path": "active", "value": [{ "$ref": null, "value": "False" }] },
        ]),
    );
    assert_eq!(answer["displayName"], json!("From a list"));
    assert_eq!(answer["title"], json!("From an object"));
    assert_eq!(answer["active"], json!(false));
}

#[test]
fn t23_put_of_a_group_without_members_clears_them() {
    let client = client();
    let group = seed::group(&client, &unique("t23"), &seed::people(&client, "t23", 2));
    let body = json!({ "schemas": [GROUP], "displayName": group["displayName"] });
    client.put(&format!("/Groups/{}", id(&group)), body).resource(200);
    let read = client.get(&format!("/Groups/{}", id(&group))).resource(200);
    assert!(members(&read).is_empty());
}

#[test]
fn t23_put_of_a_user_without_active_keeps_it() {
    let user = create(json!({ "active": false }));
    assert_eq!(put(&user, json!({}))["active"], json!(false));
    let user = create(json!({ "active": true }));
    assert_eq!(put(&user, json!({}))["active"], json!(true));
}

#[test]
fn t26_passwords_are_accepted_and_never_returned() {
    let client = client();
    let user = create(json!({ "password": "1mz050nq" }));
    let path = format!("/Users/{}", id(&user));
    let mut answers = vec![user.clone(), put(&user, json!({ "password": "s3cond-one" }))];
    answers.push(patched(&user, json!({ "op": "replace", "path": "password", "value": "th1rd-one" })));
    answers.push(patched(&user, json!({ "op": "replace", "value": { "password": "f0urth-one" } })));
    answers.push(client.get(&path).resource(200));
    answers.push(client.get(&format!("{path}?attributes=password,userName")).document(200));
    for answer in answers {
        let printed = answer.to_string();
        assert!(answer.get("password").is_none(), "{printed}");
        for secret in ["1mz050nq", "s3cond-one", "th1rd-one", "f0urth-one"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

#[test]
fn t27_values_that_look_wrong_are_stored_as_sent() {
    let sent = json!({
        "addresses": [{ "type": "work", "country": "Atlantis", "formatted": "1 Main St\nAtlantis" }],
        "phoneNumbers": [{ "type": "work", "value": "ext. 12 (ask for Bob)" }],
        "locale": "not a locale",
        "preferredLanguage": "??",
        "timezone": "Mars/Olympus",
        "emails": [{ "type": "work", "value": format!("{}@EXAMPLE.com", unique("Mixed.Case")), "primary": true }],
    });
    let created = create(sent.clone());
    let read = client().get(&format!("/Users/{}", id(&created))).resource(200);
    for (name, value) in sent.as_object().expect("an object") {
        assert_eq!(&read[name], value, "{name}");
    }
}

#[test]
fn t33_unknown_members_are_left_out_and_the_known_ones_taken() {
    let client = client();
    let ids = seed::people(&client, "t33", 2);
    let path = format!("/Groups/{}", id(&seed::group(&client, &unique("t33"), &ids[..1])));
    let nobody = json!({ "value": "00000000-0000-4000-8000-000000000000" });
    let add = json!({ "op": "add", "path": "members", "value": [nobody, { "value": ids[1] }] });
    assert_eq!(members(&client.patch(&path, patch(add)).resource(200)), sorted(&ids), "the answer shows who is in");
    let replace = json!({ "op": "replace", "path": "members", "value": [nobody, { "value": ids[1] }] });
    assert_eq!(members(&client.patch(&path, patch(replace)).resource(200)), [ids[1].as_str()]);
    let body = json!({ "schemas": [GROUP], "displayName": unique("t33"), "members": [nobody, { "value": ids[0] }] });
    assert_eq!(members(&client.put(&path, &body).resource(200)), [ids[0].as_str()]);

    let empty = json!({ "schemas": [GROUP], "displayName": unique("t33"), "members": [nobody] });
    client.put(&path, &empty).refusal(400, "invalidValue");
    let replace = json!({ "op": "replace", "path": "members", "value": [nobody] });
    client.patch(&path, patch(replace)).refusal(400, "invalidValue");
    assert_eq!(members(&client.get(&path).resource(200)), [ids[0].as_str()], "it would have emptied the team");
}

#[test]
fn t35_base64_is_stored_and_compared_in_its_standard_form() {
    let client = client();
    let value = unique("t35");
    let forms = ["+/+/TUk=", "-_-_TUk", "+/+/\r\nTUk="];
    for form in forms {
        let user = create(json!({ "title": value, "x509Certificates": [{ "value": form }] }));
        assert_eq!(user["x509Certificates"][0]["value"], "+/+/TUk=", "{form}");
        let filter = format!("title eq \"{value}\" and x509Certificates.value eq \"{}\"", form.replace("\r\n", ""));
        let found = client.get(&format!("/Users?filter={}", encode(&filter))).list().total;
        client.delete(&format!("/Users/{}", id(&user))).is(204);
        assert_eq!(found, 1, "{form}");
    }
}
