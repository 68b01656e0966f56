//! Receivers to which tokens are pushed (RFC 8935).

use insomnia_scim_contract::DeliveryQueue;

use super::*;
use crate::capability::{HttpError, HttpRequest, HttpResponse};
use crate::jobs;
use crate::testing::organization::DAY;

fn answers(organization: &TestOrganization, answers: impl IntoIterator<Item = Result<HttpResponse, HttpError>>) {
    let mut results = organization.host.http_results.borrow_mut();
    results.clear();
    results.extend(answers);
}

fn refusal(status: u16, body: &str) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse { status, body: body.as_bytes().to_vec(), ..HttpResponse::default() })
}

/// The `externalId`s of the users in the tokens that were pushed.
fn told(organization: &TestOrganization, stream: &IssuedEventStream) -> Vec<String> {
    let requests = organization.host.requests.borrow();
    let name = |request: &HttpRequest| {
        let claims = verify(organization, stream, std::str::from_utf8(&request.body).unwrap());
        claims["sub_id"]["externalId"].as_str().unwrap().to_owned()
    };
    requests.iter().map(name).collect()
}

fn shown(organization: &TestOrganization) -> insomnia_scim_contract::EventStream {
    super::super::list(&organization.store()).unwrap().remove(0)
}

#[test]
fn p6_tokens_are_pushed_in_order_one_a_request_with_the_fields_that_the_rfc_wants() {
    let organization = organization();
    let stream = pushed(&organization);
    for name in ["ada", "bob", "cy"] {
        create(&organization, name);
    }
    assert_eq!(shown(&organization).waiting, 3);
    organization.live_for(1_000).unwrap();
    assert_eq!(told(&organization, &stream), ["x-ada", "x-bob", "x-cy"]);
    let requests = organization.host.requests.borrow();
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", PUSH));
    for field in [
        ("content-type", "application/secevent+jwt"),
        ("accept", "application/json"),
        ("authorization", "Bearer of-the-receiver"),
    ] {
        assert!(request.headers.contains(&(field.0.to_owned(), field.1.to_owned())), "{field:?}");
    }
    drop(requests);
    organization.live_for(DAY).unwrap();
    assert_eq!(organization.host.requests.borrow().len(), 3, "once each");
    let shown = shown(&organization);
    assert!(shown.works_since.is_some() && shown.failing_since.is_none() && shown.waiting == 0, "{shown:?}");
    assert!(!organization.host.dump().contains("of-the-receiver"), "it is sealed");
}

#[test]
fn p6_a_push_that_fails_is_repeated_byte_by_byte_and_holds_up_those_behind_it() {
    let organization = organization();
    let stream = pushed(&organization);
    for (index, (answer, expected)) in [
        (refusal(400, r#"{"err":"authentication_failed","description":"who?"}"#), "authentication_failed: who?"),
        (refusal(400, r#"{"err":"invalid_key"}"#), "invalid_key"),
        (refusal(400, "<html>"), "HTTP status 400"),
        (refusal(302, ""), "HTTP status 302 (redirects are not followed)"),
        (refusal(503, ""), "HTTP status 503"),
        (Err(HttpError::Timeout), "no answer in time"),
    ]
    .into_iter()
    .enumerate()
    {
        organization.host.requests.borrow_mut().clear();
        answers(&organization, [answer]);
        let [first, second] = ["a", "b"].map(|name| format!("{name}{index}"));
        create(&organization, &first);
        create(&organization, &second);
        organization.live_for(1_000).unwrap();
        assert_eq!(shown(&organization).error.as_deref(), Some(expected));
        organization.live_for(60_000).unwrap();
        assert_eq!(told(&organization, &stream), [format!("x-{first}"), format!("x-{first}"), format!("x-{second}")]);
        let requests = organization.host.requests.borrow();
        assert_eq!(requests[0].body, requests[1].body);
        assert_eq!((shown(&organization).error, shown(&organization).failing_since), (None, None));
    }
}

#[test]
fn p6_a_token_that_is_malformed_to_the_receiver_is_put_aside_at_once_and_holds_up_nobody() {
    let organization = organization();
    let stream = pushed(&organization);
    answers(&organization, [refusal(400, r#"{"err":"invalid_request","description":"no format scim"}"#)]);
    create(&organization, "ada");
    create(&organization, "bob");
    organization.live_for(1_000).unwrap();
    assert_eq!(told(&organization, &stream), ["x-ada", "x-bob"]);
    let shown = shown(&organization);
    assert_eq!((shown.error.as_deref(), shown.parked), (Some("invalid_request: no format scim"), 1));
    assert_eq!(jobs::retry_deliveries(&organization.store(), DeliveryQueue::SetsParked, &[]), Ok(1));
    organization.live_for(1_000).unwrap();
    assert_eq!(told(&organization, &stream), ["x-ada", "x-bob", "x-ada"]);
}

#[test]
fn p6_a_token_is_parked_after_three_days_of_trying_and_a_downtime_does_not_count() {
    let organization = organization();
    pushed(&organization);
    answers(&organization, std::iter::repeat_n(Err(HttpError::Unreachable("down".into())), 10_000));
    create(&organization, "ada");
    organization.live_for(DAY).unwrap();
    organization.host.set_now(organization.store().now() + 4 * DAY);
    organization.live_for(DAY).unwrap();
    assert_eq!((shown(&organization).waiting, shown(&organization).parked), (1, 0));
    organization.live_for(2 * DAY).unwrap();
    let shown = shown(&organization);
    assert_eq!((shown.waiting, shown.parked), (0, 1));
    assert_eq!(shown.error.as_deref(), Some("not reachable: down"));
    let attempts = organization.host.requests.borrow().len();
    assert!((60..130).contains(&attempts), "about once an hour: {attempts}");
}

#[test]
fn p6_a_receiver_that_fails_holds_up_no_other() {
    let organization = organization();
    let [one, two] = [(); 2].map(|()| pushed(&organization));
    create(&organization, "ada");
    answers(&organization, [Err(HttpError::Timeout)]);
    organization.live_for(1_000).unwrap();
    assert_eq!(organization.host.requests.borrow().len(), 2, "one failed, and the other one was tried");
    let waiting: u32 = super::super::list(&organization.store()).unwrap().iter().map(|stream| stream.waiting).sum();
    assert_eq!(waiting, 1);
    organization.live_for(10_000).unwrap();
    assert_eq!(organization.host.requests.borrow().len(), 3);
    assert_ne!(one.event_stream.id, two.event_stream.id);
}

#[test]
fn p6_a_token_that_is_too_large_for_the_receiver_is_parked_and_those_behind_it_go_on() {
    let organization = organization();
    pushed(&organization);
    create(&organization, "ada");
    create(&organization, "bob");
    answers(&organization, [refusal(413, "")]);
    organization.live_for(1_000).unwrap();
    let shown = shown(&organization);
    assert_eq!((shown.waiting, shown.parked), (0, 1));
    assert!(shown.error.is_some_and(|error| error.contains("413")));
}
