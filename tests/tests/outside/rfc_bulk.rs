//! RFC 7644 §3.7: bulk requests (rules R117 to R121).

use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{BULK, GROUP, USER, id, members, patch, text};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

fn request(operations: Value) -> Value {
    json!({ "schemas": [BULK], "Operations": operations })
}

/// Sends the operations and returns the results.
#[track_caller]
fn sent(operations: Value) -> Vec<Value> {
    let response = client().post("/Bulk", request(operations));
    let answer = response.document(200);
    assert_eq!(answer["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
    let results = answer["Operations"].as_array().cloned().expect("results");
    for result in &results {
        let status = text(result, "status");
        assert!(status.len() == 3, "status is a string: {result}");
        if !status.starts_with('2') {
            assert_eq!(text(&result["response"], "status"), status);
            assert!(result["response"]["detail"].is_string());
        }
    }
    results
}

fn statuses(results: &[Value]) -> Vec<String> {
    results.iter().map(|result| text(result, "status")).collect()
}

fn post_user(bulk_id: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": seed::user_request(&Person::new("bulk")) })
}

#[track_caller]
fn id_of(result: &Value) -> String {
    text(result, "location").rsplit('/').next().map(str::to_owned).expect("an id")
}

#[test]
fn rfc_117_every_method() {
    let client = client();
    let (kept, gone) = (seed::someone(&client, "bulk"), seed::someone(&client, "bulk"));
    let results = sent(json!([
        post_user("one"),
        { "method": "PUT", "path": format!("/Users/{}", id(&kept)), "data": { "schemas": [USER], "userName": kept["userName"], "title": "Put" } },
        { "method": "PATCH", "path": format!("/Users/{}", id(&kept)), "data": patch(json!({ "op": "add", "path": "nickName", "value": "Nick" })) },
        { "method": "DELETE", "path": format!("/Users/{}", id(&gone)) },
        { "method": "POST", "path": "/Groups", "bulkId": "group", "data": { "schemas": [GROUP], "displayName": unique("bulk") } },
    ]));
    assert_eq!(statuses(&results), ["201", "200", "200", "204", "201"]);
    let read = client.get(&format!("/Users/{}", id(&kept))).resource(200);
    assert_eq!((&read["title"], &read["nickName"]), (&json!("Put"), &json!("Nick")));
    client.get(&format!("/Users/{}", id(&gone))).error(404);
    client.get(&format!("/Users/{}", id_of(&results[0]))).resource(200);
}

#[test]
fn rfc_117_bad_requests() {
    let client = client();
    for body in [
        json!({ "schemas": [BULK] }),
        json!({ "schemas": [BULK], "Operations": "x" }),
        json!({ "schemas": [BULK], "Operations": [1] }),
        json!({ "schemas": [BULK], "Operations": [{ "method": "POST", "path": "/Users", "data": {} }] }),
    ] {
        client.post("/Bulk", body).refusal(400, "invalidSyntax");
    }
    let results = sent(json!([
        { "method": "GET", "path": "/Users" },
        { "method": "POST", "path": "/Nowhere", "bulkId": "a", "data": {} },
        { "method": "POST", "path": "/Bulk", "bulkId": "b", "data": { "schemas": [BULK], "Operations": [] } },
        { "method": "POST", "path": "/Users", "bulkId": "c" },
        { "method": "DELETE", "path": "/Users/nobody" },
    ]));
    assert_eq!(results.len(), 5);
    for result in &results {
        assert!(text(result, "status").starts_with('4') || text(result, "status") == "501", "{result}");
        assert!(result.get("location").is_none() || result["method"] != json!("POST"), "{result}");
    }
}

#[test]
fn rfc_118_one_failure_does_not_stop_the_rest() {
    let results = sent(json!([
        post_user("a"),
        { "method": "POST", "path": "/Users", "bulkId": "bad", "data": { "schemas": [USER] } },
        post_user("c"),
    ]));
    assert_eq!(statuses(&results), ["201", "400", "201"]);
    assert_eq!(results[1]["response"]["scimType"], json!("invalidValue"));
}

#[test]
fn rfc_118_fail_on_errors_stops() {
    let bad = |name: &str| json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": { "schemas": [USER] } });
    let person = Person::new("stopped");
    let last = json!({ "method": "POST", "path": "/Users", "bulkId": "last", "data": seed::user_request(&person) });
    let mut body = request(json!([post_user("a"), bad("b"), post_user("c"), bad("d"), last]));
    body["failOnErrors"] = json!(2);
    let answer = client().post("/Bulk", body).document(200);
    let results = answer["Operations"].as_array().expect("results");
    assert_eq!(statuses(results), ["201", "400", "201", "400"], "the rest is not there");
    seed::user(&client(), &person);
}

#[test]
fn rfc_119_results_name_their_operation() {
    let results = sent(json!([post_user("qwerty"), { "method": "DELETE", "path": "/Users/nobody" }]));
    let first = &results[0];
    assert_eq!(
        (&first["method"], &first["bulkId"], &first["status"]),
        (&json!("POST"), &json!("qwerty"), &json!("201"))
    );
    let read = client().get(&format!("/Users/{}", id_of(first))).resource(200);
    assert_eq!(first["location"], read["meta"]["location"]);
    assert_eq!(first["version"], read["meta"]["version"]);
    assert_eq!((&results[1]["method"], &results[1]["status"]), (&json!("DELETE"), &json!("404")));
}

#[test]
fn rfc_119_versions_guard_operations() {
    let client = client();
    let user = seed::someone(&client, "bulk");
    let title = |value: &str| patch(json!({ "op": "replace", "path": "title", "value": value }));
    let path = format!("/Users/{}", id(&user));
    let results = sent(json!([
        { "method": "PATCH", "path": path, "version": user["meta"]["version"], "data": title("first") },
        { "method": "PATCH", "path": path, "version": user["meta"]["version"], "data": title("second") },
    ]));
    assert_eq!(statuses(&results), ["200", "412"]);
    assert_eq!(client.get(&path).resource(200)["title"], json!("first"));
}

#[test]
fn rfc_120_bulk_ids_refer_backwards() {
    let results = sent(json!([
        post_user("alice"),
        { "method": "POST", "path": "/Groups", "bulkId": "group", "data": { "schemas": [GROUP], "displayName": unique("bulk"), "members": [{ "value": "bulkId:alice" }] } },
    ]));
    assert_eq!(statuses(&results), ["201", "201"]);
    let group = client().get(&format!("/Groups/{}", id_of(&results[1]))).resource(200);
    assert_eq!(members(&group), [id_of(&results[0])]);
}

#[test]
fn rfc_120_bulk_ids_refer_forwards() {
    let results = sent(json!([
        { "method": "POST", "path": "/Groups", "bulkId": "group", "data": { "schemas": [GROUP], "displayName": unique("bulk"), "members": [{ "type": "User", "value": "bulkId:bob" }] } },
        post_user("bob"),
    ]));
    let find = |bulk_id: &str| results.iter().find(|result| result["bulkId"] == json!(bulk_id)).expect("a result");
    assert_eq!(statuses(&results), ["201", "201"]);
    let group = client().get(&format!("/Groups/{}", id_of(find("group")))).resource(200);
    assert_eq!(members(&group), [id_of(find("bob"))]);
}

#[test]
fn rfc_120_bulk_ids_in_paths() {
    let results = sent(json!([
        post_user("carol"),
        { "method": "PATCH", "path": "/Users/bulkId:carol", "data": patch(json!({ "op": "add", "path": "title", "value": "Boss" })) },
    ]));
    assert_eq!(statuses(&results), ["201", "200"]);
    assert_eq!(client().get(&format!("/Users/{}", id_of(&results[0]))).resource(200)["title"], json!("Boss"));
}

#[test]
fn rfc_120_bulk_ids_that_are_not_there_and_circles_are_refused() {
    let name = unique("bulk");
    let results = sent(json!([
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "schemas": [GROUP], "displayName": name, "members": [{ "value": "bulkId:nobody" }] } },
    ]));
    assert!(["400", "409"].contains(&text(&results[0], "status").as_str()), "{results:?}");
    // Nested groups are refused here, so two groups that hold each other can't be made in any order.
    let results = sent(json!([
        { "method": "POST", "path": "/Groups", "bulkId": "a", "data": { "schemas": [GROUP], "displayName": unique("a"), "members": [{ "type": "Group", "value": "bulkId:b" }] } },
        { "method": "POST", "path": "/Groups", "bulkId": "b", "data": { "schemas": [GROUP], "displayName": unique("b"), "members": [{ "type": "Group", "value": "bulkId:a" }] } },
    ]));
    for result in &results {
        assert!(["400", "409"].contains(&text(result, "status").as_str()), "{result}");
    }
}

#[test]
fn rfc_121_more_than_1000_operations_are_413() {
    let operations: Vec<Value> = (0..1001).map(|_| json!({ "method": "DELETE", "path": "/Users/nobody" })).collect();
    let error = client().post("/Bulk", request(json!(operations))).error(413);
    assert!(text(&error, "detail").contains("1000"), "the limit is named: {error}");
    let results = sent(json!(operations[..1000]));
    assert_eq!(results.len(), 1000);
}

#[test]
fn rfc_121_more_than_8_mib_are_413() {
    let mut user = post_user("large");
    user["data"]["displayName"] = json!("x".repeat(9 * 1024 * 1024));
    client().post("/Bulk", request(json!([user]))).error(413);
}
