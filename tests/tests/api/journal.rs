//! What the API tells about past requests and changes: the log, its export, events, the webhook, and deliveries.

use insomnia_scim_tests::client::{Client, Request};
use insomnia_scim_tests::scim::text;
use insomnia_scim_tests::seed;
use serde_json::{Value, json};

use crate::api::caller::{Organization, created, gone, ok, problem};

/// An organization with three users in its log.
fn logged(name: &str) -> (Organization, Client) {
    let organization = Organization::new(name);
    let token = organization.enable();
    let scim = Client::new(&text(&ok(&organization.get("/connector")), "connector_url"), &token);
    seed::people(&scim, "logged", 3);
    scim.get("/Users/no-such-user").is(404);
    // Whoever reads the log twice and compares must not meet an entry that is still on its way.
    let _ = logs(&organization, "", 4);
    (organization, scim)
}

fn items(value: &Value) -> Vec<Value> {
    value["items"].as_array().cloned().unwrap_or_else(|| panic!("no items: {value}"))
}

/// Appended entries are there within 100 milliseconds; asks until there are so many.
fn logs(organization: &Organization, query: &str, count: usize) -> Vec<Value> {
    for _ in 0..100 {
        let found = items(&ok(&organization.get(&format!("/logs{query}"))));
        if found.len() >= count {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("there are no {count} entries");
}

#[test]
fn the_log_is_searched_by_everything_that_it_can_be_searched_by() {
    let (organization, _) = logged("logs");
    let all = logs(&organization, "", 4);
    let times: Vec<u64> = all.iter().filter_map(|entry| entry["time"].as_u64()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {times:?}");
    let count = |query: &str| items(&ok(&organization.get(&format!("/logs{query}")))).len();
    assert_eq!(count("?method=POST"), 3);
    assert_eq!(count("?status_class=4"), 1);
    assert_eq!(count("?status_class=5"), 0);
    assert_eq!(count("?resource_type=user&method=post"), 3);
    assert_eq!(count("?text=no-such-user"), 1);
    assert_eq!(count(&format!("?until={}", times[times.len() - 1])), 0);
    assert_eq!(count(&format!("?since={}", times[0] + 1)), 0);
    assert_eq!(count(&format!("?since={}", times[times.len() - 1])), all.len());
    for query in ["?status_class=1", "?status_class=x", "?since=yesterday", "?metod=POST", "?limit=0", "?limit=501"] {
        problem(&organization.get(&format!("/logs{query}")), 400, "bad-request");
    }
}

#[test]
fn p9_the_log_says_from_which_address_a_request_came_and_a_sender_can_not_invent_it() {
    let (organization, scim) = logged("sender");
    // The last address is what the proxy has seen, which this server trusts; what stands before it anybody can write.
    let forwarded = "192.0.2.1, 203.0.113.9";
    scim.send(&Request::new("GET", "/Users/forwarded").header("X-Forwarded-For", forwarded)).error(404);
    let entries = logs(&organization, "", 5);
    let senders: Vec<&str> = entries.iter().filter_map(|entry| entry["senderAddress"].as_str()).collect();
    assert_eq!(senders, ["203.0.113.9", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"]);
    let values = organization.get("/logs/export?format=csv").text();
    assert!(values.lines().next().is_some_and(|first| first.contains(",sender_address,")), "{values}");
    assert!(values.contains(",203.0.113.9,"), "{values}");
}

#[test]
fn the_log_is_exported_in_both_forms() {
    let (organization, _) = logged("export");
    let all = logs(&organization, "", 4);
    let lines = organization.get("/logs/export?format=jsonl");
    lines.is(200);
    assert_eq!(lines.header("content-type"), Some("application/jsonl; charset=utf-8"), "{lines}");
    assert!(lines.header("content-disposition").is_some_and(|value| value.contains(".jsonl")), "{lines}");
    let exported: Vec<Value> =
        lines.text().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert_eq!(exported, all);
    let values = organization.get("/logs/export?format=csv&method=POST");
    values.is(200);
    assert_eq!(values.header("content-type"), Some("text/csv; charset=utf-8"), "{values}");
    let text = values.text();
    assert!(text.starts_with("time,request_id,method,"), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
    problem(&organization.get("/logs/export?format=xml"), 400, "bad-request");
}

#[test]
fn an_export_of_the_log_is_whole_when_it_is_compressed() {
    let (organization, _) = logged("packed-export");
    let plain = organization.get("/logs/export?format=csv");
    let request = Request::new("GET", &organization.at("/logs/export?format=csv"));
    let packed = organization.client.send(&request.header("Accept-Encoding", "gzip"));
    packed.is(200);
    assert_eq!(packed.header("content-encoding"), Some("gzip"), "{packed}");
    assert_eq!(packed.text(), plain.text());
}

#[test]
fn events_are_listed_oldest_first_and_page_by_page() {
    let (organization, _) = logged("events");
    let all = items(&ok(&organization.get("/events")));
    let kinds: Vec<String> = all.iter().map(|event| text(event, "type")).collect();
    assert!(kinds.contains(&"connector.enabled".into()), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "member.created").count(), 4, "{kinds:?}");
    let (mut paged, mut path) = (Vec::new(), "/events?limit=2".to_owned());
    loop {
        let page = ok(&organization.get(&path));
        paged.extend(items(&page));
        match page["next"].as_str() {
            Some(next) => path = format!("/events?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(paged, all);
}

#[test]
fn a_webhook_is_set_seen_and_removed() {
    let organization = Organization::new("webhook");
    problem(&organization.get("/webhook"), 404, "not-found");
    let set = ok(&organization.put("/webhook", json!({"url": "https://backend.example.com/hook"})));
    let secret = text(&set, "secret");
    assert!(secret.starts_with("whsec_"));
    let seen = organization.get("/webhook");
    assert_eq!(ok(&seen)["url"], json!("https://backend.example.com/hook"));
    assert!(!seen.text().contains(&secret));
    created(&organization.post("/members", json!({"email": "ada@example.com"})));
    let waiting = items(&ok(&organization.get("/deliveries/events-waiting")));
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    gone(&organization.delete("/webhook"));
    problem(&organization.get("/webhook"), 404, "not-found");
    assert!(items(&ok(&organization.get("/deliveries/events-waiting"))).is_empty());
    problem(&organization.put("/webhook", json!({"url": "not a URL"})), 422, "invalid");
}

#[test]
fn c21_what_the_egress_policy_refuses_is_not_saved() {
    let organization = Organization::new("policy");
    for url in ["http://example.com/h", "https://127.0.0.1/h", "https://10.0.0.1/h"] {
        let refused = problem(&organization.put("/webhook", json!({"url": url})), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!("/url"), "{refused}");
        let okta = json!({"api": {"okta": {"org_url": url, "app_id": "a", "credentials": {"api-token": "t"}}}});
        let refused = problem(&organization.put("/connector/idp-api", okta), 422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], json!("/api/okta/org_url"), "{refused}");
    }
    problem(&organization.get("/webhook"), 404, "not-found");
    assert_eq!(ok(&organization.get("/connector/automatic-refresh"))["idp_api"], Value::Null);
}

#[test]
fn deliveries_are_listed_by_queue_and_parked_ones_retried() {
    let organization = Organization::new("deliveries");
    for queue in ["emails-waiting", "emails-parked", "events-waiting", "events-parked"] {
        let listed = ok(&organization.get(&format!("/deliveries/{queue}")));
        assert!(listed["items"].is_array() && listed["next"].is_null(), "{listed}");
    }
    problem(&organization.get("/deliveries/letters"), 404, "not-found");
    for queue in ["emails-parked", "events-parked"] {
        assert_eq!(ok(&organization.post(&format!("/deliveries/{queue}/retry"), json!({}))), json!({"retried": 0}));
    }
    problem(&organization.post("/deliveries/emails-waiting/retry", json!({})), 409, "conflict");
}
