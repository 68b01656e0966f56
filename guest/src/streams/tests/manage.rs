//! Streams are added and removed, and their keys are replaced.

use super::*;
use crate::store::keys;
use crate::streams::{StreamError, key_set, list, remove, rotate_signing_key};
use crate::testing::organization::DAY;

fn kids(organization: &TestOrganization, stream: &str) -> Vec<String> {
    let set: Value = serde_json::from_str(&key_set(&organization.store(), stream).unwrap()).unwrap();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| {
        assert!(key.get("d").is_none(), "{key}");
        key["kid"].as_str().unwrap().to_owned()
    })
    .collect()
}

#[test]
fn p6_a_new_key_signs_at_once_and_the_old_one_verifies_for_thirty_days() {
    let organization = organization();
    let none = rotate_signing_key(&organization.store(), &organization.host);
    assert_eq!(none, Err(StreamError::NoKey));
    let stream = polled(&organization, EventDetail::Notice);
    let id = stream.event_stream.id.as_str();
    create(&organization, "ada");
    let before = ask(&organization, &stream, json!({"returnImmediately": true}));
    let old = before["sets"].as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
    let first = kids(&organization, id);
    let made = rotate_signing_key(&organization.store(), &organization.host).unwrap();
    assert_eq!(kids(&organization, id), [first[0].clone(), made.id.clone()]);
    verify(&organization, &stream, &old);
    let after = ask(&organization, &stream, json!({"returnImmediately": true}));
    assert_ne!(after, before, "signed by the new key");
    assert_eq!(claims(&organization, &stream).len(), 1);
    organization.host.set_now(organization.store().now() + 31 * DAY);
    assert_eq!(kids(&organization, id), [made.id]);
    for _ in 0..7 {
        rotate_signing_key(&organization.store(), &organization.host).unwrap();
    }
    // One more key would remove a key that receivers still need.
    let one_more = rotate_signing_key(&organization.store(), &organization.host);
    assert!(matches!(one_more, Err(StreamError::Invalid(_))), "{one_more:?}");
    assert_eq!(kids(&organization, id).len(), 8);
    assert_eq!(claims(&organization, &stream).len(), 1);
}

#[test]
fn p6_a_key_set_tells_strangers_nothing() {
    let (organization, empty) = (organization(), organization());
    polled(&organization, EventDetail::Notice);
    for id in ["", "x", "0190a6f0-0000-7000-8000-000000000001"] {
        let known = key_set(&organization.store(), id).unwrap();
        assert_eq!((known.as_str(), &known), (r#"{"keys":[]}"#, &key_set(&empty.store(), id).unwrap()));
    }
}

#[test]
fn p6_a_stream_that_is_not_valid_or_one_too_many_is_refused_and_nothing_is_left() {
    let organization = organization();
    let text = |length: usize| "x".repeat(length);
    let valid = new(EventDetail::Notice);
    let push = |url: &str, authorization: Option<&str>| NewEventStream {
        push_url: Some(url.to_owned()),
        authorization: authorization.map(str::to_owned),
        ..valid.clone()
    };
    for wrong in [
        NewEventStream { name: " ".into(), ..valid.clone() },
        NewEventStream { name: text(201), ..valid.clone() },
        NewEventStream { audience: String::new(), ..valid.clone() },
        NewEventStream { audience: "a\nb".into(), ..valid.clone() },
        NewEventStream { authorization: Some("Bearer x".into()), ..valid.clone() },
        NewEventStream { events: vec![insomnia_scim_contract::StreamEvent::Put; 9], ..valid.clone() },
        push("ftp://a", None),
        push(PUSH, Some("a\r\nb: c")),
        push(PUSH, Some(&text(4_097))),
    ] {
        let refused = super::super::add(&organization.store(), &organization.host, wrong.clone(), CONNECTOR);
        assert!(matches!(refused, Err(StreamError::Invalid(_))), "{wrong:?}");
    }
    for _ in 0..8 {
        add(&organization, valid.clone());
    }
    let many = super::super::add(&organization.store(), &organization.host, valid, CONNECTOR);
    assert_eq!(many.map(drop), Err(StreamError::TooMany));
    assert_eq!(list(&organization.store()).unwrap().len(), 8);
}

#[test]
fn p6_a_removed_stream_leaves_nothing_behind_and_gets_nothing_any_more() {
    let organization = organization();
    let [gone, stays] = [EventDetail::Full; 2].map(|detail| polled(&organization, detail));
    create(&organization, "ada");
    remove(&organization.store(), &gone.event_stream.id).unwrap();
    let again = remove(&organization.store(), &gone.event_stream.id);
    assert!(matches!(again, Err(StreamError::NotFound(_))));
    create(&organization, "bob");
    organization.live_for(2 * DAY).unwrap();
    assert_eq!(send(&organization, &gone, "{}").status, 401);
    let dump = organization.host.dump();
    assert!(!dump.contains(&gone.event_stream.id), "{dump}");
    assert_eq!(fresh(&organization, &stays).len(), 2);
}

#[test]
fn p6_tokens_that_nobody_asks_for_are_forgotten_with_the_retention() {
    let organization = organization();
    let stream = polled(&organization, EventDetail::Full);
    create(&organization, "ada");
    organization.live_for(89 * DAY).unwrap();
    assert_eq!(claims(&organization, &stream).len(), 1);
    organization.live_for(3 * DAY).unwrap();
    assert!(claims(&organization, &stream).is_empty());
    assert_eq!(organization.host.count(&keys::sets(&stream.event_stream.id, None)), 0);
}

/// RFC 9967 §4: the events in use are declared, none are declared without a stream, and unauthenticated callers learn
/// nothing.
#[test]
fn p6_the_service_provider_configuration_declares_what_streams_have() {
    let organization = organization();
    let config = || organization.scim("GET", "/ServiceProviderConfig", None).1;
    assert!(config().get("securityEvents").is_none());
    let stream = polled(&organization, EventDetail::Full);
    let mut expected = stream.event_stream.event_uris.clone();
    expected.sort_unstable();
    assert_eq!(config()["securityEvents"], json!({"asyncRequest": "request", "eventUris": expected}));
    assert_eq!(expected.len(), 11);
    let request = crate::protocol::message::Request {
        method: "GET".into(),
        path: "/ServiceProviderConfig".into(),
        base_url: CONNECTOR.into(),
        request_id: "r2".into(),
        ..Default::default()
    };
    let strangers = crate::endpoint::handle(organization.host.host(), &request);
    let body: Value = serde_json::from_slice(&strangers.body).unwrap();
    assert!(strangers.status == 200 && body.get("securityEvents").is_none(), "{body}");
    let urn = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
    let schema = organization.scim("GET", &format!("/Schemas/{urn}"), None).1;
    let declared =
        schema["attributes"].as_array().unwrap().iter().find(|attribute| attribute["name"] == "securityEvents");
    assert_eq!(declared.unwrap()["subAttributes"][0]["canonicalValues"], json!(["none", "long", "request"]));
    assert_eq!(declared.unwrap()["mutability"], "readOnly");
    remove(&organization.store(), &stream.event_stream.id).unwrap();
    assert!(config().get("securityEvents").is_none());
}
