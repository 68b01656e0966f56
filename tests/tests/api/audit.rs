//! The audit trail over the API: who did what, from where, and what changed (rule P9).

use insomnia_scim_tests::person::unique;
use insomnia_scim_tests::scim::text;
use serde_json::{Value, json};

use crate::api::caller::{Organization, PASSPHRASE, created, gone, ok, operator, problem};

/// The entries, oldest first.
fn entries(organization: &Organization, query: &str) -> Vec<Value> {
    let listed = ok(&organization.get(&format!("/audit{query}")));
    assert_eq!(listed["next"], Value::Null, "{listed}");
    let mut entries = listed["items"].as_array().expect("entries").clone();
    entries.reverse();
    entries
}

fn acts(entries: &[Value]) -> Vec<&str> {
    entries.iter().filter_map(|entry| entry["act"].as_str()).collect()
}

/// The entry of the only act of this name.
fn only<'e>(entries: &'e [Value], act: &str) -> &'e Value {
    let mut found = entries.iter().filter(|entry| entry["act"] == act);
    let entry = found.next().unwrap_or_else(|| panic!("no {act} among {:?}", acts(entries)));
    assert!(found.next().is_none(), "{act} more than once");
    entry
}

#[test]
fn p9_the_audit_trail_has_each_act_with_who_did_it_from_where_and_what_changed() {
    let organization = Organization::new("audited");
    let token = organization.enable();
    let _ = ok(&organization.post("/connector/refresh", json!({"passphrase": PASSPHRASE})));
    let _ = created(&organization.post("/members", json!({"email": "ada@example.com", "passphrase": PASSPHRASE})));
    let _ = ok(&organization.put("/members/ada@example.com/role", json!({"role": "co-owner"})));
    let _ = created(&organization.post("/teams", json!({"name": "Crew"})));
    let _ = ok(&organization.put("/guard", json!({"number": 5})));
    let _ = ok(&organization.put("/retention", json!({"days": 30})));
    let secret =
        text(&ok(&organization.put("/webhook", json!({"url": "https://hooks.example.com/secret-path"}))), "secret");
    gone(&organization.delete("/webhook"));
    let client = json!({"name": "Sync", "client_credentials": true});
    let client = created(&organization.post("/oauth-clients", client));
    gone(&organization.delete("/members/ada@example.com"));
    operator().patch(&organization.path, json!({"seats": 21})).is(200);
    let _ = ok(&operator().put(&organization.at("/quotas/emails-per-day"), json!({"limit": 100})));
    let disabled = organization.post("/connector/disable", json!({}));
    let _ = ok(&disabled);

    let all = entries(&organization, "");
    for act in [
        "api-key.create",
        "connector.enable",
        "token.refresh",
        "member.set-role",
        "team.add",
        "guard.set",
        "retention.set",
        "webhook.set",
        "webhook.remove",
        "oauth-client.create",
        "member.remove",
        "quota.set",
        "connector.disable",
    ] {
        let entry = only(&all, act);
        assert!(entry["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{entry}");
        assert_eq!((&entry["face"], &entry["address"]), (&json!("api"), &json!("127.0.0.1")), "{entry}");
        assert!(entry["credential"].is_string() && entry["refused"].is_null(), "{entry}");
    }
    assert!(all.iter().map(|entry| entry["time"].as_str()).is_sorted(), "{all:?}");

    // Who: the organization's key acts for its owner, and the operator is told apart, by the keys they used.
    let (by_key, by_operator) = (only(&all, "guard.set"), only(&all, "quota.set"));
    assert_eq!((&by_key["by"]["type"], &by_operator["by"]["type"]), (&json!("owner"), &json!("operator")));
    assert_ne!(by_key["credential"], by_operator["credential"]);
    let listed = ok(&organization.get("/api-keys"));
    assert_eq!(by_key["credential"], listed["items"][0]["id"], "{listed}");
    // Which request: its id is in its answer.
    let disabled_by = only(&all, "connector.disable");
    assert_eq!(disabled_by["requestId"].as_str(), disabled.header("x-request-id"), "{disabled_by}");
    // The events of the act name the same.
    let events = ok(&organization.get("/events"));
    let items = events["items"].as_array().expect("events");
    let event = items.iter().find(|event| event["type"] == "connector.disabled").expect("the event");
    assert_eq!(event["cause"]["requestId"], disabled_by["requestId"], "{event}");
    assert_eq!(event["cause"]["credential"], disabled_by["credential"], "{event}");
    // What changed, and only that.
    let roles = only(&all, "member.set-role");
    assert_eq!((&roles["before"], &roles["after"]), (&json!({"role": "member"}), &json!({"role": "co-owner"})));
    let kept = only(&all, "retention.set");
    assert_eq!((&kept["before"], &kept["after"]), (&json!({"days": 90}), &json!({"days": 30})));
    let seats = all.iter().rfind(|entry| entry["act"] == "organization.change").expect("the change of seats");
    assert_eq!((&seats["before"], &seats["after"]), (&json!({"seats": 20}), &json!({"seats": 21})), "{seats}");
    let off = &disabled_by["after"];
    assert_eq!((&disabled_by["before"]["enabled"], &off["enabled"]), (&json!(true), &json!(false)));
    assert!(off["identityProvider"].is_null(), "the provider did not change: {off}");
    assert_eq!(only(&all, "webhook.set")["after"], json!({"address": "https://hooks.example.com"}));
    // No secret is in it.
    let whole = Value::from(all).to_string();
    for hidden in [token.as_str(), PASSPHRASE, &secret, "secret-path", &organization.key, &text(&client, "secret")] {
        assert!(!whole.contains(hidden), "a secret is in the audit trail: {hidden}");
    }
}

#[test]
fn p9_the_audit_trail_has_wrong_passphrases_and_no_act_that_was_refused_otherwise() {
    let organization = Organization::new("refused");
    organization.enable();
    problem(
        &organization.post("/connector/refresh", json!({"passphrase": "not this one, surely"})),
        403,
        "wrong-passphrase",
    );
    problem(&organization.put("/retention", json!({"days": 0})), 422, "invalid");
    problem(
        &organization.post("/connector/enable", json!({"identity_provider": "okta", "expires": "90d"})),
        409,
        "conflict",
    );
    let all = entries(&organization, "");
    let refused: Vec<_> = all.iter().filter(|entry| entry["refused"].is_string()).collect();
    assert_eq!(refused.len(), 1, "{all:?}");
    assert_eq!((&refused[0]["act"], &refused[0]["by"]["type"]), (&json!("token.refresh"), &json!("owner")));
    assert!(!acts(&all).contains(&"retention.set"), "{all:?}");
    only(&all, "connector.enable");
}

#[test]
fn p9_the_audit_trail_is_searched_by_text_and_page_by_page() {
    let organization = Organization::new("searched");
    for days in 1..=5 {
        let _ = ok(&organization.put("/retention", json!({"days": days})));
    }
    let found = entries(&organization, "?text=RETENTION.set");
    assert_eq!(acts(&found), ["retention.set"; 5]);
    let (mut paged, mut path) = (Vec::new(), "/audit?text=retention.set&limit=2".to_owned());
    loop {
        let page = ok(&organization.get(&path));
        paged.extend(page["items"].as_array().expect("items").clone());
        match page["next"].as_str() {
            Some(next) => path = format!("/audit?text=retention.set&limit=2&after={next}"),
            None => break,
        }
    }
    paged.reverse();
    assert_eq!(paged, found);
    problem(&organization.get("/audit?after=nowhere"), 422, "invalid");
    problem(&organization.get("/audit?limit=0"), 400, "bad-request");
}

#[test]
fn p9_the_operators_own_trail_is_searched_by_the_operator_only_page_by_page() {
    let organization = Organization::new("beyond");
    let mut made = Vec::new();
    for name in ["one", "two", "three"] {
        let key = json!({"name": unique(name), "scopes": ["logs:read"]});
        made.push(text(&created(&operator().post("/api-keys", key))["key"], "id"));
    }
    let (mut acts, mut path) = (Vec::new(), "/audit?text=api-key.create&limit=2".to_owned());
    loop {
        let page = ok(&operator().get(&path));
        acts.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/audit?text=api-key.create&limit=2&after={next}");
    }
    for id in &made {
        let entry = acts.iter().find(|entry| entry["subject"]["id"] == **id).expect("the entry of the key");
        assert_eq!((&entry["by"]["type"], &entry["face"]), (&json!("operator"), &json!("api")), "{entry}");
    }
    // What an organization's key did is in its own trail.
    let own = created(&organization.post("/api-keys", json!({"name": "mine"})));
    let found = ok(&operator().get(&format!("/audit?text={}", text(&own["key"], "id"))));
    assert_eq!(found["items"], json!([]), "{found}");
    problem(&organization.client.get("/audit"), 403, "forbidden");
    problem(&operator().get("/audit?after=nowhere"), 422, "invalid");
    problem(&operator().get("/audit?limit=0"), 400, "bad-request");
}
