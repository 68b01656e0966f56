//! Scopes and expiries of API keys: what a limited key may do, what it is refused, and that it can't make a key that
//! may do more.

use insomnia_scim_tests::client::{Client, Request, Response};
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::shared;
use serde_json::{Value, json};

use crate::api::caller::{Organization, PASSPHRASE, created, gone, keyed, ok, problem, with};

/// A key of the organization with these scopes, and its client.
#[track_caller]
fn limited(organization: &Organization, scopes: &[&str]) -> Client {
    let new = json!({"name": "limited", "scopes": scopes, "expires": "90d"});
    with(&text(&created(&organization.post("/api-keys", new)), "secret"))
}

/// The request is refused, and the scope named that the key lacks: in the problem, and as RFC 6750 has it.
#[track_caller]
fn lacks(response: &Response, scope: &str) {
    let refused = problem(response, 403, "insufficient-scope");
    assert_eq!(refused["scope"], json!(scope), "{response}");
    let challenge = response.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains(&format!("error=\"insufficient_scope\", scope=\"{scope}\"")), "{challenge}");
}

#[test]
fn p9_a_key_does_what_its_scopes_name_and_is_told_which_one_it_lacks() {
    let (organization, other) = (Organization::new("scopes"), Organization::new("others"));
    let client = limited(&organization, &["members:read", "teams:write"]);
    let at = |path: &str| organization.at(path);
    let _ = ok(&client.get(&at("/members")));
    let _ = ok(&client.get(&at("/teams")));
    let _ = created(&client.post(&at("/teams"), json!({"name": "Crew"})));
    let _ = ok(&client.post(&at("/preview"), json!([{"userName": "ada@example.com"}])));
    for (method, path, scope) in [
        ("POST", at("/members"), "members:write"),
        ("DELETE", at("/members/nobody"), "members:write"),
        ("GET", organization.path.clone(), "organizations:read"),
        ("GET", at("/export"), "all:read"),
        ("GET", at("/connector"), "connector:read"),
        ("POST", at("/connector/enable"), "connector:write"),
        ("GET", at("/audit"), "logs:read"),
        ("PUT", at("/webhook"), "events:write"),
        ("GET", at("/streams"), "streams:read"),
        ("GET", at("/api-keys"), "api-keys:read"),
        // Also of what the key would not open with any scope, of which nothing is told.
        ("GET", other.at("/oauth-clients"), "oauth-clients:read"),
        ("GET", "/organizations".to_owned(), "organizations:read"),
        ("GET", "/components".to_owned(), "components:read"),
        ("GET", "/audit".to_owned(), "logs:read"),
    ] {
        lacks(&client.send(&Request::new(method, &path)), scope);
    }
    // Neither is a request done that is to be done once, nor is it remembered.
    lacks(&client.send(&keyed(&at("/members"), "once", json!({"email": "ada@example.com"}))), "members:write");
    problem(&client.get(&other.at("/members")), 403, "forbidden");
    assert_eq!(ok(&organization.get("/members"))["items"].as_array().map(Vec::len), Some(1));
    let reader = limited(&organization, &["all:read"]);
    let _ = ok(&reader.get(&organization.path));
    reader.get(&at("/export")).is(200);
    lacks(&reader.post(&at("/teams"), json!({"name": "Crew 2"})), "teams:write");
}

#[test]
fn p9_no_key_makes_one_that_may_do_more_or_that_outlives_it() {
    let organization = Organization::new("within");
    let path = organization.at("/api-keys");
    let client = limited(&organization, &["api-keys:write", "members:write", "logs:read"]);
    for scope in ["all:write", "all:read", "logs:write", "teams:read"] {
        lacks(&client.post(&path, json!({"name": "more", "scopes": ["logs:read", scope]})), scope);
    }
    for expires in ["never", "91d", "1y", "2999-12-31T00:00:00Z"] {
        let refused = problem(&client.post(&path, json!({"name": "later", "expires": expires})), 403, "later-expiry");
        assert_eq!(refused["errors"][0]["pointer"], json!("/expires"));
    }
    // What is not said is as with the key that makes it.
    let heir = created(&client.post(&path, json!({"name": "heir"})));
    assert_eq!(heir["key"]["scopes"], json!(["members:write", "logs:read", "api-keys:write"]), "{heir}");
    let listed = ok(&organization.get("/api-keys"));
    assert_eq!(heir["key"]["expires"], listed["items"][1]["expires"], "{listed}");
    let less = json!({"name": "less", "scopes": ["members:read"], "expires": "1d"});
    let less = with(&text(&created(&client.post(&path, less)), "secret"));
    lacks(&less.post(&path, json!({"name": "more"})), "api-keys:write");
    // Who may sign in to the page as an owner may do everything there.
    let member = |role: &str| json!({"email": format!("{role}@example.com"), "role": role, "passphrase": PASSPHRASE});
    for role in ["owner", "co-owner"] {
        lacks(&client.post(&organization.at("/members"), member(role)), "all:write");
    }
    // Whoever chooses ids may give that of a member who was removed to another person.
    let known = json!({"id": "3d813cbb-47fb-42ba-91df-831e1593ac29", "email": "known@example.com"});
    lacks(&client.post(&organization.at("/imports"), json!({"members": [known]})), "all:write");
    created(&client.post(&organization.at("/members"), member("member")));
    let role = organization.at("/members/member@example.com/role");
    lacks(&client.put(&role, json!({"role": "co-owner"})), "all:write");
    let _ = ok(&client.put(&role, json!({"role": "member"})));
    // A key for everything may.
    let _ = ok(&organization.put("/members/member@example.com/role", json!({"role": "co-owner"})));
}

#[test]
fn p9_scopes_and_expiry_are_listed_and_in_the_audit_trail() {
    let organization = Organization::new("listed");
    let new = json!({"name": "dated", "scopes": ["logs:read"], "expires": "2999-12-31T00:00:00+01:00"});
    let made = created(&organization.post("/api-keys", new));
    let id = text(&made["key"], "id");
    gone(&organization.delete(&format!("/api-keys/{id}")));
    let listed = ok(&organization.get("/api-keys"));
    let (first, dated) = (&listed["items"][0], &listed["items"][1]);
    assert_eq!((&first["scopes"], &first["expires"]), (&json!(["all:write"]), &Value::Null), "the default");
    assert_eq!((&first["status"], &dated["status"]), (&json!("valid"), &json!("revoked")));
    assert_eq!((&dated["scopes"], &dated["expires"]), (&json!(["logs:read"]), &json!(32_503_590_000_000_u64)));
    let trail = ok(&organization.get("/audit?text=api-key."));
    let limits = json!({"scopes": ["logs:read"], "expires": "2999-12-30T23:00:00.000Z"});
    let entry = |act: &str| {
        let entries = trail["items"].as_array().expect("entries").iter();
        entries.clone().find(|entry| entry["act"] == act && entry["subject"]["id"] == id.as_str()).expect(act)
    };
    assert_eq!(entry("api-key.create")["after"], limits);
    assert_eq!(entry("api-key.revoke")["before"], limits);
}

#[test]
fn scopes_and_expiries_that_are_none_are_refused_with_their_place() {
    let organization = Organization::new("wrong");
    for (wrong, pointer) in [
        (json!({"scopes": ["members:delete"]}), "/scopes/0"),
        (json!({"scopes": []}), "/scopes"),
        (json!({"expires": "soon"}), "/expires"),
        (json!({"expires": "2001-01-01T00:00:00Z"}), "/expires"),
        (json!({"scope": ["members:read"]}), "/scope"),
    ] {
        let mut new = json!({"name": "wrong"});
        for (name, value) in wrong.as_object().expect("an object") {
            new[name] = value.clone();
        }
        let refused = problem(&organization.post("/api-keys", new), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!(pointer), "{refused}");
    }
}

#[test]
fn p9_the_command_line_makes_limited_keys_of_the_operator_too() {
    let (server, organization) = (shared(), Organization::new("operators"));
    let limits = ["--scope", "organizations:read,members:read", "--scope", "logs:read", "--expires", "90d"];
    let made = server.command(&[&["api-key", "create", "short", "--operator"][..], &limits[..]].concat());
    assert_eq!(made["scopes"], json!(["organizations:read", "members:read", "logs:read"]), "{made}");
    assert_eq!(made["expires"].as_u64().unwrap() - made["created"].as_u64().unwrap(), 90 * 24 * 60 * 60 * 1000);
    let client = with(&text(&made, "secret"));
    let _ = ok(&client.get("/organizations"));
    let _ = ok(&client.get(&organization.at("/members")));
    lacks(&client.post("/organizations", json!({})), "organizations:write");
    lacks(&client.delete(&organization.path), "organizations:write");
    lacks(&client.get("/api-keys"), "api-keys:read");
    let listed = server.command(&["api-key", "list", "--operator"]);
    let listed = listed.as_array().expect("keys").iter().find(|key| key["id"] == made["id"]).expect("the key");
    assert_eq!((&listed["scopes"], &listed["expires"]), (&made["scopes"], &made["expires"]));
    assert_eq!(listed["status"], json!("valid"));
}
