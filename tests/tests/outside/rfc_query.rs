//! RFC 7644 §3.4: reading and listing (rules R52 to R58).

use insomnia_scim_tests::client::{Request, encode};
use insomnia_scim_tests::person::{Person, unique};
use insomnia_scim_tests::scim::{USER, id, patch};
use insomnia_scim_tests::seed;
use insomnia_scim_tests::server::{client, shared};
use serde_json::json;

#[test]
fn rfc_052_get_by_id() {
    let client = client();
    let created = seed::someone(&client, "read");
    let response = client.get(&format!("/Users/{}", id(&created)));
    assert_eq!(response.resource(200), created);
    assert_eq!(response.header("ETag"), created["meta"]["version"].as_str());
    let group = seed::group(&client, &unique("read"), &[id(&created)]);
    assert_eq!(client.get(&format!("/Groups/{}", id(&group))).resource(200), group);
}

#[test]
fn rfc_052_an_unknown_id_is_404() {
    let client = client();
    let user = id(&seed::someone(&client, "other.type"));
    client.get("/Users/2819c223-7f76-453a-919d-413861904646").error(404);
    client.get("/Groups/2819c223-7f76-453a-919d-413861904646").error(404);
    client.get(&format!("/Groups/{user}")).error(404);
    client.put(&format!("/Groups/{user}"), json!({ "schemas": [], "displayName": "x" })).error(404);
    client.delete(&format!("/Groups/{user}")).error(404);
    client.get(&format!("/Users/{user}")).resource(200);
}

#[test]
fn rfc_053_lists_are_list_responses() {
    let client = client();
    seed::group(&client, &unique("listed"), &[id(&seed::someone(&client, "listed"))]);
    for endpoint in ["/Users", "/Groups"] {
        let page = client.get(endpoint).list();
        assert!(page.total >= 1 && page.start == 1);
        assert!(page.document.get("meta").is_none(), "a list is a message and has no meta");
        for resource in &page.resources {
            assert!(resource["id"].is_string() && resource["schemas"].is_array() && resource["meta"].is_object());
        }
    }
}

#[test]
fn rfc_054_no_match_is_200_and_empty() {
    client().get(&format!("/Users?filter=userName+eq+%22{}%22", unique("nobody"))).none();
    client().get(&format!("/Groups?filter=displayName+eq+%22{}%22", unique("nothing"))).none();
    client().get(&format!("/Users?filter=externalId+eq+%22{}%22", unique("nobody"))).none();
    client().get("/Users?filter=id+eq+%22nobody%22").none();
}

#[test]
fn rfc_055_items_per_page_is_what_is_on_the_page() {
    let client = client();
    let prefix = unique("items");
    for _ in 0..3 {
        seed::someone(&client, &prefix);
    }
    let filter = encode(&format!("userName sw \"{prefix}-\""));
    // `list` compares itemsPerPage with the resources.
    for (query, expected) in [("count=2", 2), ("count=10", 3), ("count=0", 0), ("startIndex=3", 1), ("startIndex=4", 0)]
    {
        let page = client.get(&format!("/Users?filter={filter}&{query}")).list();
        assert_eq!((page.total, page.resources.len()), (3, expected), "{query}");
    }
}

#[test]
fn rfc_056_the_root_queries_every_type() {
    let client = client();
    let name = unique("everywhere");
    let mut request = seed::user_request(&Person::new("root"));
    request["displayName"] = json!(name);
    let user = id(&client.post("/Users", request).resource(201));
    let group = id(&seed::group(&client, &name, &[]));
    let filter = encode(&format!("displayName eq \"{name}\""));
    let page = client.get(&format!("/?filter={filter}")).list();
    let mut types = page.resources.iter().map(|resource| resource["meta"]["resourceType"].clone()).collect::<Vec<_>>();
    types.sort_by_key(ToString::to_string);
    assert_eq!(types, [json!("Group"), json!("User")]);
    let filter = encode(&format!("displayName eq \"{name}\" and userName pr"));
    assert_eq!(client.get(&format!("/?filter={filter}")).list().ids(), [user], "a group has no userName");
    let filter = encode(&format!("displayName eq \"{name}\" and meta.resourceType eq \"Group\""));
    assert_eq!(client.get(&format!("/?filter={filter}")).list().ids(), [group]);
}

#[test]
fn rfc_058_deleted_resources_are_omitted_and_deactivated_ones_are_not() {
    let client = client();
    let prefix = unique("deleted");
    let (gone, off) = (id(&seed::someone(&client, &prefix)), id(&seed::someone(&client, &prefix)));
    client.delete(&format!("/Users/{gone}")).no_content();
    client
        .patch(&format!("/Users/{off}"), patch(json!({ "op": "replace", "path": "active", "value": false })))
        .resource(200);
    let filter = encode(&format!("userName sw \"{prefix}-\""));
    assert_eq!(client.get(&format!("/Users?filter={filter}")).list().ids(), [off]);
}

#[test]
fn manual_members_are_found_by_lookups_and_not_listed() {
    let server = shared();
    let client = server.client();
    let owner = encode(&format!("userName eq \"{}\"", server.demo().owner_email));
    let found = client.get(&format!("/Users?filter={owner}")).only();
    client.get(&format!("/Users/{}", id(&found))).resource(200);
    let scan = encode(&format!("userName sw \"{}\"", server.demo().owner_email));
    client.get(&format!("/Users?filter={scan}")).none();
}

#[test]
fn the_body_of_a_get_is_ignored() {
    let request = Request::new("GET", "/Users?count=0").body("x");
    let _ = client().send(&request).list();
}

#[test]
fn the_last_active_owner_cannot_be_removed() {
    let server = shared();
    let client = server.client();
    let owner = encode(&format!("userName eq \"{}\"", server.demo().owner_email));
    let owner = id(&client.get(&format!("/Users?filter={owner}")).only());
    client.delete(&format!("/Users/{owner}")).error(403);
    client
        .patch(&format!("/Users/{owner}"), patch(json!({ "op": "replace", "path": "active", "value": false })))
        .error(403);
    let body = json!({ "schemas": [USER], "userName": server.demo().owner_email, "active": false });
    client.put(&format!("/Users/{owner}"), body).error(403);
}
