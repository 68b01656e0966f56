//! Every change writes an event (rule P6), and the log has its reasons (rule P5).

use serde_json::{Value, json};

use crate::connector::{self, Window};
use crate::directory::{self, NewMember};
use crate::journal::{LogQuery, search};
use crate::sentence::told;
use crate::store::Role;
use crate::testing::organization::TestOrganization;

fn organization() -> TestOrganization {
    TestOrganization::new(100, Window::Never).unwrap()
}

fn patch(operations: Value) -> Option<Value> {
    Some(json!({"Operations": operations}))
}

#[test]
fn p6_every_change_is_an_event_of_its_type() {
    let organization = organization();
    let seen = organization.events().len();
    let (_, ada) = organization.scim("POST", "/Users", Some(json!({"userName": "ada@example.com"})));
    let user = format!("/Users/{}", ada["id"].as_str().unwrap());
    organization.scim("PATCH", &user, patch(json!([{"op": "add", "path": "title", "value": "Dr"}])));
    organization.scim("PATCH", &user, patch(json!([{"op": "add", "path": "title", "value": "Dr"}])));
    organization.scim("PATCH", &user, patch(json!([{"op": "replace", "path": "active", "value": false}])));
    organization.scim("PATCH", &user, patch(json!([{"op": "replace", "path": "active", "value": true}])));
    organization.scim("POST", "/Users", Some(json!({"userName": TestOrganization::OWNER})));
    let (_, crew) =
        organization.scim("POST", "/Groups", Some(json!({"displayName": "Crew", "members": [{"value": ada["id"]}]})));
    let group = format!("/Groups/{}", crew["id"].as_str().unwrap());
    organization.scim("PATCH", &group, patch(json!([{"op": "replace", "path": "displayName", "value": "Team"}])));
    let remove = json!([{"op": "remove", "path": "members", "value": [{"value": ada["id"]}]}]);
    organization.scim("PATCH", &group, patch(remove.clone()));
    organization.scim("PATCH", &group, patch(remove));
    organization.scim("DELETE", &group, None);
    organization.scim("DELETE", &user, None);
    organization.live_for(1).unwrap();
    directory::set_role(&organization.store(), TestOrganization::CO_OWNER, Role::Member).unwrap();
    organization.live_for(1).unwrap();
    connector::disable(&organization.store(), TestOrganization::OWNER).unwrap();
    let expected = [
        "member.created",
        "member.updated",
        "member.deactivated",
        "member.reactivated",
        "member.adopted",
        "team.created",
        "team.membership-changed",
        "team.updated",
        "team.membership-changed",
        "team.deleted",
        "member.deleted",
        "member.updated",
        "connector.disabled",
    ];
    assert_eq!(organization.event_types().split_off(seen), expected);
}

#[test]
fn p6_an_event_says_what_changed_by_whom_and_of_what() {
    let organization = organization();
    let body = json!({"userName": "ada@example.com", "title": "Dr", "password": "hunter2hunter2"});
    let (_, ada) = organization.scim("POST", "/Users", Some(body));
    let user = format!("/Users/{}", ada["id"].as_str().unwrap());
    organization.scim("PATCH", &user, patch(json!([{"op": "replace", "path": "title", "value": "Prof"}])));
    let events = organization.events();
    let created = events.iter().find(|event| event["type"] == "member.created" && event["actor"] == "scim").unwrap();
    assert_eq!(created["subject"], json!({"type": "member", "id": ada["id"], "name": "ada@example.com"}));
    assert_eq!(created["data"]["after"]["origin"], "scim");
    assert_eq!(created["data"]["after"]["active"], true);
    let updated = events.last().unwrap();
    assert_eq!(updated["data"], json!({"before": {"title": "Dr"}, "after": {"title": "Prof"}}));
    assert!(updated["time"].as_str().unwrap().ends_with('Z'));
    assert!(!organization.host.dump().contains("hunter2"));
}

#[test]
fn p6_an_event_of_a_large_change_names_what_changed_only() {
    let organization = organization();
    let addresses: Vec<Value> =
        (0..40).map(|number| json!({"formatted": format!("{number}{}", "x".repeat(3_000))})).collect();
    let body = json!({"userName": "ada@example.com", "addresses": addresses});
    assert_eq!(organization.scim("POST", "/Users", Some(body)).0, 201);
    let events = organization.events();
    let created = events.iter().find(|event| event["actor"] == "scim").unwrap();
    assert!(created["data"]["changed"].as_array().unwrap().contains(&json!("addresses")));
    assert!(created.to_string().len() < 2_000);
}

#[test]
fn p6_what_was_refused_is_no_event() {
    let organization = TestOrganization::new(2, Window::Never).unwrap();
    let seen = organization.events().len();
    assert_eq!(organization.scim("POST", "/Users", Some(json!({"title": "nobody"}))).0, 400);
    assert_eq!(organization.scim("DELETE", "/Users/0190a6f0-0000-7000-8000-000000000001", None).0, 404);
    let new = NewMember {
        email: TestOrganization::OWNER.into(),
        display_name: "Again".into(),
        role: Role::Member,
        passphrase: None,
    };
    assert!(crate::testing::add_member(&organization.store(), &new).is_err());
    assert_eq!(organization.events().len(), seen);
}

#[test]
fn p5_the_log_has_the_redacted_body_and_why() {
    let organization = organization();
    let body = json!({"userName": TestOrganization::OWNER, "password": "hunter2hunter2"});
    organization.scim("POST", "/Users", Some(body));
    let page = search(&organization.store(), &LogQuery { limit: 1, ..LogQuery::default() }).unwrap();
    let entry: Value = serde_json::from_str(&page.entries[0]).unwrap();
    assert_eq!(entry["action"], "adopted");
    assert_eq!(told(entry["because"][0].as_str().unwrap()).as_deref(), Some("matched userName"));
    assert_eq!(entry["tokenGeneration"], 1);
    assert!(entry["body"].as_str().unwrap().contains("[redacted]"));
    assert!(!organization.host.dump().contains("hunter2"));
    let found =
        search(&organization.store(), &LogQuery { text: Some("REDACTED".into()), limit: 9, ..LogQuery::default() });
    assert_eq!(found.unwrap().entries.len(), 1);
}
