use super::*;

const BASE: &str = "https://scim.example.com/scim/v2/acme";

fn assert_no_nulls_and_no_empty_strings(value: &Value) {
    match value {
        Value::Null => panic!("a null"),
        Value::String(text) => assert!(!text.is_empty(), "an empty string"),
        Value::Array(values) => values.iter().for_each(assert_no_nulls_and_no_empty_strings),
        Value::Object(object) => object.values().for_each(assert_no_nulls_and_no_empty_strings),
        Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn r38_the_configuration_says_what_is_supported() {
    let body = service_provider_config(BASE, false, &[]);
    assert_no_nulls_and_no_empty_strings(&body);
    for feature in ["patch", "bulk", "filter", "sort", "etag"] {
        assert_eq!(body[feature]["supported"], true, "{feature}");
    }
    assert_eq!(body["bulk"]["maxOperations"], 1000);
    assert_eq!(body["bulk"]["maxPayloadSize"], 8_388_608);
    assert_eq!(body["filter"]["maxResults"], 1000);
    assert_eq!(body["meta"]["location"], format!("{BASE}/ServiceProviderConfig"));
    assert_eq!(body["authenticationSchemes"][0]["type"], "oauthbearertoken");
    assert_eq!(body["authenticationSchemes"].as_array().map(Vec::len), Some(2));
    let body = service_provider_config(BASE, true, &[]);
    assert_no_nulls_and_no_empty_strings(&body);
    assert_eq!(body["authenticationSchemes"][2]["type"], "httpbasic");
}

#[test]
fn r43_the_schemas_say_what_is_true() {
    let find = |attributes: &Value, name: &str| {
        attributes.as_array().unwrap().iter().find(|attribute| attribute["name"] == name).unwrap().clone()
    };
    let table = SchemaTable::builtin();
    let group = schema(table, "urn:ietf:params:scim:schemas:core:2.0:Group", BASE).unwrap();
    let members = find(&group["attributes"], "members");
    assert_eq!(find(&members["subAttributes"], "$ref")["referenceTypes"], json!(["User"]), "nested groups are refused");
    assert_eq!(find(&members["subAttributes"], "type")["canonicalValues"], json!(["User"]));
    let user = schema(table, "urn:ietf:params:scim:schemas:core:2.0:User", BASE).unwrap();
    let email = find(&find(&user["attributes"], "emails")["subAttributes"], "value");
    assert_eq!(email["uniqueness"], "server");
    let active = find(&user["attributes"], "active");
    assert_eq!((&active["required"], &active["mutability"]), (&json!(true), &json!("readWrite")), "never unassigned");
}

#[test]
fn r43_external_id_is_in_every_core_schema_and_in_no_other() {
    let sent = json!({"id": "urn:example:params:scim:schemas:Device", "attributes": [{"name": "serial"}]});
    let kind = json!({"name": "Device", "endpoint": "/Devices", "schema": "urn:example:params:scim:schemas:Device"});
    let table = SchemaTable::builtin().with_declared(&[sent], &[kind]).unwrap();
    for resource in schemas(&table, BASE)["Resources"].as_array().expect("schemas") {
        let urn = resource["id"].as_str().expect("a URN");
        let attributes = resource["attributes"].as_array().expect("attributes");
        let listed: Vec<&Value> = attributes.iter().filter(|attribute| attribute["name"] == "externalId").collect();
        if ["core:2.0:User", "core:2.0:Group", "schemas:Device"].iter().any(|end| urn.ends_with(end)) {
            let expected = json!({
                "name": "externalId", "type": "string", "multiValued": false, "required": false, "caseExact": true,
                "description": "The client's identifier of the resource.",
                "mutability": "readWrite", "returned": "default", "uniqueness": "none",
            });
            assert_eq!(listed, [&expected], "{urn}");
        } else {
            assert!(listed.is_empty(), "{urn}");
        }
    }
}

#[test]
fn t26_a_password_is_in_no_published_schema() {
    let user = schema(SchemaTable::builtin(), "urn:ietf:params:scim:schemas:core:2.0:User", BASE).unwrap();
    assert!(user["attributes"].as_array().unwrap().iter().all(|attribute| attribute["name"] != "password"));
    assert!(SchemaTable::builtin().never_returned().contains(&"password".to_owned()), "and still is in no log");
}

#[test]
fn r40_lists_hold_what_can_be_got_one_by_one() {
    let table = SchemaTable::builtin();
    let list = schemas(table, BASE);
    assert_no_nulls_and_no_empty_strings(&list);
    assert_eq!(list["totalResults"], table.schemas().len());
    assert!(list.get("meta").is_none());
    for resource in list["Resources"].as_array().expect("resources") {
        let urn = resource["id"].as_str().expect("a URN");
        assert_eq!(schema(table, urn, BASE).as_ref(), Some(resource));
        assert_eq!(resource["meta"]["location"], format!("{BASE}/Schemas/{urn}"));
    }
    assert!(schema(table, "urn:ietf:params:scim:schemas:CORE:2.0:user", BASE).is_some());
    assert_eq!(schema(table, "urn:ietf:params:scim:schemas:core:2.0:Unknown", BASE), None);

    let list = resource_types(table, BASE);
    assert_no_nulls_and_no_empty_strings(&list);
    assert_eq!(list["totalResults"], 2);
    for resource in list["Resources"].as_array().expect("resources") {
        let name = resource["name"].as_str().expect("a name");
        assert_eq!(resource_type(table, name, BASE).as_ref(), Some(resource));
    }
    assert_eq!(resource_type(table, "Unknown", BASE), None);
}

#[test]
fn r42_messages_are_no_schemas() {
    let list = schemas(SchemaTable::builtin(), BASE);
    let resources = list["Resources"].as_array().expect("resources");
    assert!(
        resources.iter().all(|resource| !resource["id"].as_str().is_some_and(|urn| urn.contains(":api:messages:")))
    );
}

#[test]
fn r43_every_attribute_has_its_characteristics() {
    fn check(attributes: &Value) {
        for attribute in attributes.as_array().expect("attributes") {
            for member in
                ["name", "type", "multiValued", "description", "required", "caseExact", "mutability", "returned"]
            {
                assert!(attribute.get(member).is_some(), "{member} of {attribute}");
            }
            let is_complex = attribute["type"] == "complex";
            assert_eq!(attribute.get("uniqueness").is_none(), is_complex, "{attribute}");
            assert_eq!(attribute.get("subAttributes").is_some(), is_complex, "{attribute}");
            assert_eq!(attribute.get("referenceTypes").is_some(), attribute["type"] == "reference", "{attribute}");
            if is_complex {
                check(&attribute["subAttributes"]);
            }
        }
    }
    for resource in schemas(SchemaTable::builtin(), BASE)["Resources"].as_array().expect("resources") {
        check(&resource["attributes"]);
    }
}

#[test]
fn r44_resource_types_name_every_extension_that_their_resources_may_have() {
    let user = resource_type(SchemaTable::builtin(), "User", BASE).expect("users");
    assert_eq!(
        user,
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": "User", "name": "User", "description": "User Account", "endpoint": "/Users",
            "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
            "schemaExtensions": [
                { "schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "required": false },
                { "schema": "urn:insomnia:params:scim:schemas:extension:1.0:User", "required": false },
            ],
            "meta": { "resourceType": "ResourceType", "location": format!("{BASE}/ResourceTypes/User") },
        })
    );
    assert!(schema(SchemaTable::builtin(), "urn:insomnia:params:scim:schemas:extension:1.0:User", BASE).is_some());
}

#[test]
fn errata_are_followed() {
    let schemas = schemas(SchemaTable::builtin(), BASE);
    let find = |schema: usize, path: &[&str]| {
        let mut found = schemas["Resources"][schema]["attributes"].clone();
        for (depth, name) in path.iter().enumerate() {
            let attributes = if depth == 0 { found } else { found["subAttributes"].take() };
            let attributes = attributes.as_array().cloned().unwrap_or_default();
            found = attributes.into_iter().find(|attribute| attribute["name"] == *name).expect("an attribute");
        }
        found
    };
    assert_eq!(find(1, &["displayName"])["required"], true, "5368");
    assert_eq!(find(1, &["members", "display"])["mutability"], "readOnly", "6011");
    assert_eq!(find(1, &["members", "value"])["mutability"], "immutable");
    assert_eq!(find(0, &["groups", "$ref"])["referenceTypes"], json!(["Group"]), "8471");
    assert_eq!(find(0, &["profileUrl"])["caseExact"], true, "6001");
    assert_eq!(find(0, &["x509Certificates", "value"])["type"], "binary", "5606");
    assert_eq!(find(2, &["manager", "value"])["caseExact"], true, "8472");
}
