//! Values that strict mode refuses, and values that it accepts as well.

use super::*;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[test]
fn a_body_as_in_the_rfc_is_taken() {
    let body = json!({"schemas":[USER,ENTERPRISE],"id":"x","externalId":"bjensen","meta":{},"userName":"bjensen@example.com",
         "name":{"formatted":"Ms. Barbara J Jensen, III","familyName":"Jensen"},"profileUrl":"https://login.example.com/bjensen",
         "emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.org","type":"home"}],
         "x509Certificates":[{"value":"MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMx"}],"title":null,"ims":[],
         "nickName":"",
         ENTERPRISE:{"employeeNumber":"701984","manager":{"value":"26118915","$ref":"../Users/26118915","displayName":"John Smith"}}});
    let kept = json!({"schemas":[USER,ENTERPRISE],"externalId":"bjensen","userName":"bjensen@example.com",
         "name":{"formatted":"Ms. Barbara J Jensen, III","familyName":"Jensen"},"profileUrl":"https://login.example.com/bjensen",
         "emails":[{"value":"bjensen@example.com","type":"work","primary":true},{"value":"babs@jensen.org","type":"home"}],
         "x509Certificates":[{"value":"MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMx"}],"nickName":"",
         ENTERPRISE:{"employeeNumber":"701984","manager":{"value":"26118915","$ref":"../Users/26118915"}}});
    assert_eq!(strict("User", body), Ok(kept));
}

#[test]
fn a_wrong_structure_is_invalid_syntax() {
    for body in [
        json!({"userName":"ada"}),
        json!({"schemas":[],"userName":"ada"}),
        json!({"schemas":USER,"userName":"ada"}),
        json!({"schemas":[ENTERPRISE],"userName":"ada"}),
        json!({"schemas":[USER,USER],"userName":"ada"}),
        json!({"schemas":[USER,7],"userName":"ada"}),
        json!({"schemas":[USER,"urn:scim:schemas:core:1.0"],"userName":"ada"}),
        json!({"schemas":[USER],"userName":"ada",ENTERPRISE:{"department":"x"}}),
        json!({"schemas":[USER],"userName":"ada","USERNAME":"ada"}),
        json!({"schemas":[USER],"userName":"ada","favouriteColour":"blue"}),
        json!({"schemas":[USER],"userName":"ada","name":{"favouriteColour":"blue"}}),
        json!({"schemas":[USER],"userName":"ada","name.givenName":"Ada"}),
        json!({"schemas":[USER],"userName":"ada","department":"x"}),
        json!({"schemas":[USER,ENTERPRISE],"userName":"ada",ENTERPRISE:{"favouriteColour":"blue"}}),
    ] {
        assert_eq!(refusal(strict("User", body.clone())).0, Some(ScimType::InvalidSyntax), "{body}");
    }
}

#[test]
fn a_wrong_type_is_an_invalid_value() {
    for (name, value) in [
        ("active", json!("true")),
        ("title", json!(7)),
        ("title", json!(["x"])),
        ("title", json!({"value":"x"})),
        ("emails", json!({"value":"x"})),
        ("emails", json!(["x"])),
        ("emails", json!([{"value":"a","primary":true},{"value":"b","primary":true}])),
        ("profileUrl", json!("not a url")),
        ("x509Certificates", json!([{"value":"not base64!"}])),
        ("userName", json!("")),
    ] {
        let mut body = json!({"schemas":[USER],"userName":"ada"});
        if let Some(body) = body.as_object_mut() {
            body.insert(name.to_owned(), value.clone());
        }
        assert_eq!(refusal(strict("User", body)).0, Some(ScimType::InvalidValue), "{name}: {value}");
    }
}
