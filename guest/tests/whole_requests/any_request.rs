//! Whatever a client sends, it gets a SCIM answer that is no server error, and what is stored stays consistent.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::connector;
use super::resources::{ENTERPRISE, user};

fn names() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "schemas",
        "Schemas",
        "id",
        "externalId",
        "meta",
        "userName",
        "USERNAME",
        "name",
        "givenName",
        "name.givenName",
        "displayName",
        "active",
        "password",
        "emails",
        "value",
        "type",
        "primary",
        "$ref",
        "display",
        "members",
        "groups",
        "manager",
        "Operations",
        "op",
        "path",
        "data",
        "method",
        "bulkId",
        "failOnErrors",
        "filter",
        "attributes",
        "excludedAttributes",
        "sortBy",
        "sortOrder",
        "startIndex",
        "count",
        "cursor",
        "x509Certificates",
        "addresses",
        "roles",
        "emails[type eq \"work\"].value",
        ENTERPRISE,
        "urn:insomnia:params:scim:schemas:extension:1.0:User",
    ];
    prop_oneof![20 => prop::sample::select(NAMES).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

fn scalars() -> impl Strategy<Value = Value> {
    const TEXTS: &[&str] = &[
        "",
        "a",
        "ada@example.com",
        "owner@example.com",
        "True",
        "add",
        "Replace",
        "remove",
        "POST",
        "PATCH",
        "DELETE",
        "/Users",
        "/Groups",
        "/Users/bulkId:1",
        "bulkId:1",
        "1",
        "members",
        "emails",
        "active",
        "userName eq \"a\"",
        "members[value eq \"1\"]",
        "emails[type eq \"work\"]",
        "2024-01-01T00:00:00Z",
        "ascending",
        "AAAA",
        ENTERPRISE,
        "urn:ietf:params:scim:api:messages:2.0:PatchOp",
        "urn:ietf:params:scim:api:messages:2.0:BulkRequest",
        "urn:ietf:params:scim:api:messages:2.0:SearchRequest",
        "urn:ietf:params:scim:schemas:core:2.0:User",
    ];
    prop_oneof![
        12 => prop::sample::select(TEXTS).prop_map(Value::from),
        1 => "\\PC{0,12}".prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            2 => prop::collection::vec((names(), inner), 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Any JSON, or a message of the right shape with anything in it.
fn bodies() -> impl Strategy<Value = Value> {
    let message = (prop::sample::select(&["PatchOp", "BulkRequest", "SearchRequest"][..]), values(), values())
        .prop_map(|(message, operations, other)| {
            let operations = if operations.is_array() { operations } else { json!([operations, other]) };
            let mut body = json!({"schemas": [format!("urn:ietf:params:scim:api:messages:2.0:{message}")]});
            body["Operations"] = operations;
            body
        });
    let resource = (values(), scalars()).prop_map(|(value, name)| match value {
        Value::Object(mut fields) => {
            fields.insert("userName".into(), name.clone());
            fields.insert("displayName".into(), name);
            fields.into()
        }
        other => other,
    });
    prop_oneof![values(), resource, message]
}

fn targets() -> impl Strategy<Value = String> {
    const PATHS: &[&str] = &[
        "/",
        "",
        "/Users",
        "/Users/",
        "/Groups",
        "/Users/{user}",
        "/Groups/{group}",
        "/Users/0",
        "/Groups/nobody",
        "/Bulk",
        "/Me",
        "/.search",
        "/Users/.search",
        "/Groups/.search",
        "/Schemas",
        "/ResourceTypes",
        "/ServiceProviderConfig",
        "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
        "/nosuch",
        "/Users/{user}/emails",
        "//Users//{user}",
        "/%55sers",
    ];
    let parameter = (
        prop::sample::select(
            &[
                "filter",
                "sortBy",
                "sortOrder",
                "startIndex",
                "count",
                "cursor",
                "attributes",
                "excludedAttributes",
                "x",
            ][..],
        ),
        prop_oneof![
            prop::sample::select(
                &[
                    "userName",
                    "userName eq %22a%22",
                    "emails[type%20eq%20%22work%22].value",
                    "-1",
                    "0",
                    "99999999999999999999",
                    "members,groups",
                    "meta.created",
                    "password",
                    "descending",
                    "%",
                    "%zz%ff",
                    "displayName+sw+%22%22",
                ][..]
            )
            .prop_map(str::to_owned),
            "[a-zA-Z0-9%+&=.\"()\\[\\] ]{0,20}",
        ],
    );
    (prop::sample::select(PATHS), prop::collection::vec(parameter, 0..3)).prop_map(|(path, parameters)| {
        let query: Vec<String> = parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_json_in_any_endpoint_gives_a_scim_answer_under_500(
        user in user(0),
        requests in prop::collection::vec(
            (prop::sample::select(&["GET", "POST", "POST", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"][..]), targets(), bodies()),
            1..12,
        ),
    ) {
        let connector = connector();
        let user = connector.json("POST", "/Users", &user).id();
        let group = json!({"displayName": "Crew", "members": [{"value": user}]});
        let group = connector.json("POST", "/Groups", &group).id();
        for (method, target, body) in requests {
            let target = target.replace("{user}", &user).replace("{group}", &group);
            connector.json(method, &target, &body);
        }
        connector.expect_consistent();
    }

    #[test]
    fn any_bytes_in_any_endpoint_give_a_scim_answer_under_500(
        target in targets(),
        method in prop::sample::select(&["POST", "PUT", "PATCH", "GET"][..]),
        body in prop::collection::vec(any::<u8>(), 0..64),
        content_type in prop::sample::select(&["application/json", "application/scim+json; charset=utf-8", "text/plain", ""][..]),
    ) {
        connector().send(method, &target, &[("content-type", content_type)], &body);
    }
}
