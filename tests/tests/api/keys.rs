//! API keys: what they give access to, what they do not, and how they end.

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::server::{Server, shared};
use serde_json::{Value, json};

use crate::api::caller::{Organization, created, gone, nobody, nobody_of, ok, operator, problem, with};

fn is_key(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == 49 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[test]
fn a_request_without_a_key_is_401_and_told_how() {
    for client in [
        nobody(),
        nobody().header("Authorization", "Bearer"),
        nobody().header("Authorization", "Bearer insm_api_x"),
        nobody().header("Authorization", "Basic YTpi"),
        nobody().header("Authorization", &format!("Bearer {}", shared().demo().token)),
    ] {
        for path in ["/organizations", "/organizations/demo", "/organizations/nobody", "/api-keys"] {
            let response = client.get(path);
            problem(&response, 401, "unauthorized");
            assert!(
                response.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer ")),
                "{response}"
            );
        }
    }
}

#[test]
fn the_scheme_is_taken_in_any_case() {
    let organization = Organization::new("case");
    let client = nobody().header("Authorization", &format!("bEARER {}", organization.key));
    let _ = ok(&client.get(&organization.path));
}

#[test]
fn keys_are_recognisable_and_shown_once() {
    let organization = Organization::new("shown");
    let issued = created(&organization.post("/api-keys", json!({"name": " deploy "})));
    assert!(is_key(&text(&issued, "secret"), "insm_api_"), "{issued}");
    assert_eq!(issued["key"]["name"], json!("deploy"));
    let listed = organization.get("/api-keys");
    let items = ok(&listed)["items"].as_array().cloned().unwrap();
    assert_eq!(items.iter().map(|key| text(key, "name")).collect::<Vec<_>>(), ["tests", "deploy"]);
    assert!(!listed.text().contains("insm_"), "{listed}");
    let operators = created(&operator().post("/api-keys", json!({"name": "other"})));
    assert!(is_key(&text(&operators, "secret"), "insm_operator_"), "{operators}");
    let _ = ok(&with(&text(&operators, "secret")).get("/organizations"));
}

#[test]
fn a_key_is_not_in_the_database() {
    let server = Server::start();
    let secret = text(&server.command(&["api-key", "create", "a", "--operator"]), "secret");
    let _ = ok(&nobody_of(&server).header("Authorization", &format!("Bearer {secret}")).get("/organizations"));
    let mut read = 0;
    for file in std::fs::read_dir(server.data()).expect("the data directory").flatten() {
        let Ok(bytes) = std::fs::read(file.path()) else { continue };
        read += bytes.len();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{:?}", file.path());
    }
    assert!(read > 10_000);
    assert!(!server.stderr().contains(&secret));
}

#[test]
fn the_servers_log_tells_which_key_a_request_came_with() {
    let server = Server::start();
    let made = server.command(&["api-key", "create", "a", "--operator"]);
    let client = nobody_of(&server).header("Authorization", &format!("Bearer {}", text(&made, "secret")));
    let response = client.get("/organizations");
    let _ = ok(&response);
    let request_id = response.header("x-request-id").expect("a request id").to_owned();
    let line = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        server.stderr().lines().find(|line| line.contains(&request_id)).map(str::to_owned)
    });
    assert!(line.as_ref().is_some_and(|line| line.contains(&text(&made, "id"))), "{line:?}");
}

#[test]
fn it_is_kept_to_five_minutes_when_a_key_was_used() {
    let organization = Organization::new("used");
    let issued = created(&organization.post("/api-keys", json!({"name": "used"})));
    let used = |name: &str| {
        let listed = ok(&organization.get("/api-keys"));
        listed["items"].as_array().unwrap().iter().find(|key| key["name"] == name).cloned().unwrap()["last_used"]
            .clone()
    };
    assert_eq!(used("used"), Value::Null);
    let _ = ok(&with(&text(&issued, "secret")).get(&organization.path));
    // No request waits until it is written.
    let noted = (0..250).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        used("used").as_u64()
    });
    assert_eq!(noted.map(|time| time % 300_000), Some(0));
}

#[test]
fn a_revoked_key_opens_nothing_from_then_on() {
    let organization = Organization::new("revoked");
    let issued = created(&organization.post("/api-keys", json!({"name": "old"})));
    let (id, client) = (text(&issued["key"], "id"), with(&text(&issued, "secret")));
    let _ = ok(&client.get(&organization.path));
    gone(&organization.delete(&format!("/api-keys/{id}")));
    problem(&client.get(&organization.path), 401, "unauthorized");
    gone(&organization.delete(&format!("/api-keys/{id}")));
    problem(&organization.delete("/api-keys/0000"), 404, "not-found");
    let listed = ok(&organization.get("/api-keys"));
    assert!(listed["items"][1]["revoked"].is_u64(), "{listed}");
}

#[test]
fn a_key_of_the_command_line_is_the_same() {
    let organization = Organization::new("line");
    let server = shared();
    let made = server.command(&["api-key", "create", "cli", "--organization", &organization.id]);
    let client = with(&text(&made, "secret"));
    let _ = ok(&client.get(&organization.path));
    let listed = server.command(&["api-key", "list", "--organization", &organization.id]);
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    server.command(&["api-key", "revoke", &text(&made, "id"), "--organization", &organization.id]);
    problem(&client.get(&organization.path), 401, "unauthorized");
}

/// All that a key may try, with a body where there is one.
fn attempts(organization: &str) -> Vec<(&'static str, String, Option<Value>)> {
    let at = |path: &str| format!("/organizations/{organization}{path}");
    vec![
        ("GET", at(""), None),
        ("GET", at("/connector"), None),
        ("POST", at("/connector/enable"), Some(json!({"identity_provider": "okta", "expires": "90d"}))),
        ("POST", at("/connector/disable"), None),
        ("POST", at("/connector/refresh"), None),
        ("GET", at("/members"), None),
        ("POST", at("/members"), Some(json!({"email": "eve@example.com"}))),
        ("GET", at("/teams"), None),
        ("GET", at("/logs"), None),
        ("GET", at("/logs/export"), None),
        ("GET", at("/events"), None),
        ("PUT", at("/webhook"), Some(json!({"url": "https://evil.example"}))),
        ("GET", at("/api-keys"), None),
        ("POST", at("/api-keys"), Some(json!({"name": "eve"}))),
        ("GET", at("/oauth-clients"), None),
        ("GET", at("/setup-links"), None),
        ("DELETE", at("/guard"), None),
    ]
}

#[track_caller]
fn refused_everywhere(client: &Client, organization: &str) {
    for (method, path, body) in attempts(organization) {
        let mut request = Request::new(method, &path);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = client.send(&request);
        let refused = problem(&response, 403, "forbidden");
        // It is not even told whether the organization exists.
        assert_eq!(refused["detail"], json!("The API key is that of another organization."));
    }
}

#[test]
fn an_organizations_key_reaches_nothing_of_another_and_learns_nothing() {
    let (one, two) = (Organization::new("one"), Organization::new("two"));
    refused_everywhere(&one.client, &two.id);
    refused_everywhere(&one.client, "there-is-none-of-this-name");
    refused_everywhere(&one.client, "Not%20A%20Name");
    assert_eq!(ok(&two.get("/members"))["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(ok(&two.get("/api-keys"))["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn an_organizations_key_does_not_do_what_the_operator_does() {
    let organization = Organization::new("operator");
    let client = &organization.client;
    problem(&client.get("/organizations"), 403, "forbidden");
    problem(&client.post("/organizations", json!({})), 403, "forbidden");
    problem(&client.get("/api-keys"), 403, "forbidden");
    problem(&client.post("/api-keys", json!({"name": "x"})), 403, "forbidden");
    let record = json!({"name": "x", "plan": "enterprise", "seats": 1_000_000});
    problem(&organization.put("", record), 403, "forbidden");
    let patch = Request::new("PATCH", &organization.path).body(json!({"seats": 1_000}));
    problem(&client.send(&patch), 403, "forbidden");
    problem(&organization.delete(""), 403, "forbidden");
    assert_eq!(ok(&organization.get(""))["organization"]["seats"], json!(20));
}

#[test]
fn keys_go_with_their_organization() {
    let organization = Organization::new("deleted");
    gone(&operator().delete(&organization.path));
    problem(&organization.get(""), 401, "unauthorized");
    let record = json!({"name": "again", "plan": "enterprise", "seats": 5});
    created(&operator().post("/organizations", json!({"id": organization.id, "organization": record})));
    problem(&organization.get(""), 401, "unauthorized");
    assert_eq!(ok(&operator().get(&organization.at("/api-keys")))["items"], json!([]));
}

#[test]
fn there_are_100_keys_at_the_most_and_revoked_ones_make_room() {
    let organization = Organization::new("many");
    let name = |number: usize| json!({"name": format!("key {number}")});
    for number in 1..100 {
        created(&organization.post("/api-keys", name(number)));
    }
    problem(&organization.post("/api-keys", name(100)), 409, "conflict");
    let first = text(&ok(&organization.get("/api-keys"))["items"][1], "id");
    gone(&organization.delete(&format!("/api-keys/{first}")));
    created(&organization.post("/api-keys", name(100)));
    assert_eq!(ok(&organization.get("/api-keys"))["items"].as_array().map(Vec::len), Some(100));
}

#[test]
fn names_of_keys_are_short_and_not_empty() {
    let organization = Organization::new("names");
    for name in ["", "   ", &"x".repeat(201)] {
        let refused = problem(&organization.post("/api-keys", json!({"name": name})), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!("/name"));
    }
}

#[test]
fn wrong_keys_are_slowed_down_and_right_ones_are_not() {
    let server = Server::start();
    let right = text(&server.command(&["api-key", "create", "right", "--operator"]), "secret");
    let made = server.command(&["api-key", "create", "revoked", "--operator"]);
    server.command(&["api-key", "revoke", &text(&made, "id"), "--operator"]);
    let from = |address: &str, key: &str| {
        let client = nobody_of(&server).header("X-Forwarded-For", address);
        client.header("Authorization", &format!("Bearer {key}")).get("/organizations")
    };
    let wrong = text(&made, "secret");
    for _ in 0..20 {
        problem(&from("203.0.113.1", &wrong), 401, "unauthorized");
    }
    let throttled = from("203.0.113.1", &wrong);
    problem(&throttled, 429, "throttled");
    let seconds: u32 = throttled.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=600).contains(&seconds), "{throttled}");
    let _ = ok(&from("203.0.113.1", &right));
    problem(&from("203.0.113.2", &wrong), 401, "unauthorized");
}
