//! RFC 7644 §3.4.3: queries by POST (rule R88).

use insomnia_scim_tests::client::encode;
use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::{SEARCH, id};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::client;
use serde_json::{Value, json};

fn search(with: Value) -> Value {
    let mut request = json!({ "schemas": [SEARCH] });
    for (name, value) in with.as_object().expect("an object") {
        request[name] = value.clone();
    }
    request
}

#[test]
fn rfc_088_search_is_the_query_by_post() {
    let client = client();
    let prefix = unique("searched");
    let ids = seed::people(&client, &prefix, 3);
    let filter = format!("displayName co \"{prefix}-\"");
    let by_get = client.get(&format!("/Users?filter={}", encode(&filter))).list();
    let by_post = client.post("/Users/.search", search(json!({ "filter": filter }))).list();
    assert_eq!(by_post.document, by_get.document);
    let page = client
        .post(
            "/Users/.search",
            search(json!({ "filter": filter, "startIndex": 2, "count": 1, "attributes": ["userName"] })),
        )
        .list();
    assert_eq!((page.total, page.start, page.ids()), (3, 2, ids[1..2].to_vec()));
    assert!(page.resources[0].get("emails").is_none() && page.resources[0]["userName"].is_string());
    let page = client
        .post("/Users/.search", search(json!({ "filter": filter, "excludedAttributes": ["emails", "name"] })))
        .list();
    assert!(page.resources.iter().all(|user| user.get("emails").is_none() && user.get("name").is_none()));
    let sorted = search(json!({ "filter": filter, "sortBy": "id", "sortOrder": "descending" }));
    let mut descending = ids;
    descending.sort_by(|a, b| b.cmp(a));
    assert_eq!(client.post("/Users/.search", sorted).list().ids(), descending);
}

#[test]
fn rfc_088_search_of_groups_and_of_the_root() {
    let client = client();
    let name = unique("searched");
    let group = id(&seed::group(&client, &name, &[]));
    let body = search(json!({ "filter": format!("displayName eq \"{name}\"") }));
    assert_eq!(client.post("/Groups/.search", &body).list().ids(), [group.as_str()]);
    assert_eq!(client.post("/.search", &body).list().ids(), [group]);
    client.post("/Users/.search", &body).none();
}

#[test]
fn rfc_088_bad_searches_are_refused() {
    let client = client();
    client.post("/Users/.search", search(json!({ "filter": "userName is 1" }))).refusal(400, "invalidFilter");
    client.post("/Users/.search", "{").refusal(400, "invalidSyntax");
    client.post("/Users/.search", search(json!({ "count": "many" }))).refusal(400, "invalidValue");
    client.post("/Users/.search", search(json!({ "filter": 17 }))).error(400);
    client.get("/Users/.search").error(405);
}
