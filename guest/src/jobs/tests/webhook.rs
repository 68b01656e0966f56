//! Events to the webhook: in order, signed, at least once, parked after three days (rule P6).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::webhook::signature;
use super::*;
use crate::capability::{HttpError, HttpRequest, HttpResponse};
use crate::connector::Window;
use crate::journal;
use crate::testing::organization::{DAY, TestOrganization};

const URL: &str = "https://backend.example/hook";

fn organization() -> (TestOrganization, String) {
    let organization = TestOrganization::new(100, Window::Never).unwrap();
    organization.change(|record| record.options.passphrase_emails = false).unwrap();
    let secret = journal::set_webhook(&organization.store(), &organization.host, URL).unwrap();
    (organization, secret)
}

fn create(organization: &TestOrganization, name: &str) -> String {
    let (status, body) = organization.scim("POST", "/Users", Some(json!({"userName": name})));
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

fn header<'r>(request: &'r HttpRequest, name: &str) -> &'r str {
    &request.headers.iter().find(|(candidate, _)| candidate == name).unwrap().1
}

fn names(organization: &TestOrganization) -> Vec<String> {
    let requests = organization.host.requests.borrow();
    let name = |request: &HttpRequest| {
        let event: Value = serde_json::from_slice(&request.body).unwrap();
        event["subject"]["name"].as_str().unwrap().to_owned()
    };
    requests.iter().map(name).collect()
}

#[test]
fn p6_events_are_posted_in_order_and_signed_the_standard_webhooks_way() {
    let (organization, secret) = organization();
    for name in ["ada", "bob", "cy"] {
        create(&organization, &format!("{name}@example.com"));
    }
    organization.live_for(1_000).unwrap();
    assert_eq!(names(&organization), ["ada@example.com", "bob@example.com", "cy@example.com"]);
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let requests = organization.host.requests.borrow();
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", URL));
    let event: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(event["type"], "member.created");
    assert_eq!(event["id"], header(request, "webhook-id"));
    let (id, timestamp) = (header(request, "webhook-id"), header(request, "webhook-timestamp"));
    assert_eq!(header(request, "webhook-signature"), signature(&key, id, timestamp, &request.body));
    assert_eq!(timestamp.parse::<u64>().unwrap() / 60, organization.store().now() / 60_000);
    drop(requests);
    organization.live_for(DAY).unwrap();
    assert_eq!(organization.host.requests.borrow().len(), 3, "once each");
    assert!(!organization.host.dump().contains(secret.strip_prefix("whsec_").unwrap()));
}

#[test]
fn p9_an_event_is_posted_with_the_traceparent_of_the_request_that_caused_it() {
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let (organization, _) = organization();
    for (name, traceparent) in [("ada", Some(PARENT)), ("bob", Some("00-0-0-01")), ("cy", None)] {
        let body = json!({"userName": format!("{name}@example.com")});
        let headers: Vec<_> = traceparent.map(|value| ("traceparent", value)).into_iter().collect();
        let response = organization.send(organization.host.host(), ("POST", "/Users"), &headers, Some(body));
        assert_eq!(response.status, 201);
    }
    organization.live_for(1_000).unwrap();
    let requests = organization.host.requests.borrow();
    let parents = requests.iter().map(|request| {
        let event: Value = serde_json::from_slice(&request.body).unwrap();
        let sent = request.headers.iter().find(|(name, _)| name == "traceparent").map(|(_, value)| value.clone());
        assert_eq!(event["cause"]["traceparent"].as_str(), sent.as_deref(), "the event says so as well");
        sent
    });
    assert_eq!(parents.collect::<Vec<_>>(), [Some(PARENT.to_owned()), None, None]);
}

#[test]
fn p6_a_failed_delivery_is_repeated_with_the_same_id_and_holds_up_those_behind_it() {
    let (organization, _) = organization();
    let failures = [Err(HttpError::Timeout), Ok(HttpResponse { status: 500, ..HttpResponse::default() })];
    organization.host.http_results.borrow_mut().extend(failures);
    create(&organization, "ada@example.com");
    create(&organization, "bob@example.com");
    organization.live_for(1_000).unwrap();
    assert_eq!(names(&organization), ["ada@example.com"]);
    let webhook = organization.store().webhook().unwrap().unwrap().record;
    assert_eq!(webhook.error.as_deref(), Some("no answer in time"));
    organization.live_for(60_000).unwrap();
    assert_eq!(names(&organization), ["ada@example.com", "ada@example.com", "ada@example.com", "bob@example.com"]);
    let requests = organization.host.requests.borrow();
    assert_eq!(header(&requests[0], "webhook-id"), header(&requests[2], "webhook-id"));
    assert_eq!(organization.store().webhook().unwrap().unwrap().record.failing_since, None);
}

#[test]
fn p6_retry_after_is_honoured() {
    let (organization, _) = organization();
    let busy =
        HttpResponse { status: 429, headers: vec![("retry-after".into(), "600".into())], ..HttpResponse::default() };
    organization.host.http_results.borrow_mut().push_back(Ok(busy));
    create(&organization, "ada@example.com");
    organization.live_for(599_000).unwrap();
    assert_eq!(organization.host.requests.borrow().len(), 1);
    organization.live_for(10_000).unwrap();
    assert_eq!(organization.host.requests.borrow().len(), 2);
}

#[test]
fn p6_an_event_is_parked_after_three_days_and_sent_again_by_hand() {
    let (organization, _) = organization();
    let down = std::iter::repeat_n(Err(HttpError::Unreachable("down".into())), 10_000);
    organization.host.http_results.borrow_mut().extend(down);
    create(&organization, "ada@example.com");
    organization.live_for(2 * DAY).unwrap();
    let list = |queue| list_deliveries(&organization.store(), queue, None, 100).unwrap().items;
    assert_eq!(list(DeliveryQueue::EventsWaiting).len(), 1);
    organization.live_for(2 * DAY).unwrap();
    assert!(list(DeliveryQueue::EventsWaiting).is_empty());
    let parked = list(DeliveryQueue::EventsParked);
    assert_eq!(parked[0].error.as_deref(), Some("not reachable: down"));
    let attempts = organization.host.requests.borrow().len();
    assert!((60..110).contains(&attempts), "about once an hour: {attempts}");
    organization.host.http_results.borrow_mut().clear();
    let ids = [parked[0].id.clone()];
    assert_eq!(retry_deliveries(&organization.store(), DeliveryQueue::EventsParked, &ids), Ok(1));
    organization.live_for(1_000).unwrap();
    let requests = organization.host.requests.borrow();
    assert_eq!(requests.len(), attempts + 1);
    assert_eq!(header(requests.last().unwrap(), "webhook-id"), parked[0].what);
    assert!(list(DeliveryQueue::EventsParked).is_empty());
}

#[test]
fn p6_a_downtime_of_the_hosts_is_not_part_of_the_three_days() {
    let (organization, _) = organization();
    organization.host.http_results.borrow_mut().push_back(Err(HttpError::Timeout));
    create(&organization, "ada@example.com");
    organization.live_for(3_000).unwrap();
    organization.host.set_now(organization.store().now() + 4 * DAY);
    let failures = [Err(HttpError::Timeout), Err(HttpError::Timeout)];
    organization.host.http_results.borrow_mut().extend(failures);
    organization.live_for(3_600_000).unwrap();
    let parked = list_deliveries(&organization.store(), DeliveryQueue::EventsParked, None, 100).unwrap().items;
    assert!(parked.is_empty());
    assert_eq!(organization.host.requests.borrow().len(), 4);
}

#[test]
fn p6_a_removed_webhook_gets_nothing_any_more() {
    let (organization, _) = organization();
    create(&organization, "ada@example.com");
    journal::remove_webhook(&organization.store()).unwrap();
    create(&organization, "bob@example.com");
    organization.live_for(DAY).unwrap();
    assert!(organization.host.requests.borrow().is_empty());
    assert!(!organization.host.dump().contains("event-due/"));
}

#[test]
fn p6_a_subscriber_gets_each_event_until_it_is_acknowledged() {
    let organization = TestOrganization::new(100, Window::Never).unwrap();
    let store = organization.store();
    organization.context.borrow_mut().subscribed = true;
    note_subscriber(&store, true).unwrap();
    create(&organization, "ada@example.com");
    create(&organization, "bob@example.com");
    assert!(organization.host.take_wake().is_some(), "the host is woken to take them");
    let store = organization.store();
    let events = journal::take_events(&store, 10).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(journal::take_events(&store, 10).unwrap(), events, "at least once");
    journal::acknowledge_events(&store, &[events[0].position.clone()]).unwrap();
    assert_eq!(journal::take_events(&store, 10).unwrap(), events[1..]);
}

#[test]
fn p6_events_are_kept_for_90_days() {
    let organization = TestOrganization::new(100, Window::Never).unwrap();
    create(&organization, "ada@example.com");
    organization.live_for(89 * DAY).unwrap();
    assert!(!organization.events().is_empty());
    organization.live_for(3 * DAY).unwrap();
    assert!(organization.events().is_empty());
    assert_eq!(
        journal::search(&organization.store(), &journal::LogQuery { limit: 10, ..Default::default() })
            .unwrap()
            .entries
            .len(),
        0
    );
}

fn answers(organization: &TestOrganization, status: u16) {
    let response = HttpResponse { status, ..HttpResponse::default() };
    organization.host.http_results.borrow_mut().push_back(Ok(response));
}

#[test]
fn p6_a_redirect_is_a_failure() {
    let (organization, _) = organization();
    for status in [301, 302, 303, 307, 308] {
        answers(&organization, status);
    }
    create(&organization, "ada@example.com");
    organization.live_for(1_000).unwrap();
    let webhook = organization.store().webhook().unwrap().unwrap().record;
    assert_eq!(webhook.error.as_deref(), Some("HTTP status 301 (redirects are not followed)"));
    organization.live_for(DAY).unwrap();
    assert_eq!(organization.host.requests.borrow().len(), 6, "five redirects, then it was taken");
}

#[test]
fn p6_410_switches_the_webhook_off_until_it_is_set_again() {
    let (organization, _) = organization();
    answers(&organization, 410);
    create(&organization, "ada@example.com");
    create(&organization, "bob@example.com");
    organization.live_for(DAY).unwrap();
    create(&organization, "cy@example.com");
    organization.live_for(DAY).unwrap();
    assert_eq!(names(&organization), ["ada@example.com"], "no further attempt");
    let webhook = organization.store().webhook().unwrap().unwrap().record;
    assert!(webhook.gone && webhook.error.unwrap().contains("switched off"));
    let list = |queue| list_deliveries(&organization.store(), queue, None, 100).unwrap().items;
    assert!(list(DeliveryQueue::EventsWaiting).is_empty());
    assert_eq!(list(DeliveryQueue::EventsParked).len(), 2, "what was not taken is parked and visible");
    retry_deliveries(&organization.store(), DeliveryQueue::EventsParked, &[]).unwrap();
    organization.live_for(DAY).unwrap();
    assert_eq!(list(DeliveryQueue::EventsParked).len(), 2, "while it is off they are parked again");
    journal::set_webhook(&organization.store(), &organization.host, URL).unwrap();
    retry_deliveries(&organization.store(), DeliveryQueue::EventsParked, &[]).unwrap();
    create(&organization, "dee@example.com");
    organization.live_for(DAY).unwrap();
    assert_eq!(names(&organization)[1..], ["ada@example.com", "bob@example.com", "dee@example.com"]);
}

#[test]
fn p6_for_a_day_after_a_new_key_both_sign() {
    let (organization, old) = organization();
    let new = journal::set_webhook(&organization.store(), &organization.host, URL).unwrap();
    assert_ne!(old, new);
    let signed_by = |request: &HttpRequest, secret: &str| {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        signature(&key, header(request, "webhook-id"), header(request, "webhook-timestamp"), &request.body)
    };
    create(&organization, "ada@example.com");
    organization.live_for(1_000).unwrap();
    let request = organization.host.requests.borrow()[0].clone();
    let both = format!("{} {}", signed_by(&request, &new), signed_by(&request, &old));
    assert_eq!(header(&request, "webhook-signature"), both);
    organization.live_for(DAY).unwrap();
    create(&organization, "bob@example.com");
    organization.live_for(1_000).unwrap();
    let request = organization.host.requests.borrow()[1].clone();
    assert_eq!(header(&request, "webhook-signature"), signed_by(&request, &new));
    let elsewhere = "https://elsewhere.example/hook";
    let other = journal::set_webhook(&organization.store(), &organization.host, elsewhere).unwrap();
    create(&organization, "cy@example.com");
    organization.live_for(1_000).unwrap();
    let request = organization.host.requests.borrow()[2].clone();
    assert_eq!(
        header(&request, "webhook-signature"),
        signed_by(&request, &other),
        "another receiver learns no old key"
    );
}

#[test]
fn p6_each_attempt_has_its_own_time_and_the_same_id() {
    let (organization, secret) = organization();
    organization.host.http_results.borrow_mut().push_back(Err(HttpError::Timeout));
    create(&organization, "ada@example.com");
    organization.live_for(60_000).unwrap();
    let requests = organization.host.requests.borrow();
    let [first, second] = requests.as_slice() else { panic!("{} attempts", requests.len()) };
    assert_eq!(header(first, "webhook-id"), header(second, "webhook-id"));
    let time = |request| header(request, "webhook-timestamp").parse::<u64>().unwrap();
    assert!(time(second) >= time(first) + 5);
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let expected = signature(&key, header(second, "webhook-id"), &time(second).to_string(), &second.body);
    assert_eq!(header(second, "webhook-signature"), expected);
    assert!(first.timeout_milliseconds.is_some_and(|timeout| (15_000..=30_000).contains(&timeout)));
}

#[test]
fn p6_a_webhook_says_that_it_was_not_tried_that_it_works_or_that_it_fails() {
    let (organization, secret) = organization();
    let state = || {
        let webhook = journal::get_webhook(&organization.store()).unwrap().unwrap();
        (webhook.works_since.is_some(), webhook.failing_since.is_some(), webhook.error)
    };
    assert_eq!(state(), (false, false, None), "nothing was tried");
    test_webhook(organization.host.host(), &organization.store()).unwrap();
    assert_eq!(state(), (true, false, None));
    let request = organization.host.requests.borrow()[0].clone();
    let event: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((&event["type"], &event["id"]), (&json!("webhook.test"), &json!(header(&request, "webhook-id"))));
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let (id, timestamp) = (header(&request, "webhook-id"), header(&request, "webhook-timestamp"));
    assert_eq!(header(&request, "webhook-signature"), signature(&key, id, timestamp, &request.body));
    organization.host.http_results.borrow_mut().push_back(Err(HttpError::NotAllowed("port 9 is not allowed".into())));
    test_webhook(organization.host.host(), &organization.store()).unwrap();
    let (works, fails, error) = state();
    assert!(!works && fails && error.unwrap().contains("port 9 is not allowed"));
    create(&organization, "ada@example.com");
    organization.live_for(DAY).unwrap();
    assert_eq!(state(), (true, false, None), "a delivery that is taken ends it");
    let listed = list_deliveries(&organization.store(), DeliveryQueue::EventsWaiting, None, 100).unwrap().items;
    assert!(listed.is_empty(), "a test waits nowhere: {listed:?}");
}
