//! Tolerance rules for PATCH (T1 to T3, T7 to T9, T22, T28, T31).

use insomnia_scim_tests::client::Client;
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{ENTERPRISE, PATCH, id, members, patch, sorted};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

/// Sends a body verbatim to someone new and returns the answer.
#[track_caller]
fn patched(body: &str) -> Value {
    let client = client();
    let user = id(&seed::someone(&client, "patched"));
    client.patch(&format!("/Users/{user}"), body).resource(200)
}

/// A group of three people.
#[track_caller]
fn three(client: &Client) -> (String, Vec<String>) {
    let ids = seed::people(client, "member", 3);
    (id(&seed::group(client, &unique("three"), &ids)), ids)
}

#[track_caller]
fn after(client: &Client, group: &str, body: Value) -> Vec<String> {
    client.patch(&format!("/Groups/{group}"), body).resource(200);
    members(&client.get(&format!("/Groups/{group}")).resource(200))
}

#[test]
fn t1_operations_in_any_case() {
    for op in ["Add", "Replace", "ADD", "rePlace", "add"] {
        let body =
            format!(r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"{op}","path":"nickName","value":"Nick"}}]}}"#);
        assert_eq!(patched(&body)["nickName"], json!("Nick"), "{op}");
    }
    for op in ["Remove", "REMOVE"] {
        let body = format!(r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"{op}","path":"displayName"}}]}}"#);
        assert!(patched(&body).get("displayName").is_none(), "{op}");
    }
}

#[test]
fn t1_names_in_any_case() {
    let body = format!(
        r#"{{"SCHEMAS":["{}"],"operations":[{{"OP":"Replace","Path":"NICKNAME","Value":"Nick"}},
           {{"op":"replace","path":"Name.FamilyName","value":"Family"}},{{"op":"replace","value":{{"TITLE":"Boss"}}}}]}}"#,
        PATCH.to_uppercase()
    );
    let answer = patched(&body);
    assert_eq!(answer["nickName"], json!("Nick"));
    assert_eq!(answer["name"]["familyName"], json!("Family"));
    assert_eq!(answer["title"], json!("Boss"));
    let person = Person::new("any.case");
    let mut request = seed::user_request(&person);
    for (sent, meant) in [("USERNAME", "userName"), ("Emails", "emails"), ("Schemas", "schemas")] {
        let object = request.as_object_mut().expect("an object");
        let value = object.remove(meant).expect("the attribute");
        object.insert(sent.to_owned(), value);
    }
    let created = client().post("/Users", request).resource(201);
    assert_eq!(created["userName"], json!(person.user_name));
    assert_eq!(created["emails"][0]["value"], json!(person.email));
}

#[test]
fn t2_active_as_a_string_by_patch() {
    for (value, active) in
        [("\"False\"", false), ("\"True\"", true), ("\"false\"", false), ("false", false), ("true", true)]
    {
        let body =
            format!(r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"Replace","path":"active","value":{value}}}]}}"#);
        assert_eq!(patched(&body)["active"], json!(active), "{value}");
        let body =
            format!(r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"Replace","value":{{"active":{value}}}}}]}}"#);
        assert_eq!(patched(&body)["active"], json!(active), "{value} without a path");
    }
}

#[test]
fn t2_a_boolean_is_compared_with_a_string_in_a_value_filter() {
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
        {"op":"Add","path":"roles","value":[{"primary":true,"value":"User"}]},
        {"op":"Replace","path":"roles[primary eq \"True\"].value","value":"Admin"}]}"#;
    assert_eq!(patched(body)["roles"], json!([{ "primary": true, "value": "Admin" }]));
}

#[test]
fn t3_remove_members_with_value_removes_only_these() {
    let client = client();
    let (group, ids) = three(&client);
    let body = format!(
        r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"Remove","path":"members","value":[{{"$ref":null,"value":"{}"}}]}}]}}"#,
        ids[0]
    );
    client.patch(&format!("/Groups/{group}"), body).resource(200);
    assert_eq!(members(&client.get(&format!("/Groups/{group}")).resource(200)), sorted(&ids[1..]));
}

#[test]
fn t3_remove_takes_an_object_a_string_and_a_list_of_strings() {
    let client = client();
    for form in [|id: &str| json!({ "value": id }), |id: &str| json!(id), |id: &str| json!([id])] {
        let (group, ids) = three(&client);
        let body = patch(json!({ "op": "remove", "path": "members", "value": form(&ids[1]) }));
        assert_eq!(after(&client, &group, body), sorted([&ids[0], &ids[2]]), "{}", form("id"));
    }
}

#[test]
fn t3_remove_members_without_value_removes_all() {
    let client = client();
    for operation in
        [json!({ "op": "remove", "path": "members" }), json!({ "op": "remove", "path": "members", "value": null })]
    {
        let (group, _) = three(&client);
        assert!(after(&client, &group, patch(operation.clone())).is_empty(), "{operation}");
    }
}

#[test]
fn t3_remove_members_with_an_empty_list_removes_none() {
    let client = client();
    let (group, ids) = three(&client);
    let body = patch(json!({ "op": "remove", "path": "members", "value": [] }));
    assert_eq!(after(&client, &group, body), sorted(&ids));
}

#[test]
fn t3_remove_of_a_stranger_changes_nothing() {
    let client = client();
    let (group, ids) = three(&client);
    let stranger = id(&seed::someone(&client, "stranger"));
    let body = patch(json!({ "op": "Remove", "path": "members", "value": [{ "value": stranger }] }));
    assert_eq!(after(&client, &group, body), sorted(&ids));
}

#[test]
fn t3_remove_with_value_from_a_users_attribute() {
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
        {"op":"Add","path":"phoneNumbers","value":[{"type":"work","value":"1"},{"type":"home","value":"2"}]},
        {"op":"Remove","path":"phoneNumbers","value":[{"value":"1"}]}]}"#;
    assert_eq!(patched(body)["phoneNumbers"], json!([{ "type": "home", "value": "2" }]));
}

#[test]
fn t7_path_less_keys_are_paths() {
    let mail = format!("{}@test.microsoft.com", unique("TestMhvaes"));
    let body = format!(
        r#"{{"schemas":["{PATCH}"],"Operations":[
 {{"op":"replace","path":"emails[type eq \"work\"].value","value":"{mail}"}},
 {{"op":"replace","value":{{"displayName":"Bjfe","name.givenName":"Kkom","name.familyName":"Unua",
   "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"Aklq",
   "phoneNumbers[type eq \"mobile\"].value":"555"}}}}]}}"#
    );
    let answer = patched(&body);
    assert_eq!(answer["displayName"], json!("Bjfe"));
    assert_eq!(answer["name"], json!({ "givenName": "Kkom", "familyName": "Unua" }));
    assert_eq!(answer["emails"], json!([{ "value": mail, "type": "work", "primary": true }]));
    assert_eq!(answer[ENTERPRISE]["employeeNumber"], json!("Aklq"));
    assert_eq!(answer["phoneNumbers"], json!([{ "type": "mobile", "value": "555" }]));
    assert!(answer.get("name.givenName").is_none(), "stored literally");
}

#[test]
fn t7_path_less_extension_objects() {
    for op in ["add", "replace"] {
        let body = format!(
            r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"{op}","value":{{"{ENTERPRISE}":{{"department":"Sales","costCenter":"12"}}}}}}]}}"#
        );
        assert_eq!(patched(&body)[ENTERPRISE], json!({ "department": "Sales", "costCenter": "12" }), "{op}");
    }
}

#[test]
fn t8_urn_paths_split_at_the_schema() {
    for path in [
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        "URN:IETF:params:scim:schemas:extension:Enterprise:2.0:user:EMPLOYEENUMBER",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.employeeNumber",
    ] {
        let body =
            format!(r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"Replace","path":"{path}","value":"7"}}]}}"#);
        assert_eq!(patched(&body)[ENTERPRISE]["employeeNumber"], json!("7"), "{path}");
    }
    let body = format!(
        r#"{{"schemas":["{PATCH}"],"Operations":[{{"op":"Replace","path":"urn:ietf:params:scim:schemas:core:2.0:User:name.familyName","value":"Family"}}]}}"#
    );
    assert_eq!(patched(&body)["name"]["familyName"], json!("Family"));
}

#[test]
fn t9_a_value_path_without_a_match_makes_an_element() {
    for op in ["Add", "Replace"] {
        let body = format!(
            r#"{{"schemas":["{PATCH}"],"Operations":[
 {{"op":"{op}","path":"addresses[type eq \"work\"].formatted","value":"1 Main St"}},
 {{"op":"{op}","path":"phoneNumbers[type eq \"mobile\" and primary eq true].value","value":"555"}},
 {{"op":"{op}","path":"roles[primary eq \"True\"].value","value":"Admin"}}]}}"#
        );
        let answer = patched(&body);
        assert_eq!(answer["addresses"], json!([{ "type": "work", "formatted": "1 Main St" }]), "{op}");
        assert_eq!(answer["phoneNumbers"][0]["type"], json!("mobile"));
        assert_eq!(answer["phoneNumbers"][0]["primary"], json!(true));
        assert_eq!(answer["phoneNumbers"][0]["value"], json!("555"));
        assert_eq!(answer["roles"][0]["primary"], json!(true));
        assert_eq!(answer["roles"][0]["value"], json!("Admin"));
    }
}

#[test]
fn t9_a_second_attribute_of_the_made_element_lands_in_it() {
    let body = format!(
        r#"{{"schemas":["{PATCH}"],"Operations":[
 {{"op":"Add","path":"addresses[type eq \"work\"].streetAddress","value":"1 Main St"}},
 {{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Springfield"}}]}}"#
    );
    assert_eq!(
        patched(&body)["addresses"],
        json!([{ "type": "work", "streetAddress": "1 Main St", "locality": "Springfield" }])
    );
}

#[test]
fn t22_256_members_in_one_operation() {
    let client = client();
    let ids = seed::people(&client, "batch", 256);
    let group = id(&seed::group(&client, &unique("batch"), &[]));
    let value: Vec<Value> = ids.iter().map(|member| json!({ "value": member, "display": "x" })).collect();
    let add = patch(json!({ "op": "add", "path": "members", "value": value }));
    assert_eq!(after(&client, &group, add.clone()), sorted(&ids));

    let before = client.get(&format!("/Groups/{group}")).resource(200);
    let again = client.patch(&format!("/Groups/{group}"), add).resource(200);
    assert_eq!(again["meta"], before["meta"], "adding who is there changes neither lastModified nor version");

    let removals: Vec<Value> =
        ids.iter().map(|member| json!({ "op": "remove", "path": format!("members[value eq \"{member}\"]") })).collect();
    assert!(after(&client, &group, patch(json!(removals))).is_empty());
}

#[test]
fn t28_no_operations_change_nothing() {
    let client = client();
    let user = seed::someone(&client, "t28");
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[]}"#;
    let answer = client.patch(&format!("/Users/{}", id(&user)), body).resource(200);
    assert_eq!(answer, user);
}

#[test]
fn t31_a_part_of_the_name_changes_nothing_else() {
    let client = client();
    let mut request = seed::user_request(&Person::new("t31"));
    request["name"] = json!({ "formatted": "Given Family", "givenName": "Given", "familyName": "Family" });
    let user = id(&client.post("/Users", request).resource(201));
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"name.familyName","value":"updatedFamilyName"}]}"#;
    let answer = client.patch(&format!("/Users/{user}"), body).resource(200);
    assert_eq!(
        answer["name"],
        json!({ "formatted": "Given Family", "givenName": "Given", "familyName": "updatedFamilyName" })
    );
}
