//! Bulk requests: the order of operations, and references in every direction (RFC 7644 §3.7).

use serde_json::{Value, json};

use super::Connector;
use crate::protocol::schema::ENTERPRISE_USER;

fn bulk(connector: &Connector, operations: Value) -> Vec<Value> {
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let (response, body) = connector.send("POST", "/Bulk", Some(body));
    assert_eq!(response.status, 200, "{body}");
    body["Operations"].as_array().unwrap().clone()
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

fn id(result: &Value) -> String {
    result["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

fn patch(path: &str, operations: Value) -> Value {
    json!({"method": "PATCH", "path": path, "data": {"Operations": operations}})
}

fn post(bulk_id: &str, manager: Option<&str>) -> Value {
    let mut data = json!({"userName": format!("{bulk_id}@example.com")});
    if let Some(manager) = manager {
        data[ENTERPRISE_USER] = json!({"department": "Tours", "manager": {"value": manager}});
    }
    json!({"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data})
}

#[test]
fn rfc_7644_3_7_operations_on_one_resource_are_done_in_the_order_of_the_request() {
    let connector = Connector::new(10);
    let user = connector.create("a@example.com");
    let path = format!("/Users/{user}");
    let results = bulk(
        &connector,
        json!([
            patch(
                &path,
                json!([
                    {"op": "replace", "path": "title", "value": "FIRST"},
                    {"op": "add", "path": "manager", "value": "bulkId:m"}
                ])
            ),
            patch(&path, json!([{"op": "replace", "path": "title", "value": "SECOND"}])),
            post("m", None),
        ]),
    );
    assert_eq!(statuses(&results), ["200", "200", "201"]);
    let (_, user) = connector.send("GET", &path, None);
    assert_eq!(user["title"], "SECOND");
    assert_eq!(user[ENTERPRISE_USER]["manager"]["value"], id(&results[2]).as_str());
}

#[test]
fn rfc_120_chains_of_forward_references_are_resolved() {
    let connector = Connector::new(300);
    let mut operations: Vec<Value> =
        (0..200).map(|number| post(&format!("u{number}"), Some(&format!("bulkId:u{}", number + 1)))).collect();
    operations.push(post("u200", None));
    let results = bulk(&connector, json!(operations));
    assert!(results.iter().all(|result| result["status"] == "201"), "{results:?}");
    let (_, user) = connector.send("GET", &format!("/Users/{}", id(&results[0])), None);
    assert_eq!(user[ENTERPRISE_USER]["manager"]["value"], id(&results[1]).as_str());
}

#[test]
fn rfc_120_references_in_the_filter_of_a_path_are_resolved() {
    let connector = Connector::new(10);
    let kept = connector.create("kept@example.com");
    let results = bulk(
        &connector,
        json!([
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {
                "displayName": "Crew", "members": [{"value": kept}, {"value": "bulkId:p"}, {"value": "bulkId:q"}]}},
            patch("/Groups/bulkId:g", json!([
                {"op": "remove", "path": "members[value eq \"bulkId:p\" or value eq \"bulkId:q\"]"}
            ])),
            post("p", None),
            post("q", None),
            patch("/Groups/bulkId:g", json!([{"op": "remove", "path": "members[value eq \"bulkId:nobody\"]"}])),
        ]),
    );
    assert_eq!(statuses(&results), ["201", "200", "201", "201", "400"]);
    let (_, group) = connector.send("GET", &format!("/Groups/{}", id(&results[0])), None);
    let members: Vec<&Value> = group["members"].as_array().unwrap().iter().map(|member| &member["value"]).collect();
    assert_eq!(members, [kept.as_str()]);
}

#[test]
fn rfc_7644_3_7_1_circles_of_references_are_closed() {
    let connector = Connector::new(10);
    let results = bulk(
        &connector,
        json!([
            post("a", Some("bulkId:b")),
            post("b", Some("bulkId:c")),
            post("c", Some("bulkId:a")),
            post("self", Some("bulkId:self"))
        ]),
    );
    assert_eq!(statuses(&results), ["201"; 4], "{results:?}");
    for (user, manager) in [(0, 1), (1, 2), (2, 0), (3, 3)] {
        let (response, document) = connector.send("GET", &format!("/Users/{}", id(&results[user])), None);
        assert_eq!(document[ENTERPRISE_USER]["manager"]["value"], id(&results[manager]).as_str(), "{document}");
        assert_eq!(document[ENTERPRISE_USER]["department"], "Tours");
        let etag = response.headers.iter().find(|(name, _)| name == "etag").unwrap();
        assert_eq!(results[user]["version"], etag.1.as_str(), "of the whole resource");
    }
}

#[test]
fn rfc_7644_3_7_1_a_circle_that_can_not_be_closed_is_409_and_leaves_nothing() {
    let connector = Connector::new(10);
    let mut bad = post("a", Some("bulkId:b"));
    bad["data"]["active"] = json!("perhaps");
    let results = bulk(&connector, json!([bad, post("b", Some("bulkId:a")), post("c", None)]));
    assert_eq!(statuses(&results), ["400", "409", "201"], "{results:?}");
    let (_, list) = connector.send("GET", "/Users", None);
    assert_eq!(list["totalResults"], 1);
    // A member that the operation adopted existed before, and stays.
    let connector = Connector::new(10);
    let manual = connector.add_manual("b@example.com");
    let results = bulk(&connector, json!([bad, post("b", Some("bulkId:a"))]));
    assert_eq!(statuses(&results), ["400", "409"]);
    assert_eq!(connector.send("GET", &format!("/Users/{manual}"), None).0.status, 200);
}
