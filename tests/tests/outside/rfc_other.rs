//! RFC 7644 §3.11 and the rest (rules R127, R128), and large groups.

use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::{GROUP, id, members, patch};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

#[test]
fn rfc_127_me_is_501() {
    let client = client();
    client.get("/Me").error(501);
    client.patch("/Me", patch(json!({ "op": "replace", "path": "title", "value": "x" }))).error(501);
    client.delete("/Me").error(501);
}

#[test]
fn rfc_128_unknown_endpoints_are_404() {
    let client = client();
    client.get("/Devices").error(404);
    client.post("/Devices", json!({})).error(404);
    client.delete("/Devices/1").error(404);
}

#[test]
fn patch_of_a_group_of_more_than_500_is_204_unless_attributes_are_asked_for() {
    let client = client();
    let ids = large(&client);
    let values: Vec<Value> = ids[..500].iter().map(|member| json!({ "value": member })).collect();
    let body = json!({ "schemas": [GROUP], "displayName": unique("large"), "members": values });
    let group = id(&client.post("/Groups", body).resource(201));
    let path = format!("/Groups/{group}");
    let add = |index: usize| patch(json!({ "op": "add", "path": "members", "value": [{ "value": ids[index] }] }));
    let response = client.patch(&path, add(500));
    response.no_content();
    assert!(response.header("ETag").is_some(), "the version is told without a body: {response}");
    let answer = client.patch(&format!("{path}?attributes=displayName"), add(501)).document(200);
    assert!(answer.get("members").is_none() && answer["displayName"].is_string());
    let answer = client.patch(&format!("{path}?attributes=members"), add(502)).document(200);
    assert_eq!(members(&answer).len(), 503, "members are never cut off");
    let answer = client.patch(&format!("{path}?excludedAttributes=members"), add(503)).resource(200);
    assert!(answer.get("members").is_none());
    let whole = client.get(&path).resource(200);
    assert_eq!(members(&whole).len(), 504);
}

/// 504 users, by bulk.
fn large(client: &insomnia_scim_tests::client::Client) -> Vec<String> {
    let operations: Vec<Value> = (0..504)
        .map(|index| {
            json!({ "method": "POST", "path": "/Users", "bulkId": index.to_string(),
                "data": { "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": unique("large") } })
        })
        .collect();
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
    let answer = client.post("/Bulk", body).document(200);
    let locations = answer["Operations"]
        .as_array()
        .expect("operations")
        .iter()
        .map(|operation| operation["location"].as_str().expect("a location"));
    locations.filter_map(|location| location.rsplit('/').next()).map(str::to_owned).collect()
}

#[test]
fn a_group_with_no_members_has_none() {
    let client = client();
    let group = seed::group(&client, &unique("empty"), &[]);
    assert!(members(&group).is_empty());
}
