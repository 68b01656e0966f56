//! Receivers that poll (RFC 8936).

use insomnia_scim_contract::DeliveryQueue;

use super::*;
use crate::jobs;

#[test]
fn p6_what_one_receiver_acknowledges_the_other_still_gets() {
    let organization = organization();
    let [one, two] = [EventDetail::Notice; 2].map(|detail| polled(&organization, detail));
    for name in ["ada", "bob", "cy"] {
        create(&organization, name);
    }
    let first = claims(&organization, &one);
    assert_eq!(claims(&organization, &one), first, "until they are acknowledged, byte by byte the same");
    let ids = [&first[0]["jti"], &first[2]["jti"]];
    // A token of another stream, an unknown id and a repeated id are no errors.
    let other = &claims(&organization, &two)[1]["jti"];
    let ack = json!({"ack": [ids[0], ids[0], other, "no-id", "0190a6f0-0000-7000-8000-000000000001"], "setErrs": {}});
    ask(&organization, &one, ack);
    ask(&organization, &one, json!({"ack": [ids[1]], "maxEvents": 0, "returnImmediately": true}));
    assert_eq!(claims(&organization, &one), [first[1].clone()]);
    assert_eq!(claims(&organization, &two).len(), 3);
    assert_eq!(fresh(&organization, &one).len(), 1);
    assert!(organization.host.count(&crate::store::keys::sets(&one.event_stream.id, None)) == 0, "nothing is left");
}

#[test]
fn p6_so_many_come_as_are_asked_for_oldest_first_and_it_is_said_whether_there_are_more() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let empty = json!({"returnImmediately": true});
    assert_eq!(ask(&organization, &stream, empty.clone()), json!({"sets": {}}));
    let paths: Vec<String> =
        ["ada", "bob", "cy"].iter().map(|name| format!("/Users/{}", create(&organization, name))).collect();
    for (body, expected, more) in [
        (json!({"maxEvents": 0}), 0, true),
        (json!({"maxEvents": 1}), 1, true),
        (json!({"maxEvents": 2, "unknown": [1]}), 2, true),
        (json!({"maxEvents": 3}), 3, false),
        (json!({"maxEvents": 18_446_744_073_709_551_615_u64}), 3, false),
        (json!({"maxEvents": null}), 3, false),
        (empty, 3, false),
    ] {
        let answer = ask(&organization, &stream, body.clone());
        let sets = answer["sets"].as_object().unwrap();
        assert_eq!((sets.len(), answer["moreAvailable"].as_bool()), (expected, Some(more)), "{body}");
        let uris: Vec<Value> = sets
            .values()
            .map(|token| verify(&organization, &stream, token.as_str().unwrap())["sub_id"]["uri"].clone())
            .collect();
        assert_eq!(json!(uris), json!(paths[..expected]), "{body}");
    }
    assert_eq!(send(&organization, &stream, "").status, 200, "no body is all defaults");
    for body in ["x", "[]", "[1]", "{\"maxEvents\":-1}", "{\"maxEvents\":\"1\"}", "{\"ack\":\"a\"}", "{\"setErrs\":[]}"]
    {
        let response = send(&organization, &stream, body);
        let error: Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((response.status, error["err"].as_str()), (400, Some("invalid_request")), "{body}");
    }
}

#[test]
fn p6_whoever_would_wait_is_told_so_only_while_there_is_nothing() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    let waits = |body: &str| send(&organization, &stream, body).wait;
    assert!(waits("{}") && waits("") && waits("{\"maxEvents\":0}"));
    assert!(!waits("{\"returnImmediately\":true}") && !waits("x"));
    create(&organization, "ada");
    assert!(!waits("{}") && !waits("{\"maxEvents\":0}"));
    fresh(&organization, &stream);
    assert!(waits("{}"));
}

#[test]
fn p6_a_token_that_the_receiver_refuses_is_put_aside_shown_and_sent_again_by_hand() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    create(&organization, "ada");
    let first = claims(&organization, &stream);
    let id = first[0]["jti"].as_str().unwrap();
    let refused =
        json!({"setErrs": {id: {"err": "invalid_audience", "description": "not for me"}}, "returnImmediately": true});
    assert_eq!(ask(&organization, &stream, refused), json!({"sets": {}}));
    let store = organization.store();
    let shown = super::super::list(&store).unwrap().remove(0);
    assert_eq!((shown.error.as_deref(), shown.waiting, shown.parked), (Some("invalid_audience: not for me"), 0, 1));
    assert_eq!(shown.last_polled.map(|time| time / 60_000), Some(store.now() / 60_000));
    let parked = jobs::list_deliveries(&store, DeliveryQueue::SetsParked, None, 10).unwrap().items.remove(0);
    assert_eq!(parked.error.as_deref(), Some("invalid_audience: not for me"));
    assert_eq!((parked.what.as_str(), parked.to.as_deref()), ("prov:create:notice", Some("Backend")));
    // Acknowledging a parked token changes nothing.
    ask(&organization, &stream, json!({"ack": [id], "returnImmediately": true}));
    assert_eq!(jobs::retry_deliveries(&store, DeliveryQueue::SetsParked, &[parked.id]), Ok(1));
    assert_eq!(claims(&organization, &stream), first, "the same token");
}

#[test]
fn p6_queues_of_streams_are_paged_and_what_is_parked_is_given_up() {
    let organization = organization();
    let streams = [EventDetail::Notice; 2].map(|detail| polled(&organization, detail));
    for name in ["ada", "bob", "cy"] {
        create(&organization, name);
    }
    let store = organization.store();
    let (mut after, mut seen) = (None::<String>, Vec::new());
    loop {
        let page = jobs::list_deliveries(&store, DeliveryQueue::SetsWaiting, after.as_deref(), 2).unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|delivery| delivery.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut unique = seen.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!((seen.len(), unique), (6, seen));
    let ids: Vec<Value> = claims(&organization, &streams[0]).iter().map(|claims| claims["jti"].clone()).collect();
    let errors: serde_json::Map<String, Value> =
        ids.iter().map(|id| (id.as_str().unwrap().to_owned(), json!({"err": "access_denied"}))).collect();
    ask(&organization, &streams[0], json!({"setErrs": errors, "returnImmediately": true}));
    assert_eq!(jobs::dismiss_deliveries(&store, DeliveryQueue::SetsParked, &[]), Ok(3));
    assert!(claims(&organization, &streams[0]).is_empty());
    assert_eq!(claims(&organization, &streams[1]).len(), 3);
}

#[test]
fn p6_without_the_token_of_the_stream_nothing_is_told_not_even_whether_it_is_there() {
    let organization = organization();
    let [one, two] = [EventDetail::Notice; 2].map(|detail| polled(&organization, detail));
    let push = pushed(&organization);
    create(&organization, "ada");
    let token = |stream: &IssuedEventStream| Some(format!("Bearer {}", stream.token.clone().unwrap_or_default()));
    let ask = |stream_id: &str, authorization: Option<String>| {
        let body = br#"{"returnImmediately":true}"#.to_vec();
        let request = PollRequest { stream_id: stream_id.to_owned(), authorization, body, again: false };
        super::super::poll(organization.host.host(), &request)
    };
    let id = one.event_stream.id.as_str();
    let unknown = ask("0190a6f0-0000-7000-8000-000000000001", token(&one));
    assert_eq!((unknown.status, unknown.wait), (401, false));
    for (stream, authorization) in [
        (id, None),
        (id, token(&two)),
        (id, Some(format!("Basic {}", one.token.clone().unwrap()))),
        (id, Some("Bearer".into())),
        (id, Some(format!("Bearer {}", organization.token))),
        (push.event_stream.id.as_str(), token(&push)),
        ("", token(&one)),
    ] {
        assert_eq!(ask(stream, authorization), unknown, "{stream}");
    }
    assert_eq!(ask(id, one.token.as_ref().map(|token| format!("bearer  {token} "))).status, 200);
    let rotated = super::super::rotate_token(&organization.store(), id).unwrap();
    assert_eq!((ask(id, token(&one)).status, ask(id, token(&rotated)).status), (401, 200));
    assert!(!organization.host.dump().contains(&rotated.token.unwrap()));
}

#[test]
fn p6_nothing_is_given_out_while_scim_is_disabled_and_what_happened_waits() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Full);
    create(&organization, "ada");
    crate::connector::disable(&organization.store(), TestOrganization::OWNER).unwrap();
    let refused = send(&organization, &stream, "{\"returnImmediately\":true}");
    assert_eq!(refused.status, 403, "{}", String::from_utf8_lossy(&refused.body));
    crate::connector::enable(&organization.store(), TestOrganization::OWNER, "okta", Window::Never).unwrap();
    assert_eq!(claims(&organization, &stream).len(), 1);
}

#[test]
fn p6_who_is_asked_for_again_after_a_wait_is_not_acknowledged_again() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Notice);
    create(&organization, "ada");
    let id = claims(&organization, &stream)[0]["jti"].as_str().unwrap().to_owned();
    let request = |again| PollRequest {
        stream_id: stream.event_stream.id.clone(),
        authorization: stream.token.as_ref().map(|token| format!("Bearer {token}")),
        body: json!({"setErrs": {&id: {"err": "jwtAud"}}, "returnImmediately": true}).to_string().into_bytes(),
        again,
    };
    assert_eq!(super::super::poll(organization.host.host(), &request(false)).status, 200);
    let parked = || super::super::list(&organization.store()).unwrap()[0].parked;
    assert_eq!(parked(), 1);
    let store = organization.store();
    jobs::retry_deliveries(&store, DeliveryQueue::SetsParked, &[]).unwrap();
    assert_eq!(super::super::poll(organization.host.host(), &request(true)).status, 200);
    assert_eq!(parked(), 0, "a person has it sent again");
}
