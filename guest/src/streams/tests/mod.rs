//! Streams of SCIM events, from the change to the token that a receiver verifies.

mod manage;
mod poll;
mod push;
mod responses;
mod told;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insomnia_scim_contract::{EventDetail, IssuedEventStream, NewEventStream, PollRequest, PollResponse};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::{Value, json};

use crate::connector::Window;
use crate::testing::organization::TestOrganization;

const CONNECTOR: &str = "https://scim.example/scim/v2/org";
const PUSH: &str = "https://receiver.example/events";
const EVENT: &str = "urn:ietf:params:scim:event:";

fn organization() -> TestOrganization {
    let organization = TestOrganization::new(100, Window::Never).unwrap();
    organization.change(|record| record.options.passphrase_emails = false).unwrap();
    organization
}

fn new(detail: EventDetail) -> NewEventStream {
    NewEventStream { name: "Backend".into(), audience: "https://rp.example/7".into(), detail, ..Default::default() }
}

fn add(organization: &TestOrganization, new: NewEventStream) -> IssuedEventStream {
    super::add(&organization.store(), &organization.host, new, CONNECTOR).unwrap()
}

fn polled(organization: &TestOrganization, detail: EventDetail) -> IssuedEventStream {
    add(organization, new(detail))
}

fn pushed(organization: &TestOrganization) -> IssuedEventStream {
    let push_url = Some(PUSH.to_owned());
    let authorization = Some("Bearer of-the-receiver".to_owned());
    add(organization, NewEventStream { push_url, authorization, ..new(EventDetail::Notice) })
}

fn send(organization: &TestOrganization, stream: &IssuedEventStream, body: &str) -> PollResponse {
    let authorization = stream.token.as_ref().map(|token| format!("Bearer {token}"));
    let request = PollRequest {
        stream_id: stream.event_stream.id.clone(),
        authorization,
        body: body.as_bytes().to_vec(),
        again: false,
    };
    super::poll(organization.host.host(), &request)
}

fn ask(organization: &TestOrganization, stream: &IssuedEventStream, body: Value) -> Value {
    let response = send(organization, stream, &body.to_string());
    assert_eq!(response.status, 200);
    serde_json::from_slice(&response.body).unwrap()
}

/// The claims of the tokens that the stream's receiver gets, in order. Each token is verified with the key set.
fn claims(organization: &TestOrganization, stream: &IssuedEventStream) -> Vec<Value> {
    let answer = ask(organization, stream, json!({"returnImmediately": true}));
    let sets = answer["sets"].as_object().unwrap();
    let verified = sets.iter().map(|(id, token)| {
        let claims = verify(organization, stream, token.as_str().unwrap());
        assert_eq!(claims["jti"], id.as_str());
        claims
    });
    verified.collect()
}

/// The new tokens since the last call, which this call acknowledges.
fn fresh(organization: &TestOrganization, stream: &IssuedEventStream) -> Vec<Value> {
    let claims = claims(organization, stream);
    let ids: Vec<&Value> = claims.iter().map(|claims| &claims["jti"]).collect();
    ask(organization, stream, json!({"ack": ids, "maxEvents": 0, "returnImmediately": true}));
    claims
}

/// The claims of a token, as a receiver reads them that only knows the issuer's key set.
fn verify(organization: &TestOrganization, stream: &IssuedEventStream, token: &str) -> Value {
    let part = |text: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap() };
    let parts: Vec<&str> = token.split('.').collect();
    let header = part(parts[0]);
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("ES256"), Some("secevent+jwt")));
    let set = super::key_set(&organization.store(), &stream.event_stream.id).unwrap();
    let set: Value = serde_json::from_str(&set).unwrap();
    let key = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).expect("a key");
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    VerifyingKey::from_sec1_bytes(&point).unwrap().verify(signed.as_bytes(), &signature).expect("a good signature");
    part(parts[1])
}

/// The names of a token's events, without their common beginning.
fn names(claims: &Value) -> Vec<&str> {
    let events = claims["events"].as_object().unwrap();
    events.keys().map(|uri| uri.strip_prefix(EVENT).expect("a SCIM event")).collect()
}

fn payload<'c>(claims: &'c Value, name: &str) -> &'c Value {
    &claims["events"][format!("{EVENT}{name}")]
}

fn create(organization: &TestOrganization, name: &str) -> String {
    let user = json!({
        "userName": format!("{name}@example.com"), "externalId": format!("x-{name}"), "title": "Engineer",
        "name": {"givenName": name, "familyName": "Byron"}, "password": "never seen 7351",
    });
    let (status, body) = organization.scim("POST", "/Users", Some(user));
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

fn change(organization: &TestOrganization, path: &str, operations: Value) {
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let (status, body) = organization.scim("PATCH", path, Some(body));
    assert!(status == 200 || status == 204, "{body}");
}
