//! The log gives reasons: the match, the effect on the seat, the rule that has refused, the changed attributes, and the
//! caller.

use insomnia_scim_contract::Actor;
use serde_json::{Value, json};

use super::{because, logged, request};
use crate::connector::oauth::{self, NewClient};
use crate::connector::{self, Window};
use crate::provisioning::guard;
use crate::store::Guard;
use crate::testing::organization::{DAY, TestOrganization};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn organization() -> TestOrganization {
    TestOrganization::new(10, Window::Days30).unwrap()
}

/// The lines of the log for a request, without the line about the caller.
fn told(organization: &TestOrganization, method: &str, target: &str, body: Option<Value>) -> (u16, Value) {
    let (status, mut entry) = logged(organization, &request(organization, method, target, body));
    let reasons: Vec<String> = because(&entry).into_iter().filter(|reason| !reason.starts_with("caller-")).collect();
    entry["because"] = json!(reasons);
    (status, entry)
}

fn create(organization: &TestOrganization, name: &str) -> (String, Vec<String>) {
    let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
    let (status, entry) = told(organization, "POST", "/Users", Some(body));
    assert_eq!(status, 201, "{entry}");
    (format!("/Users/{}", entry["subject"]["id"].as_str().unwrap()), because(&entry))
}

fn patch(operations: Value) -> Option<Value> {
    Some(json!({"schemas": [PATCH_OP], "Operations": operations}))
}

fn active(active: bool) -> Option<Value> {
    patch(json!([{"op": "replace", "path": "active", "value": active}]))
}

#[test]
fn p5_the_log_tells_what_became_of_the_seat() {
    let organization = organization();
    let (ada, created) = create(&organization, "ada@example.com");
    assert_eq!(created, ["matched-nobody", "seat-taken 3 10", "passphrase-mailed"]);
    let (_, entry) = told(&organization, "PATCH", &ada, active(false));
    assert_eq!(entry["because"], json!(["addressed-by-id", "changed active", "seat-freed 2 10"]));
    let (_, entry) = told(&organization, "PATCH", &ada, active(true));
    assert_eq!(entry["because"], json!(["addressed-by-id", "changed active", "seat-taken 3 10"]));
    let (_, entry) = told(&organization, "DELETE", &ada, None);
    assert_eq!(entry["because"], json!(["addressed-by-id", "seat-freed 2 10"]));
    let (bob, _) = create(&organization, "bob@example.com");
    told(&organization, "PATCH", &bob, active(false));
    let (_, entry) = told(&organization, "DELETE", &bob, None);
    assert_eq!(entry["because"], json!(["addressed-by-id", "no-seat-freed"]));
    organization.change(|record| record.seats = 2).unwrap();
    let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "cy@example.com"});
    let (status, entry) = told(&organization, "POST", "/Users", Some(body));
    assert_eq!((status, because(&entry)), (403, vec!["no-seat-free 2".to_owned()]));
    organization.change(|record| record.options.allow_overage = true).unwrap();
    assert!(create(&organization, "cy@example.com").1.contains(&"seat-overage 3 2".to_owned()));
}

#[test]
fn p5_the_log_tells_who_was_matched_by_what_and_what_was_kept() {
    let organization = organization();
    let owner = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "olga",
        "emails": [{"value": TestOrganization::OWNER}]});
    let (_, entry) = told(&organization, "POST", "/Users", Some(owner.clone()));
    let expected = ["matched emails", "member-adopted owner", "changed emails, userName", "seat-kept"];
    assert_eq!(because(&entry), expected);
    let (status, conflict) = told(&organization, "POST", "/Users", Some(owner));
    assert_eq!(status, 409);
    let id = entry["subject"]["id"].as_str().unwrap();
    assert_eq!(because(&conflict), [format!("taken userName {id} (The owner)")]);
    assert_eq!(conflict["subject"]["id"], id);
}

#[test]
fn p5_the_log_tells_whom_a_look_up_found_by_which_attribute() {
    let organization = organization();
    create(&organization, "ada@example.com");
    create(&organization, "bob@example.com");
    for (filter, name, why) in [
        ("userName eq \"ADA@example.com\"", Some("ada@example.com"), "found 1 userName"),
        ("userName eq \"nobody\"", None, "found 0 userName"),
        ("userName ew \"example.com\" and active eq true", None, "found 2 userName, active"),
        ("not (userName eq \"ada@example.com\")", Some("bob@example.com"), "found 1 the filter"),
    ] {
        let (_, entry) = told(&organization, "GET", &format!("/Users?filter={filter}"), None);
        assert_eq!((entry["subject"]["name"].as_str(), because(&entry)), (name, vec![why.to_owned()]), "{filter}");
    }
    assert_eq!(because(&told(&organization, "GET", "/Users", None).1), Vec::<String>::new());
}

#[test]
fn p5_the_log_names_what_changed_and_not_how() {
    let organization = organization();
    let (ada, _) = create(&organization, "ada@example.com");
    let change = json!([
        {"op": "add", "path": "title", "value": "Secretive"},
        {"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "Hush"},
    ]);
    let (_, entry) = told(&organization, "PATCH", &ada, patch(change.clone()));
    assert_eq!(because(&entry), ["addressed-by-id", "changed department, title"]);
    let (status, entry) = told(&organization, "PATCH", &ada, patch(change));
    assert_eq!((status, entry["action"].as_str()), (200, Some("unchanged")));
    assert_eq!(because(&entry), ["addressed-by-id", "nothing-changed"]);
    let put = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com",
        "active": true, "nickName": "A"});
    let (_, entry) = told(&organization, "PUT", &ada, Some(put));
    assert_eq!(because(&entry), ["addressed-by-id", "changed department, nickName, title"]);
}

#[test]
fn p5_the_log_names_the_rule_that_refused_and_whom_it_concerned() {
    let organization = organization();
    let rules = |method: &str, target: &str, body: Option<Value>| {
        let (status, entry) = told(&organization, method, target, body);
        (status, entry["subject"]["name"].as_str().map(str::to_owned), because(&entry))
    };
    let owner = organization.store().find_member(TestOrganization::OWNER).unwrap().unwrap();
    let path = format!("/Users/{}", owner.record.id());
    let name = || Some("The owner".to_owned());
    let reason = |text: &str| vec![text.to_owned()];
    let expected = (403, name(), reason("last-owner"));
    assert_eq!(rules("PATCH", &path, active(false)), expected);
    assert_eq!(rules("DELETE", &path, None), expected);

    organization.change(|record| record.options.verified_domains_only = true).unwrap();
    let foreign = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eve@evil.example"});
    let expected = (403, Some("eve@evil.example".to_owned()), reason("foreign-domain evil.example"));
    assert_eq!(rules("POST", "/Users", Some(foreign)), expected);

    let (ada, _) = create(&organization, "ada@example.com");
    guard::set(&organization.store(), Some(Guard { number: Some(0), share: None })).unwrap();
    let (status, whom, why) = rules("DELETE", &ada, None);
    assert_eq!((status, whom.as_deref()), (503, Some("ada@example.com")));
    assert_eq!(why, reason("held"));

    let mut stale = request(&organization, "PATCH", &ada, active(true));
    stale.headers.push(("if-match".into(), "W/\"1\"".into()));
    let (status, entry) = logged(&organization, &stale);
    assert_eq!((status, because(&entry).first().map(String::as_str)), (412, Some("other-version")));
}

#[test]
fn p4_the_log_says_who_can_not_sign_in_and_who_is_of_another_domain() {
    let organization = organization();
    let post = |user: Value| {
        let (_, entry) = told(&organization, "POST", "/Users", Some(user));
        let last = because(&entry).last().cloned().unwrap_or_default();
        (format!("/Users/{}", entry["subject"]["id"].as_str().unwrap_or_default()), last)
    };
    let user = |name: &str| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
    let (nameless, said) = post(user("ada"));
    assert_eq!(said, "can't sign in: no email address");
    assert_eq!(post(user("bob@elsewhere.example")).1, "outside your verified domains: elsewhere.example");
    assert!(!post(user("cy@example.com")).1.contains("outside"));
    let given = json!([{"op": "add", "path": "emails", "value": [{"value": "ada@elsewhere.example"}]}]);
    let (_, entry) = told(&organization, "PATCH", &nameless, patch(given));
    assert!(because(&entry).contains(&"outside your verified domains: elsewhere.example".to_owned()), "{entry}");
    let other = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
    let (_, entry) = told(&organization, "PATCH", &nameless, patch(other));
    assert!(!because(&entry).iter().any(|line| line.contains("outside")), "it is said once: {entry}");
    organization.change(|record| record.options.email_required = true).unwrap();
    let (status, entry) = told(&organization, "POST", "/Users", Some(user("dan")));
    assert_eq!((status, because(&entry)), (403, vec!["no-address".to_owned()]));
}

#[test]
fn p5_the_log_counts_who_came_to_a_team_and_who_left_it() {
    let organization = organization();
    let ids: Vec<String> = ["ada", "bob", "cy"]
        .map(|name| create(&organization, &format!("{name}@example.com")).0.rsplit('/').next().unwrap().to_owned())
        .into();
    let crew = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Crew",
        "members": [{"value": ids[0]}, {"value": ids[1]}]});
    let (_, entry) = told(&organization, "POST", "/Groups", Some(crew.clone()));
    assert_eq!(because(&entry), ["matched-no-team", "members-added 2"]);
    let group = format!("/Groups/{}", entry["subject"]["id"].as_str().unwrap());
    let change = json!([
        {"op": "replace", "path": "displayName", "value": "Team"},
        {"op": "replace", "path": "members", "value": [{"value": ids[2]}]},
    ]);
    let (_, entry) = told(&organization, "PATCH", &group, patch(change.clone()));
    let expected = ["addressed-by-id", "changed displayName", "members-added 1", "members-removed 2"];
    assert_eq!(because(&entry), expected);
    let (_, entry) = told(&organization, "PATCH", &group, patch(change));
    assert_eq!(because(&entry), ["addressed-by-id", "nothing-changed"]);
    let nobody = "0190a6f0-0000-7000-8000-000000000001";
    let unknown = json!([{"op": "add", "path": "members", "value": [{"value": nobody}]}]);
    let (_, entry) = told(&organization, "PATCH", &group, patch(unknown.clone()));
    let left_out = format!("members-left-out 1 {nobody}");
    let tolerance = "tolerance T33: members whom nobody knows were left out, and the known ones taken";
    assert_eq!(because(&entry), ["addressed-by-id", "nothing-changed", &left_out, tolerance]);
    organization.change(|record| record.options.refuse_unknown_members = true).unwrap();
    let (status, entry) = told(&organization, "PATCH", &group, patch(unknown));
    assert_eq!((status, because(&entry)), (400, vec!["unknown-members 1".to_owned()]));
    let (_, entry) = told(&organization, "DELETE", &group, None);
    assert_eq!(because(&entry), ["addressed-by-id", "no-member-removed"]);
}

#[test]
fn p5_the_log_of_a_bulk_request_tells_of_each_operation() {
    let organization = organization();
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada@example.com"}},
        {"method": "DELETE", "path": "/Users/0"},
    ]});
    let (_, entry) = told(&organization, "POST", "/Bulk", Some(body));
    let reasons = because(&entry);
    let created = "POST /Users: created ada@example.com; matched nobody by userName or emails; seat 3 of 10; ";
    assert!(reasons[0].starts_with(created), "{reasons:?}");
    assert!(reasons[1].starts_with("DELETE /Users/0: refused with 404: "), "{reasons:?}");
    assert_eq!(reasons[2], "bulk-done 2");
}

#[test]
fn p5_the_log_tells_which_credential_a_caller_had_also_one_that_is_not_accepted_any_more() {
    let mut organization = organization();
    let probe = |organization: &TestOrganization| {
        let (status, entry) = logged(organization, &request(organization, "GET", "/Users", None));
        (status, entry["tokenGeneration"].as_u64(), because(&entry).join("; "))
    };
    let first = organization.token.clone();
    assert_eq!(probe(&organization), (200, Some(1), "caller-token 1".into()));
    let second = connector::refresh(&organization.store(), Actor::Operator, None, None, 3_600).unwrap().token;
    assert_eq!(probe(&organization), (200, Some(1), "caller-previous-token 1".into()));
    organization.live_for(3_600_000).unwrap();
    assert_eq!(probe(&organization), (401, Some(1), "caller-token-replaced 1".into()));
    organization.token = second;
    let third = connector::refresh(&organization.store(), Actor::Operator, None, None, 0).unwrap().token;
    assert_eq!(probe(&organization), (401, Some(2), "caller-token-replaced 2".into()));
    organization.token = first;
    assert_eq!(probe(&organization), (401, None, String::new()), "two generations ago");
    organization.token = third;
    organization.live_for(31 * DAY).unwrap();
    assert_eq!(probe(&organization), (401, Some(3), "caller-token-expired 3".into()));
    connector::disable(&organization.store(), TestOrganization::OWNER).unwrap();
    assert_eq!(probe(&organization), (401, Some(3), "caller-token-disabled 3".into()));
    assert_eq!(connector::status(&organization.store()).unwrap().overlap_until, None);
}

#[test]
fn p1_a_disabled_connector_answers_alike_to_an_unknown_organization_but_to_the_right_token() {
    let organization = organization();
    connector::disable(&organization.store(), TestOrganization::OWNER).unwrap();
    let (_, entry) = logged(&organization, &request(&organization, "GET", "/Users", None));
    assert!(entry["detail"].as_str().unwrap().starts_with("SCIM is disabled"));
    let nowhere = crate::testing::MemoryHost::at(organization.store().now());
    for authorization in [None, Some("Bearer wrong"), Some("Basic eDp5"), Some("wrong")] {
        for path in ["/Users", "/ServiceProviderConfig", "/nowhere"] {
            let mut request = request(&organization, "GET", path, None);
            request.headers =
                authorization.map(|value| ("authorization".to_owned(), value.to_owned())).into_iter().collect();
            let here = crate::endpoint::handle(organization.host.host(), &request);
            let there = crate::endpoint::handle(nowhere.host(), &request);
            // Everybody may read how to authenticate (F23).
            let public = authorization.is_none() && path == "/ServiceProviderConfig";
            let status = if public { 200 } else { 401 };
            assert_eq!((here.status, &here.headers, &here.body), (status, &there.headers, &there.body), "{path}");
        }
    }
}

#[test]
fn p5_the_log_names_the_oauth_client_of_an_access_token() {
    let mut organization = organization();
    let new = NewClient { name: "Entra".into(), client_credentials: true, ..NewClient::default() };
    let issued = oauth::create(&organization.store(), TestOrganization::OWNER, &new).unwrap();
    let (client, secret) = (issued.client, issued.secret.unwrap());
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", client.id);
    let asked = oauth::OAuthRequest {
        headers: Vec::new(),
        body: form.into_bytes(),
        issuer: "https://scim.example/oauth/org".into(),
        operator_clients: Vec::new(),
    };
    let answer = oauth::token(organization.host.host(), &asked);
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    organization.token = answer["access_token"].as_str().unwrap().to_owned();
    let (status, entry) = logged(&organization, &request(&organization, "GET", "/Users", None));
    assert_eq!((status, because(&entry)), (200, vec![format!("caller-access-token {}", client.id)]));
    organization.live_for(2 * 3_600_000).unwrap();
    let (status, entry) = logged(&organization, &request(&organization, "GET", "/Users", None));
    assert_eq!(
        (status, because(&entry), &entry["tokenGeneration"]),
        (401, vec![format!("caller-access-token-expired {}", client.id)], &json!(1))
    );
}

#[test]
fn p5_a_refusal_names_the_person_or_the_team_it_is_about() {
    let organization = organization();
    let (ada, _) = create(&organization, "ada@example.com");
    organization.change(|record| record.seats = 3).unwrap();
    let user = |more: Value| {
        let mut user =
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "bob@else.example"});
        user.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        Some(user)
    };
    let refused = |method: &str, target: &str, body: Option<Value>| {
        let (status, entry) = told(&organization, method, target, body);
        (
            status,
            entry["subject"]["resourceType"].clone(),
            entry["subject"]["id"].clone(),
            entry["subject"]["name"].clone(),
        )
    };
    let new = |status: u16, kind: &str, name: &str| (status, json!(kind), json!(""), json!(name));
    let for_a_seat = refused("POST", "/Users", user(json!({"displayName": "Bob"})));
    assert_eq!(for_a_seat, new(403, "User", "Bob"), "all seats are taken");
    let nameless = refused("POST", "/Users", user(json!({})));
    assert_eq!(nameless, new(403, "User", "bob@else.example"), "the userName, where there is no name");
    organization.change(|record| record.options.verified_domains_only = true).unwrap();
    let foreign = refused("POST", "/Users", user(json!({"name": {"givenName": "Bob", "familyName": "Else"}})));
    assert_eq!(foreign, new(403, "User", "Bob Else"));
    let wrong = refused("POST", "/Users", user(json!({"active": "perhaps"})));
    assert_eq!(wrong, new(400, "User", "bob@else.example"), "a body that is not a user names one all the same");
    let id = json!(ada.strip_prefix("/Users/").unwrap());
    let (status, kind, subject, name) = refused("PATCH", &ada, Some(json!({"Operations": 7})));
    assert_eq!((status, kind, subject, name), (400, json!("User"), id, json!("ada@example.com")));
    let group = json!({"displayName": "Design", "members": [{"value": "nobody"}]});
    organization.change(|record| record.options.refuse_unknown_members = true).unwrap();
    assert_eq!(refused("POST", "/Groups", Some(group)), new(400, "Group", "Design"));
    let nothing = told(&organization, "POST", "/Users", Some(json!([]))).1;
    assert_eq!(nothing["subject"], Value::Null, "{nothing}");
}
