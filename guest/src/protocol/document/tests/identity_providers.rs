//! Bodies as identity providers send them.

use super::*;

#[test]
fn entra_creates_a_user() {
    let document = compat(
        "User",
        json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
         "externalId":"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef","userName":"Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee","active":true,
         "emails":[{"primary":true,"type":"work","value":"Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@testuser.com"}],
         "meta":{"resourceType":"User"},
         "name":{"formatted":"givenName familyName","familyName":"familyName","givenName":"givenName"},"roles":[]}),
    );
    assert_eq!(
        document,
        Ok(json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],
         "externalId":"0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef","userName":"Test_User_00aa00aa-bb11-cc22-dd33-44ee44ee44ee","active":true,
         "emails":[{"primary":true,"type":"work","value":"Test_User_11bb11bb-cc22-dd33-ee44-55ff55ff55ff@testuser.com"}],
         "name":{"formatted":"givenName familyName","familyName":"familyName","givenName":"givenName"}}))
    );
}

#[test]
fn entra_sends_string_booleans_bare_extension_attributes_and_a_misspelt_urn() {
    let document = compat(
        "User",
        json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0User"],
         "userName":"jyoung","active":"True","addresses":null,"phoneNumbers":null,"preferredLanguage":null,"title":null,
         "department":null,"manager":"123456",
         "roles":[{"primary":"True","type":"WindowsAzureActiveDirectoryRole","value":"{\"id\":\"06b07648\",\"value\":\"25\"}"}],
         "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User":{"tag":"x"}}),
    );
    assert_eq!(
        document,
        Ok(
            json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
         "userName":"jyoung","active":true,
         "roles":[{"primary":true,"type":"WindowsAzureActiveDirectoryRole","value":"{\"id\":\"06b07648\",\"value\":\"25\"}"}],
         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"123456"}}})
        )
    );
}

#[test]
fn entra_creates_a_group() {
    let document = compat(
        "Group",
        json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
         "externalId":"8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159","displayName":"displayName","meta":{"resourceType":"Group"},"members":[]}),
    );
    assert_eq!(
        document,
        Ok(json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],
         "externalId":"8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159","displayName":"displayName"}))
    );
}

#[test]
fn okta_creates_a_user_and_the_password_can_be_taken_out() {
    let body = json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"test.user@okta.local",
         "name":{"givenName":"Test","familyName":"User"},
         "emails":[{"primary":true,"value":"test.user@okta.local","type":"work"}],
         "displayName":"Test User","locale":"en-US","externalId":"00ujl29u0le5T6Aj10h7","groups":[],"password":"1mz050nq","active":true});
    let mut document = from_client(&schema("User"), body, Mode::COMPAT).expect("a user");
    assert_eq!(take_secret(&mut document), Some("1mz050nq".to_owned()));
    assert_eq!(take_secret(&mut document), None);
    assert_eq!(
        Value::Object(document),
        json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"test.user@okta.local",
         "name":{"givenName":"Test","familyName":"User"},
         "emails":[{"primary":true,"value":"test.user@okta.local","type":"work"}],
         "displayName":"Test User","locale":"en-US","externalId":"00ujl29u0le5T6Aj10h7","active":true})
    );
}

#[test]
fn okta_pushes_a_group_with_its_members() {
    let document = compat(
        "Group",
        json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"abf4dd94","displayName":"Test SCIMv2",
         "members":[{"value":"23a35c27-23d3-4c03-b4c5-6443c09e7173","display":"test.user@okta.local"}]}),
    );
    assert_eq!(
        document,
        Ok(json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Test SCIMv2",
         "members":[{"value":"23a35c27-23d3-4c03-b4c5-6443c09e7173"}]}))
    );
}

#[test]
fn onelogin_sends_its_template() {
    let document = compat(
        "User",
        json!({"schemas":["urn:scim:schemas:core:2.0","urn:scim:schemas:extension:enterprise:2.0"],"id":null,
         "userName":"onelogin-test-user01","active":"true","meta":{"resourceType":"User"},
         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"managerId":"26118915","displayName":"John Smith"}}}),
    );
    assert_eq!(
        document,
        Ok(
            json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
         "userName":"onelogin-test-user01","active":true,
         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"26118915"}}})
        )
    );
}

#[test]
fn google_names_a_schema_of_scim_1() {
    let document = compat(
        "User",
        json!({"schemas":["urn:scim:schemas:core:1.0","urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"username@domain.com",
         "emails":[{"primary":true,"value":"username@domain.com","type":"work"}],"displayName":"User Name","name":{},"active":true}),
    );
    assert_eq!(
        document,
        Ok(json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"username@domain.com",
         "emails":[{"primary":true,"value":"username@domain.com","type":"work"}],"displayName":"User Name","active":true}))
    );
}
