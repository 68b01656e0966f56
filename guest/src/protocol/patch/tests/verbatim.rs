//! The bodies that identity providers send, word for word.

use super::membership::{added, removed, replaced};
use super::*;

const WORK: &str = r#"emails[type eq "work"].value"#;

fn text(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn user() -> Document {
    document(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "48af03ac28ad4fb88478", "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
        "userName": "Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee", "active": true,
        "emails": [{"primary": true, "type": "work", "value": "Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@testuser.com"}],
        "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"}
    }))
}

fn sent(json: &str) -> Document {
    let mut user = user();
    let outcome = run(&users(), &mut user, &text(json), Mode::COMPAT).unwrap_or_else(|error| panic!("{json}: {error}"));
    assert!(outcome.changed, "{json}");
    user
}

fn sent_to_group(json: &str) -> (Document, Outcome) {
    let mut group = document(json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "abf4dd94-a4c0-4f67-89c9-76b03340cb9b",
        "displayName": "displayName"
    }));
    let outcome =
        run(&groups(), &mut group, &text(json), Mode::COMPAT).unwrap_or_else(|error| panic!("{json}: {error}"));
    (group, outcome)
}

#[test]
fn entra_d_updates_a_user() {
    let user = sent(
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
        {"op":"Replace","path":"emails[type eq \"work\"].value","value":"updatedEmail@microsoft.com"},
        {"op":"Replace","path":"name.familyName","value":"updatedFamilyName"}]}"#,
    );
    assert_eq!(user["emails"], json!([{"primary": true, "type": "work", "value": "updatedEmail@microsoft.com"}]));
    // T31: the server computes no other attribute again.
    assert_eq!(
        user["name"],
        json!({"formatted": "givenName familyName", "familyName": "updatedFamilyName", "givenName": "givenName"})
    );
}

#[test]
fn entra_d_adds_by_path() {
    let user = sent(
        r#"{"Operations":[{"op":"Add","path":"nickName","value":"Babs"},
        {"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber","value":"17"},
        {"op":"Add","path":"addresses[type eq \"work\"].formatted","value":"100 Universal City Plaza"}]}"#,
    );
    assert_eq!(user["nickName"], "Babs");
    assert_eq!(user[ENTERPRISE_USER], json!({"employeeNumber": "17"}));
    assert_eq!(user["addresses"], json!([{"type": "work", "formatted": "100 Universal City Plaza"}]));
    assert_eq!(user["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE_USER]));
}

#[test]
fn entra_e_t7_dotted_and_urn_keys_without_a_path() {
    let user = sent(
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[
        {"op":"replace","path":"emails[type eq \"work\"].value","value":"TestMhvaes@test.microsoft.com"},
        {"op":"replace","value":{"displayName":"Bjfe","name.givenName":"Kkom","name.familyName":"Unua",
          "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"Aklq"}}]}"#,
    );
    assert_eq!(user["displayName"], "Bjfe");
    assert_eq!(user["name"], json!({"formatted": "givenName familyName", "familyName": "Unua", "givenName": "Kkom"}));
    assert_eq!(user[ENTERPRISE_USER], json!({"employeeNumber": "Aklq"}));
    assert_eq!(user["emails"][0]["value"], "TestMhvaes@test.microsoft.com");
}

#[test]
fn entra_f_t2_deactivates_with_a_string_or_a_boolean() {
    for operation in [
        r#"{"op":"Replace","path":"active","value":"False"}"#,
        r#"{"op":"replace","path":"active","value":false}"#,
        r#"{"op":"Replace","path":"active","value":false}"#,
        r#"{"op":"replace","value":{"active":"false"}}"#,
    ] {
        let user = sent(&format!(r#"{{"Operations":[{operation}]}}"#));
        assert_eq!(user["active"], Value::Bool(false), "{operation}");
    }
    let mut inactive = user();
    inactive.insert("active".to_owned(), Value::Bool(false));
    let body = text(r#"{"Operations":[{"op":"Replace","path":"active","value":"True"}]}"#);
    run(&users(), &mut inactive, &body, Mode::COMPAT).unwrap();
    assert_eq!(inactive["active"], Value::Bool(true));
}

#[test]
fn entra_h_t10_sets_the_manager() {
    for (operation, manager) in [
        (
            r#"{"op":"Add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"271"}"#,
            json!({"value": "271"}),
        ),
        (
            r#"{"op":"Add","path":"manager","value":[{"$ref":"http://.../scim/Users/00aa00aa-bb11-cc22-dd33-44ee44ee44ee","value":"00aa00aa-bb11-cc22-dd33-44ee44ee44ee"}]}"#,
            json!({"$ref": "http://.../scim/Users/00aa00aa-bb11-cc22-dd33-44ee44ee44ee", "value": "00aa00aa-bb11-cc22-dd33-44ee44ee44ee"}),
        ),
    ] {
        let user = sent(&format!(r#"{{"Operations":[{operation}]}}"#));
        assert_eq!(user[ENTERPRISE_USER], json!({"manager": manager}), "{operation}");
    }
}

#[test]
fn entra_i_t12_sets_roles() {
    let user = sent(r#"{"Operations":[{"op":"Add","path":"roles[primary eq \"True\"].value","value":"Admin"}]}"#);
    assert_eq!(user["roles"], json!([{"primary": true, "value": "Admin"}]));
    let user = sent(
        r#"{"Operations":[{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"06b07648-ecfe-589f-9d2f-6325724a46ee\",\"value\":\"25\",\"displayName\":\"Role1234\"}"}]}]}"#,
    );
    assert_eq!(
        user["roles"][0]["value"],
        r#"{"id":"06b07648-ecfe-589f-9d2f-6325724a46ee","value":"25","displayName":"Role1234"}"#
    );
}

#[test]
fn entra_j_changes_groups() {
    let (group, outcome) = sent_to_group(
        r#"{"Operations":[{"op":"Replace","path":"displayName","value":"1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName"}]}"#,
    );
    assert_eq!(group["displayName"], "1879db59-3bdf-4490-ad68-ab880a269474updatedDisplayName");
    assert!(outcome.changed && outcome.members.is_empty());

    let (_, outcome) = sent_to_group(
        r#"{"Operations":[{"op":"Add","path":"members","value":[{"$ref":null,"value":"f648f8d5ea4e4cd38e9c"}]}]}"#,
    );
    assert_eq!(outcome, Outcome { changed: false, members: vec![added(&["f648f8d5ea4e4cd38e9c"])] });

    // T3: only the listed members are removed.
    let (_, outcome) = sent_to_group(
        r#"{"Operations":[{"op":"Remove","path":"members","value":[{"$ref":null,"value":"f648f8d5ea4e4cd38e9c"}]}]}"#,
    );
    assert_eq!(outcome.members, [removed(&["f648f8d5ea4e4cd38e9c"])]);

    let (_, outcome) = sent_to_group(
        r#"{"Operations":[{"op":"remove","path":"members[value eq \"7f4bc1a3-285e-48ae-8202-5accb43efb0e\"]"}]}"#,
    );
    assert_eq!(outcome.members, [removed(&["7f4bc1a3-285e-48ae-8202-5accb43efb0e"])]);
}

#[test]
fn t28_no_operations() {
    let body = body(json!([]));
    assert!(patch::parse(&users(), &body, Mode::COMPAT).unwrap().is_empty());
    let error = patch::parse(&users(), &body, Mode::STRICT).unwrap_err();
    assert_eq!(error.scim_type, Some(ScimType::InvalidSyntax));
}

#[test]
fn entra_validator_patches_a_primary_address() {
    let initial =
        json!({"addresses": [{"type": "home", "locality": "A"}, {"type": "work", "locality": "B", "primary": true}]});
    let user =
        compat(initial, json!([{"op": "replace", "path": "addresses[primary EQ \"True\"].locality", "value": "C"}]));
    assert_eq!(
        user["addresses"],
        json!([{"type": "home", "locality": "A"}, {"type": "work", "locality": "C", "primary": true}])
    );
}

#[test]
fn okta_deactivates_without_a_path() {
    let user = sent(
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"active":false}}]}"#,
    );
    assert_eq!(user["active"], Value::Bool(false));
}

#[test]
fn okta_t5_renames_a_group_with_its_id_in_the_value() {
    let body = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"id":"abf4dd94-a4c0-4f67-89c9-76b03340cb9b","displayName":"Test SCIMv2"}}]}"#;
    let (group, _) = sent_to_group(body);
    assert_eq!(group["displayName"], "Test SCIMv2");
    assert_eq!(group["id"], "abf4dd94-a4c0-4f67-89c9-76b03340cb9b");
}

#[test]
fn okta_pushes_members() {
    let (_, outcome) = sent_to_group(
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"89bb1940-b905-4575-9e7f-6f887cfb368e\"]"},
        {"op":"add","path":"members","value":[{"value":"23a35c27-23d3-4c03-b4c5-6443c09e7173","display":"test.user@okta.local"}]}]}"#,
    );
    assert_eq!(
        outcome.members,
        [removed(&["89bb1940-b905-4575-9e7f-6f887cfb368e"]), added(&["23a35c27-23d3-4c03-b4c5-6443c09e7173"])]
    );
    let (_, outcome) = sent_to_group(
        r#"{"Operations":[{"op":"replace","path":"members","value":[{"value":"23a35c27-23d3-4c03-b4c5-6443c09e7173","display":"test.user@okta.local"}]}]}"#,
    );
    assert_eq!(outcome.members, [replaced(&["23a35c27-23d3-4c03-b4c5-6443c09e7173"])]);
    let (_, outcome) = sent_to_group(r#"{"Operations":[{"op":"replace","path":"members","value":[]}]}"#);
    assert_eq!(outcome.members, [replaced(&[])]);
    let (group, outcome) = sent_to_group(
        r#"{"Operations":[{"op":"replace","value":{"members":[],"id":"abf4dd94-a4c0-4f67-89c9-76b03340cb9b","displayName":"Renamed"}}]}"#,
    );
    assert_eq!((outcome.members.as_slice(), &group["displayName"]), ([replaced(&[])].as_slice(), &json!("Renamed")));
}

#[test]
fn t9_a_filtered_value_that_is_not_there_is_created() {
    assert_eq!(
        compat(json!({}), json!([{"op": "Replace", "path": WORK, "value": "new@contoso.com"}]))["emails"],
        json!([{"value": "new@contoso.com", "type": "work"}])
    );
    assert_eq!(
        refused(json!({}), json!([{"op": "Replace", "path": WORK, "value": "new@contoso.com"}]), Mode::STRICT),
        ScimType::NoTarget
    );
}
