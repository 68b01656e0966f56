//! Organizations over the API: they are created, read, changed, exported and deleted.

use insomnia_scim_tests::client::Request;
use insomnia_scim_tests::person::unique;
use serde_json::json;

use crate::api::caller::{Organization, PASSPHRASE, created, gone, ok, operator, problem};

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
fn p9_an_organization_is_exported_whole_and_says_how_many_lines_that_are() {
    let organization = Organization::new("leaver");
    let token = organization.enable();
    let url = insomnia_scim_tests::scim::text(&ok(&organization.get("/connector")), "connector_url");
    let scim = insomnia_scim_tests::client::Client::new(&url, &token);
    let users = insomnia_scim_tests::seed::people(&scim, "leaver", 3);
    let members: Vec<_> = users.iter().map(|id| json!({"value": id})).collect();
    scim.post("/Groups", json!({"displayName": "Leavers", "members": members})).is(201);
    let exported = organization.get("/export").is(200).text();
    assert!(!exported.contains(&token) && !exported.contains("sha256"), "{exported}");
    let lines: Vec<serde_json::Value> =
        exported.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of =
        |kind: &str| lines.iter().filter(|line| line["kind"] == kind).map(|line| &line["value"]).collect::<Vec<_>>();
    assert_eq!(of("organization")[0]["organization"]["seats"], json!(20));
    assert_eq!(of("connector")[0]["status"]["enabled"], json!(true));
    assert_eq!(of("member").len(), 4, "three people and the owner");
    let ids: Vec<_> = of("member").iter().map(|member| member["attributes"]["id"].clone()).collect();
    assert!(users.iter().all(|id| ids.contains(&json!(id))), "{ids:?}");
    assert_eq!((of("team")[0]["name"].clone(), of("membership").len()), (json!("Leavers"), 3));
    assert!(of("log").len() >= 4 && of("event").len() >= 5 && of("audit").len() >= 2, "{exported}");
    assert_eq!(lines.last().unwrap()["kind"], "end");
    assert_eq!(of("end")[0]["lines"], json!(lines.len() - 1));
    let by_command = std::process::Command::new(insomnia_scim_tests::server::binary())
        .args([
            "--data",
            insomnia_scim_tests::server::shared().data().to_str().unwrap(),
            "org",
            "export",
            &organization.id,
        ])
        .output()
        .unwrap();
    let by_command = String::from_utf8(by_command.stdout).unwrap();
    assert_eq!(by_command.lines().count(), lines.len(), "{by_command}");
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
fn quotas_are_listed_for_the_organization_and_set_by_the_operator() {
    let organization = Organization::new("quotas");
    let limit = |listed: &serde_json::Value, name: &str| {
        let items = listed["items"].as_array().cloned().unwrap_or_default();
        items.iter().find(|item| item["quota"] == name).map(|item| item["limit"].clone())
    };
    assert_eq!(limit(&ok(&organization.get("/quotas")), "requests-per-second"), Some(json!(1_000)));
    let path = organization.at("/quotas/requests-per-second");
    let set = ok(&operator().put(&path, json!({"limit": 25})));
    assert_eq!(set, json!({"quota": "requests-per-second", "limit": 25, "refused": 0}));
    assert_eq!(limit(&ok(&organization.get("/quotas")), "requests-per-second"), Some(json!(25)));
    let refused = problem(&operator().put(&path, json!({"limit": 24})), 422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], json!("/limit"));
    problem(&organization.put("/quotas/requests-per-second", json!({"limit": 25})), 403, "forbidden");
    problem(&operator().put(&organization.at("/quotas/requests"), json!({"limit": 25})), 404, "not-found");
    assert_eq!(ok(&operator().put(&path, json!({"limit": null})))["limit"], json!(1_000));
}

#[test]
fn whoever_floods_the_api_is_told_when_to_come_again_and_the_operator_is_not_kept_out() {
    let organization = Organization::new("api-flood");
    ok(&operator().put(&organization.at("/quotas/requests-per-second"), json!({"limit": 25})));
    // A limit holds within five seconds.
    let mut answers = (0..20_000).map(|_| organization.get("/licences"));
    let refused = answers.find(|answer| answer.status != 200).expect("a limit");
    let refusal = problem(&refused, 429, "throttled");
    assert!(refusal["detail"].as_str().is_some_and(|detail| detail.contains("requests-per-second")), "{refusal}");
    assert!(refused.header("Retry-After").is_some_and(|wait| wait.parse::<u32>().is_ok_and(|wait| wait > 0)));
    ok(&operator().get(&organization.at("/licences")));
    let listed = ok(&operator().get(&organization.at("/quotas")));
    assert!(listed["items"][0]["refused"].as_u64() > Some(0), "{listed}");
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
fn an_organization_is_created_with_its_owner_and_retention_or_not_at_all() {
    let id = unique("whole");
    let record = json!({"name": "Whole", "plan": "enterprise", "seats": 2});
    let owner = format!("olive@{id}.example");
    let with = |owner: serde_json::Value, days: u32| {
        let body = json!({"id": id, "organization": record, "owner": owner, "retention_days": days});
        operator().post("/organizations", body)
    };
    for (owner, days) in [(json!({"email": "no address"}), 30), (json!({"email": owner}), 0)] {
        problem(&with(owner, days), 422, "invalid");
        problem(&operator().get(&format!("/organizations/{id}")), 404, "not-found");
    }
    let refused = problem(&with(json!({"mail": owner}), 30), 422, "invalid");
    assert_eq!(refused["errors"][0]["pointer"], json!("/owner/mail"));
    let made = created(&with(json!({"email": owner, "passphrase": PASSPHRASE}), 30));
    assert_eq!((&made["owner"]["email"], &made["owner"]["role"]), (&json!(owner), &json!("owner")));
    assert_eq!(made["owner"]["display_name"], json!(owner), "without a name it is the email address");
    assert_eq!(ok(&operator().get(&format!("/organizations/{id}/retention"))), json!({"days": 30}));
    problem(&with(json!({"email": owner}), 30), 409, "conflict");
}

#[test]
fn an_organization_chooses_how_long_its_log_is_kept() {
    let organization = Organization::new("retention");
    assert_eq!(ok(&organization.get("/retention")), json!({"days": 90}));
    assert_eq!(ok(&organization.put("/retention", json!({"days": 3650}))), json!({"days": 3650}));
    for days in [0, 3651] {
        problem(&organization.put("/retention", json!({"days": days})), 422, "invalid");
    }
    assert_eq!(ok(&organization.get("/retention")), json!({"days": 3650}));
}

#[test]
fn schemas_are_declared_and_a_mistake_is_pointed_at() {
    let organization = Organization::new("schemas");
    let nothing = json!({"schemas": [], "resourceTypes": []});
    assert_eq!(ok(&organization.get("/schemas")), nothing);
    let urn = "urn:example:params:badge:1.0";
    let badge = json!({"id": urn, "name": "Badge", "attributes": [{"name": "number", "type": "integer"}]});
    let users = json!({"name": "User", "schemaExtensions": [{"schema": urn, "required": false}]});
    let declaration = json!({"schemas": [badge], "resourceTypes": [users]});
    assert_eq!(ok(&organization.put("/schemas", declaration.clone())), declaration);
    let wrong = json!({"id": urn, "attributes": [{"name": "number", "type": "number"}]});
    for (body, pointer) in [
        (json!({"schemas": [wrong]}), "/schemas/0/attributes/0/type"),
        (json!({"schemas": [badge, badge]}), "/schemas/1/id"),
        (json!({"resourceTypes": [users]}), "/resourceTypes/0/schemaExtensions/0/schema"),
        (json!({"resource_types": []}), "/resource_types"),
        (json!([]), ""),
    ] {
        let refused = problem(&organization.put("/schemas", body.clone()), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!(pointer), "{body}: {refused}");
    }
    assert_eq!(ok(&organization.get("/schemas")), declaration, "what was refused has changed nothing");
    gone(&organization.delete("/schemas"));
    assert_eq!(ok(&organization.get("/schemas")), nothing);
}

#[test]
fn an_organizations_key_may_look_at_its_own() {
    let organization = Organization::new("own");
    let seen = ok(&organization.get(""));
    assert_eq!(seen["id"], json!(organization.id));
    assert!(seen["page_url"].as_str().is_some_and(|url| url.contains(&organization.id)), "{seen}");
    let licences = ok(&organization.get("/licences"));
    let marked = json!({"no_address": 0, "foreign_domain": 0, "complete": true});
    assert_eq!(licences, json!({"seats": 20, "manual": 1, "scim": 0, "marked": marked}));
}
