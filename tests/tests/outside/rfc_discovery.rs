//! RFC 7644 §4, RFC 7643 §5–§7: discovery (rules R38 to R45, and R82).

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::scim::{ENTERPRISE, GROUP, INSOMNIA, USER, text};
use insomnia_scim_tests::server::{client, shared};
use serde_json::{Value, json};

#[test]
fn rfc_038_the_service_provider_configuration_is_complete() {
    let configuration = client().get("/ServiceProviderConfig").document(200);
    assert_eq!(configuration["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]));
    for feature in ["patch", "bulk", "filter", "sort", "etag"] {
        assert_eq!(configuration[feature]["supported"], json!(true), "{feature}");
    }
    assert!(configuration["changePassword"]["supported"].is_boolean());
    assert_eq!(configuration["bulk"]["maxOperations"], json!(1000));
    assert_eq!(configuration["bulk"]["maxPayloadSize"], json!(8 * 1024 * 1024));
    assert!(configuration["filter"]["maxResults"].as_u64().is_some_and(|most| most >= 200));
    let schemes = configuration["authenticationSchemes"].as_array().expect("schemes");
    assert!(!schemes.is_empty());
    for scheme in schemes {
        for name in ["type", "name", "description"] {
            assert!(!text(scheme, name).is_empty());
        }
    }
    assert!(schemes.iter().any(|scheme| scheme["type"] == json!("oauthbearertoken")));
    assert_eq!(configuration["meta"]["resourceType"], json!("ServiceProviderConfig"));
    assert_eq!(configuration["meta"]["location"], json!(format!("{}/ServiceProviderConfig", client().url())));
}

#[test]
fn rfc_082_pagination_is_announced() {
    let pagination = client().get("/ServiceProviderConfig").document(200)["pagination"].clone();
    assert_eq!((&pagination["cursor"], &pagination["index"]), (&json!(true), &json!(true)), "{pagination}");
    assert_eq!(pagination["defaultPaginationMethod"], json!("index"), "identity providers use it");
    for name in ["defaultPageSize", "maxPageSize", "cursorTimeout"] {
        assert!(pagination[name].as_u64().is_some_and(|number| number > 0), "{name}: {pagination}");
    }
}

#[test]
fn rfc_039_authentication_schemes_are_readable_without_authentication() {
    let configuration = Client::bare(&shared().demo().connector_url).get("/ServiceProviderConfig").document(200);
    assert!(configuration["authenticationSchemes"].is_array());
}

#[test]
fn rfc_040_schemas_and_resource_types_are_lists_and_single() {
    let client = client();
    for (endpoint, key) in [("/Schemas", "id"), ("/ResourceTypes", "name")] {
        let page = client.get(endpoint).list();
        assert_eq!(page.total, page.resources.len() as u64);
        for resource in &page.resources {
            let path = format!("{endpoint}/{}", text(resource, key));
            assert_eq!(&client.get(&path).document(200), resource, "{path}");
        }
        client.get(&format!("{endpoint}/nobody")).error(404);
    }
    assert_eq!(client.get(&format!("/Schemas/{}", USER.to_uppercase())).document(200)["id"], json!(USER));
}

#[test]
fn rfc_041_paging_is_ignored_and_filters_are_403() {
    let client = client();
    for endpoint in ["/Schemas", "/ResourceTypes"] {
        let all = client.get(endpoint).list();
        assert_eq!(client.get(&format!("{endpoint}?startIndex=2&count=1&sortBy=id")).list().total, all.total);
        assert_eq!(client.get(&format!("{endpoint}?count=1")).list().resources.len(), all.resources.len());
        client.get(&format!("{endpoint}?filter=id+pr")).error(403);
    }
    client.get("/ServiceProviderConfig?filter=id+pr").error(403);
}

#[test]
fn rfc_042_schemas_hold_no_message_schemas() {
    let ids = client().get("/Schemas").list().ids();
    for urn in [USER, GROUP, ENTERPRISE, INSOMNIA] {
        assert!(ids.iter().any(|id| id == urn), "{urn} is missing");
    }
    assert!(ids.iter().all(|id| !id.contains(":api:messages:")), "{ids:?}");
}

#[track_caller]
fn attribute_is_described(attribute: &Value) {
    let one_of = |name: &str, values: &[&str]| {
        assert!(attribute[name].as_str().is_some_and(|value| values.contains(&value)), "{name} of {attribute}");
    };
    assert!(!text(attribute, "name").is_empty() && !text(attribute, "description").is_empty());
    for flag in ["multiValued", "required"] {
        assert!(attribute[flag].is_boolean(), "{flag} of {attribute}");
    }
    one_of("type", &["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"]);
    one_of("mutability", &["readOnly", "readWrite", "immutable", "writeOnly"]);
    one_of("returned", &["always", "never", "default", "request"]);
    if attribute["type"] == json!("complex") {
        let inner = attribute["subAttributes"].as_array().expect("sub-attributes");
        assert!(!inner.is_empty());
        inner.iter().for_each(attribute_is_described);
    } else {
        assert!(attribute["caseExact"].is_boolean(), "caseExact of {attribute}");
        one_of("uniqueness", &["none", "server", "global"]);
    }
    if attribute["type"] == json!("reference") {
        assert!(attribute["referenceTypes"].as_array().is_some_and(|types| !types.is_empty()), "{attribute}");
    }
}

#[test]
fn rfc_043_schemas_describe_their_attributes() {
    let page = client().get("/Schemas").list();
    for schema in &page.resources {
        assert!(text(schema, "id").starts_with("urn:") && !text(schema, "name").is_empty());
        assert!(schema["description"].is_string());
        assert_eq!(schema["meta"]["resourceType"], json!("Schema"));
        let attributes = schema["attributes"].as_array().expect("attributes");
        assert!(!attributes.is_empty());
        attributes.iter().for_each(attribute_is_described);
    }
    let attribute = |schema: &str, name: &str| {
        let schema = client().get(&format!("/Schemas/{schema}")).document(200);
        schema["attributes"]
            .as_array()
            .expect("attributes")
            .iter()
            .find(|attribute| attribute["name"] == json!(name))
            .cloned()
            .expect("the attribute")
    };
    let name = attribute(USER, "userName");
    assert_eq!(
        (&name["required"], &name["uniqueness"], &name["caseExact"]),
        (&json!(true), &json!("server"), &json!(false))
    );
    for schema in [USER, GROUP] {
        let external_id = attribute(schema, "externalId");
        let expected = [("caseExact", json!(true)), ("required", json!(false)), ("mutability", json!("readWrite"))];
        assert!(expected.iter().all(|(name, value)| &external_id[name] == value), "{external_id}");
    }
    let user = client().get(&format!("/Schemas/{USER}")).document(200);
    let names = user["attributes"].as_array().expect("attributes").iter().map(|attribute| text(attribute, "name"));
    assert!(names.into_iter().all(|name| name != "password"), "a password is dropped, so it is not published");
    assert_eq!(attribute(USER, "groups")["mutability"], json!("readOnly"));
    assert_eq!(attribute(GROUP, "displayName")["required"], json!(true), "erratum 5368");
    assert_eq!(attribute(INSOMNIA, "origin")["mutability"], json!("readOnly"));
}

#[test]
fn rfc_044_resource_types_name_endpoint_and_schemas() {
    let client = client();
    let user = client.get("/ResourceTypes/User").document(200);
    assert_eq!(user["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ResourceType"]));
    assert_eq!((&user["endpoint"], &user["schema"]), (&json!("/Users"), &json!(USER)));
    let extensions = user["schemaExtensions"].as_array().expect("extensions");
    for extension in [ENTERPRISE, INSOMNIA] {
        assert!(extensions.contains(&json!({ "schema": extension, "required": false })), "{user}");
    }
    let group = client.get("/ResourceTypes/Group").document(200);
    assert_eq!((&group["endpoint"], &group["schema"]), (&json!("/Groups"), &json!(GROUP)));
}

#[test]
fn rfc_045_discovery_is_read_only() {
    let client = client();
    for path in
        ["/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/ResourceTypes/User", &format!("/Schemas/{USER}")]
    {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let response = client.send(&Request::new(method, path).body("{}"));
            response.error(405);
            assert!(response.header("Allow").is_some_and(|allow| allow.contains("GET")), "{response}");
        }
    }
}
