//! Makes the Security Event Token that is delivered (RFC 8417 §2, RFC 9967 §2.1).

use serde_json::{Value, json};

use super::Signer;
use crate::protocol::discovery::ASYNC_RESPONSE;
use crate::protocol::version::etag;
use crate::store::{DueSet, EVENT_URI, SetRecord, StreamRecord};

/// Signs a token. It has the same `jti` in every attempt to deliver it, and, until another key signs, the same bytes.
///
/// `None` if it can't be signed, which does not happen with a key that could be decrypted.
pub(crate) fn token(stream: &StreamRecord, signer: &Signer, due: &DueSet, set: &SetRecord) -> Option<String> {
    let header = json!({"alg": "ES256", "typ": "secevent+jwt", "kid": signer.id});
    signer.key.sign(&header, &claims(stream, due, set))
}

fn claims(stream: &StreamRecord, due: &DueSet, set: &SetRecord) -> Value {
    let seconds = set.time / 1_000;
    let mut subject = json!({"format": "scim", "uri": set.uri});
    if let (Value::Object(subject), Some(external_id)) = (&mut subject, &set.external_id) {
        subject.insert("externalId".into(), external_id.as_str().into());
    }
    let events: serde_json::Map<String, Value> = set
        .events
        .iter()
        .map(|(name, payload)| {
            // The result of a request already contains the version that the resource had at that time.
            let is_whole = name == ASYNC_RESPONSE;
            let payload = if is_whole { payload.clone() } else { completed(payload.clone(), stream, due, set) };
            (format!("{EVENT_URI}{name}"), payload)
        })
        .collect();
    json!({
        "iss": stream.issuer,
        "iat": seconds,
        "jti": due.id,
        "aud": [stream.audience],
        "txn": set.txn,
        "toe": seconds,
        "sub_id": subject,
        "events": events,
    })
}

/// The payload with the values that were not known before the commit of the change: the version and the URL of the
/// resource.
fn completed(mut payload: Value, stream: &StreamRecord, due: &DueSet, set: &SetRecord) -> Value {
    let Value::Object(members) = &mut payload else { return payload };
    if members.is_empty() {
        return payload;
    }
    members.insert("version".into(), etag(due.version).into());
    let Some(Value::Object(data)) = members.get_mut("data") else { return payload };
    if let Some(Value::Object(meta)) = data.get_mut("meta") {
        meta.insert("location".into(), format!("{}{}", stream.issuer, set.uri).into());
        meta.insert("version".into(), etag(due.version).into());
        if let Some(Value::Array(users)) = data.get_mut("members") {
            for user in users.iter_mut().filter_map(Value::as_object_mut) {
                let id = user.get("value").and_then(Value::as_str).unwrap_or_default();
                let location = format!("{}/Users/{id}", stream.issuer);
                user.insert("$ref".into(), location.into());
            }
        }
    }
    payload
}
