use serde_json::json;

use super::*;
use crate::protocol::path::AttributePath;

fn badge() -> Value {
    json!({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Schema"],"id":"urn:example:params:badge:2.0","name":"Badge",
        "attributes":[{"name":"number","type":"integer","multiValued":false,"required":true,"uniqueness":"none"},
            {"name":"doors","type":"complex","multiValued":true,"subAttributes":[{"name":"value"},{"name":"$ref","type":"reference"}]}]})
}

fn one_attribute(attribute: Value) -> Value {
    json!({"id":"urn:example:x","attributes":[attribute]})
}

fn refused(schemas: &[Value], resource_types: &[Value]) -> String {
    SchemaTable::builtin().with_declared(schemas, resource_types).expect_err("a refusal").detail
}

#[test]
fn a_declared_extension_is_part_of_users() {
    let user = json!({"name":"User","endpoint":"/Users","schema":"urn:ietf:params:scim:schemas:core:2.0:User","schemaExtensions":[
        {"schema":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","required":false},
        {"schema":"URN:example:params:badge:2.0","required":true}]});
    let table = SchemaTable::builtin().with_declared(&[badge()], &[user]).expect("a table");
    let users = table.resource("User").expect("users");
    assert_eq!(users.extensions.len(), 3);
    assert_eq!(users.resource_type.extensions.last().map(|extension| extension.required), Some(true));
    for path in ["urn:example:params:badge:2.0:doors.value", "urn:EXAMPLE:params:badge:2.0.doors.$REF", "doors.value"] {
        assert!(AttributePath::resolve(&users, path).is_some(), "{path}");
    }
    let doors = table.schema("urn:example:params:badge:2.0").and_then(|schema| schema.attribute("doors")).cloned();
    let reference = doors.as_ref().and_then(|doors| doors.sub_attribute("$ref"));
    assert_eq!(reference.map(|reference| reference.case_exact), Some(true));
}

#[test]
fn a_declared_resource_type_has_its_endpoint() {
    let device = json!({"name":"Badge","endpoint":"/Badges","schema":"urn:example:params:badge:2.0"});
    let table = SchemaTable::builtin().with_declared(&[badge()], &[device]).expect("a table");
    let badges = table.resource("Badge").expect("badges");
    assert_eq!(badges.resource_type.endpoint, "/Badges");
    assert!(badges.core_attribute("number").is_some_and(|number| number.required));
    assert!(badges.core_attribute("externalId").is_some());
}

#[test]
fn urns_are_well_formed_and_free() {
    for id in [
        "",
        "badge",
        "urn:",
        "urn:example",
        "urn:example:",
        "urn:example:a b",
        "urn:example:a[b",
        "urn:example:a:",
        "http://x/y",
    ] {
        assert!(refused(&[json!({"id":id,"attributes":[{"name":"a"}]})], &[]).contains("must be a URN"), "{id}");
    }
    for id in ["urn:ietf:params:scim:schemas:core:2.0:user", "URN:insomnia:params:scim:schemas:extension:1.0:User"] {
        let said = refused(&[json!({"id":id,"attributes":[{"name":"a"}]})], &[]);
        assert!(said.contains(&format!("There is a schema `{id}` already")), "{said}");
    }
    let said = refused(&[badge(), badge()], &[]);
    assert!(said.contains("There is a schema `") && said.contains("` already"), "{said}");
}

#[test]
fn attributes_are_well_formed() {
    for (attribute, reason) in [
        (json!("number"), "must be an object"),
        (json!({}), "`name`"),
        (json!({"name":"2nd"}), "`name`"),
        (json!({"name":"a.b"}), "`name`"),
        (json!({"name":"$ref"}), "`name`"),
        (json!({"name":"Schemas"}), "every resource has"),
        (json!({"name":"a","type":"text"}), "`type` must be one of string, boolean"),
        (json!({"name":"a","type":7}), "`type` must be a string"),
        (json!({"name":"a","mutability":"never"}), "`mutability` must be one of"),
        (json!({"name":"a","returned":"sometimes"}), "`returned` must be one of"),
        (json!({"name":"a","mutability":"writeOnly"}), "`writeOnly`"),
        (json!({"name":"a","uniqueness":"server"}), "`uniqueness`"),
        (json!({"name":"a","multiValued":"true"}), "`multiValued` must be true or false"),
        (json!({"name":"a","canonicalValues":[1]}), "`canonicalValues`"),
        (json!({"name":"a","type":"complex"}), "needs `subAttributes`"),
        (json!({"name":"a","subAttributes":[{"name":"b"}]}), "only a complex attribute"),
        (
            json!({"name":"a","type":"complex","subAttributes":[{"name":"b","type":"complex","subAttributes":[{"name":"c"}]}]}),
            "can't be complex",
        ),
        (json!({"name":"a","type":"complex","subAttributes":[{"name":"b"},{"name":"B"}]}), "occurs twice"),
    ] {
        let detail = refused(&[one_attribute(attribute.clone())], &[]);
        assert!(detail.contains(reason), "{attribute}: {detail}");
    }
}

#[test]
fn resource_types_are_well_formed() {
    let of = |name: &str, endpoint: &str, schema: &str, extensions: Value| json!({"name":name,"endpoint":endpoint,"schema":schema,"schemaExtensions":extensions});
    let urn = "urn:example:params:badge:2.0";
    for (resource_type, reason) in [
        (json!(7), "must be an object"),
        (of("", "/Badges", urn, json!([])), "`name`"),
        (of("Badge", "Badges", urn, json!([])), "`endpoint`"),
        (of("Badge", "/Badges/all", urn, json!([])), "`endpoint`"),
        (of("Badge", "/.search", urn, json!([])), "`endpoint`"),
        (of("Badge", "/users", urn, json!([])), "is taken"),
        (of("Badge", "/schemas", urn, json!([])), "is taken"),
        (of("Badge", "/Badges", "urn:ietf:params:scim:schemas:core:2.0:User", json!([])), "must be a declared schema"),
        (of("Badge", "/Badges", urn, json!([{"schema":urn}])), "can't extend itself"),
        (of("Badge", "/Badges", urn, json!([{"schema":"urn:example:none"}])), "is not a declared schema"),
        (of("User", "", "", json!([{"schema":urn},{"schema":urn}])), "occurs twice"),
    ] {
        let detail = refused(&[badge()], std::slice::from_ref(&resource_type));
        assert!(detail.contains(reason), "{resource_type}: {detail}");
    }
}

#[test]
fn everything_is_bounded() {
    let schema = |number: usize| json!({"id":format!("urn:example:x{number}"),"attributes":[{"name":"a"}]});
    assert!(refused(&(0..=MAX_SCHEMAS).map(schema).collect::<Vec<_>>(), &[]).contains("more than"));
    let attributes: Vec<Value> = (0..=MAX_ATTRIBUTES).map(|number| json!({"name":format!("a{number}")})).collect();
    assert!(refused(&[json!({"id":"urn:example:x","attributes":attributes})], &[]).contains("at most"));
    assert!(refused(&[json!({"id":"urn:example:x","attributes":[]})], &[]).contains("no attributes"));
    assert!(refused(&[one_attribute(json!({"name":"a".repeat(MAX_NAME + 1)}))], &[]).contains("at most"));
}

#[test]
fn a_mistake_is_pointed_at() {
    let pointer = |schemas: &[Value], resource_types: &[Value]| {
        SchemaTable::builtin().with_declared(schemas, resource_types).expect_err("a refusal").pointer
    };
    let urn = "urn:example:params:badge:2.0";
    let badges =
        |extensions: Value| json!({"name":"Badge","endpoint":"/Badges","schema":urn,"schemaExtensions":extensions});
    for (attribute, expected) in [
        (json!(7), "/schemas/1/attributes/0"),
        (json!({"name":"2nd"}), "/schemas/1/attributes/0/name"),
        (json!({"name":"a","type":"text"}), "/schemas/1/attributes/0/type"),
        (json!({"name":"a","multiValued":1}), "/schemas/1/attributes/0/multiValued"),
        (json!({"name":"a","canonicalValues":["x",1]}), "/schemas/1/attributes/0/canonicalValues/1"),
        (
            json!({"name":"a","type":"complex","subAttributes":[{"name":"b"},{"name":"c","returned":"no"}]}),
            "/schemas/1/attributes/0/subAttributes/1/returned",
        ),
    ] {
        assert_eq!(pointer(&[badge(), one_attribute(attribute.clone())], &[]), expected, "{attribute}");
    }
    assert_eq!(pointer(&[badge(), badge()], &[]), "/schemas/1/id");
    assert_eq!(pointer(&vec![badge(); MAX_SCHEMAS + 1], &[]), "/schemas");
    let device = json!({"name":"Device","endpoint":"/Devices","schema":"urn:example:none"});
    assert_eq!(pointer(&[badge()], &[badges(json!([])), device]), "/resourceTypes/1/schema");
    let extended = badges(json!([{"schema":"urn:example:none"}]));
    assert_eq!(pointer(&[badge()], &[extended]), "/resourceTypes/0/schemaExtensions/0/schema");
}

#[test]
fn what_is_new_has_nothing_twice_and_refers_to_what_is_there() {
    let pointer = |schemas: &[Value], resource_types: &[Value]| {
        SchemaTable::builtin().with_new(schemas, resource_types).expect_err("a refusal").pointer
    };
    let attribute = |attribute: Value| [one_attribute(attribute)];
    let referring = |to: &str| json!({"name":"owner","type":"reference","referenceTypes":["external","uri",to]});
    assert!(SchemaTable::builtin().with_new(&attribute(referring("User")), &[]).is_ok());
    assert_eq!(pointer(&attribute(referring("Nobody")), &[]), "/schemas/0/attributes/0/referenceTypes/2");
    let whole = json!({"name":"x","type":"complex","subAttributes":[{"name":"kind","canonicalValues":["a","b","A"]}]});
    assert_eq!(pointer(&attribute(whole), &[]), "/schemas/0/attributes/0/subAttributes/0/canonicalValues/2");
    let exact = json!({"name":"kind","caseExact":true,"canonicalValues":["a","A"]});
    assert!(SchemaTable::builtin().with_new(&attribute(exact), &[]).is_ok());
    assert_eq!(pointer(&[], &[json!({"name":"User"}), json!({"name":"user"})]), "/resourceTypes/1/name");
}
