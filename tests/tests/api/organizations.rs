//! Organizations over the API.

use insomnia_scim_tests::client::Request;
use insomnia_scim_tests::person::unique;
use serde_json::json;

use crate::api::caller::{Organization, created, gone, ok, operator, problem};

fn patch(organization: &Organization, change: serde_json::Value) -> insomnia_scim_tests::client::Response {
    operator().send(&Request::new("PATCH", &organization.path).body(change))
}

#[test]
fn an_organization_is_created_looked_at_changed_and_deleted() {
    let operator = operator();
    let id = unique("life");
    let record = json!({"name": "Life", "plan": "team", "seats": 3});
    let response = operator.post("/organizations", json!({"id": id, "organization": record}));
    let made = created(&response);
    let location = response.header("location").expect("Location");
    assert!(location.ends_with(&format!("/api/v1/organizations/{id}")), "{response}");
    assert!(made["connector_url"].as_str().is_some_and(|url| url.ends_with(&format!("/scim/v2/{id}"))), "{made}");
    assert_eq!(made["organization"]["options"]["passphrase-emails"], json!(true));
    let path = format!("/organizations/{id}");
    assert_eq!(ok(&operator.get(&path)), made);
    let record = json!({"name": "Life 2", "plan": "enterprise", "seats": 4, "domains": [{"name": "a.example", "verified": true}]});
    let put = ok(&operator.put(&path, record));
    assert_eq!(put["organization"]["seats"], json!(4));
    gone(&operator.delete(&path));
    problem(&operator.get(&path), 404, "not-found");
    problem(&operator.delete(&path), 404, "not-found");
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let organization = Organization::new("patch");
    let changed = ok(&patch(&organization, json!({"seats": 7, "options": {"strict": true}})));
    assert_eq!(changed["organization"]["seats"], json!(7));
    assert_eq!(changed["organization"]["single_sign_on"], json!("okta"));
    assert_eq!(changed["organization"]["options"]["strict"], json!(true));
    assert_eq!(changed["organization"]["options"]["passphrase-emails"], json!(true));
    let changed = ok(&patch(&organization, json!({"single_sign_on": null})));
    assert_eq!(changed["organization"]["single_sign_on"], json!(null));
    assert_eq!(changed["organization"]["seats"], json!(7));
    assert_eq!(changed["organization"]["domains"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_merge_patch_is_taken_under_its_own_name() {
    let organization = Organization::new("merge");
    let request = Request::new("PATCH", &organization.path).header("Content-Type", "application/merge-patch+json");
    let changed = ok(&operator().send(&request.body(json!({"name": "Merged"}))));
    assert_eq!(changed["organization"]["name"], json!("Merged"));
}

#[test]
fn what_is_not_valid_is_pointed_at_and_changes_nothing() {
    let organization = Organization::new("invalid");
    for (change, pointer) in [
        (json!({"seats": -1}), "/seats"),
        (json!({"seats": "many"}), "/seats"),
        (json!({"plan": "gold"}), "/plan"),
        (json!({"sets": 1}), "/sets"),
        (json!({"domains": [{"name": "a.example", "verified": true}, {"name": "b.example"}]}), "/domains/1"),
        (json!({"options": {"stric": true}}), "/options"),
        (json!({"options": {"strict": 1}}), "/options/strict"),
    ] {
        let refused = problem(&patch(&organization, change.clone()), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!(pointer), "{change}: {refused}");
    }
    problem(&patch(&organization, json!({"name": " "})), 422, "invalid");
    assert_eq!(ok(&organization.get(""))["organization"]["seats"], json!(20));
}

#[test]
fn an_id_is_taken_once_and_has_a_form() {
    let organization = Organization::new("taken");
    let record = json!({"name": "x", "plan": "free", "seats": 1});
    let again = json!({"id": organization.id, "organization": record});
    problem(&operator().post("/organizations", again), 409, "conflict");
    assert_eq!(ok(&organization.get(""))["organization"]["name"], json!("taken"));
    for id in ["", "A", "-a", "a/b", "_host", &"a".repeat(64)] {
        let refused =
            problem(&operator().post("/organizations", json!({"id": id, "organization": record})), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!("/id"));
    }
}

#[test]
fn an_organization_that_is_refused_is_not_left_behind() {
    let id = unique("half");
    let record = json!({"name": "", "plan": "free", "seats": 1});
    problem(&operator().post("/organizations", json!({"id": id, "organization": record})), 422, "invalid");
    problem(&operator().get(&format!("/organizations/{id}")), 404, "not-found");
}

#[test]
fn an_organizations_key_may_look_at_its_own() {
    let organization = Organization::new("own");
    let seen = ok(&organization.get(""));
    assert_eq!(seen["id"], json!(organization.id));
    assert!(seen["page_url"].as_str().is_some_and(|url| url.contains(&organization.id)), "{seen}");
    let licences = ok(&organization.get("/licences"));
    assert_eq!(licences, json!({"seats": 20, "manual": 1, "scim": 0}));
}
