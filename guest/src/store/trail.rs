//! The audit trail: what people, API keys and the operator did, from where, and what it changed (rule P9).
//!
//! A call of the component's admin functions is an *act*. A store that was made for an act writes an entry of the audit
//! trail in the same commit as the act's changes. So there is no change without its entry, and no entry without its
//! change. An act that changes nothing in the store, such as a sign-in, gets its entry at its end.

use std::borrow::Cow;
use std::cell::RefCell;

use insomnia_scim_contract::{Act, Actor, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Batch, Cause, EventSubject, Store, StoreError, encode, keys};
use crate::protocol::timestamp;

/// The largest size of `before` and of `after`, each as JSON, in bytes.
const LONGEST: usize = 8 * 1024;
/// The jobs run at the latest this long after an act, in milliseconds.
const SWEPT_WITHIN: u64 = 24 * 60 * 60 * 1_000;

/// An entry of the audit trail. It is stored and shown as this JSON. It never holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailRecord {
    /// A UUID.
    pub id: String,
    /// The time as in RFC 3339, in UTC.
    pub time: String,
    /// The name of the act, such as `connector.enable`.
    pub act: String,
    /// The actor.
    pub by: Person,
    /// The interface by which it was done: `page`, `api`, `command-line` or `backend`.
    pub face: String,
    /// The IP address of the person or program, if the host knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
    /// The caller's credential, such as the name of an API key; absent if a person has signed in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential: Option<String>,
    /// The id of the request, by which it is found in the host's own log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// The object of the act.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<EventSubject>,
    /// The old values of what changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub before: Option<Value>,
    /// The new values of what changed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<Value>,
    /// The reason why the act was refused; absent if it was done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
}

/// The actor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// `member`; `owner`, for a backend or an API key that may do what the owner may; or `operator`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The member's id, or the name by which the host identified the member.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
}

/// The details of an act whose entry is not written yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Noted {
    act: Cow<'static, str>,
    by: Option<Person>,
    face: String,
    address: Option<String>,
    credential: Option<String>,
    request_id: Option<String>,
    subject: Option<EventSubject>,
    before: Option<Value>,
    after: Option<Value>,
    refused: Option<String>,
    /// Whether the next commit is the one to which the entry belongs.
    ready: bool,
}

/// The act for which a store was made.
pub(super) type Doing = RefCell<Option<Noted>>;

impl Store<'_> {
    /// The same store, for an act of this name: its changes are committed with an entry of the audit trail.
    #[must_use]
    pub fn for_act(self, by: &Act, act: impl Into<Cow<'static, str>>) -> Self {
        let person = match &by.actor {
            Actor::Member(id) => Person { kind: "member".into(), id: Some(id.clone()) },
            Actor::Owner => Person { kind: "owner".into(), id: None },
            Actor::Operator => Person { kind: "operator".into(), id: None },
        };
        self.for_somebody(Some(person), &by.source, act.into())
    }

    /// Like [`Store::for_act`], for a member who is only known once the passphrase or the link was checked
    /// ([`Store::note_member`]). Unknown callers, who could send anything, leave no entry.
    #[must_use]
    pub fn for_member_from(self, source: &Source, act: &'static str) -> Self {
        self.for_somebody(None, source, act.into())
    }

    fn for_somebody(self, by: Option<Person>, source: &Source, act: Cow<'static, str>) -> Self {
        let noted = Noted {
            act,
            by,
            face: source.face.to_string(),
            address: source.address.clone(),
            credential: source.credential.clone(),
            request_id: source.request_id.clone(),
            ..Noted::default()
        };
        let called = |person: &Person| Some(format!("{} {}", person.kind, person.id.as_ref()?));
        let credential = noted.credential.clone().or_else(|| noted.by.as_ref().and_then(called));
        self.caused_by(Cause { request_id: noted.request_id.clone(), credential, ..Cause::default() });
        self.traced_by(source.traceparent.as_deref());
        self.doing.replace(Some(noted));
        self
    }

    /// Notes the object of the act, and the old and new values of what changes. The next commit is the one that makes
    /// the change. Does nothing if the store was not made for an act.
    pub fn note(&self, subject: EventSubject, before: Option<Value>, after: Option<Value>) {
        if let Some(noted) = self.doing.borrow_mut().as_mut() {
            (noted.before, noted.after) = differences(before, after);
            noted.subject = Some(subject);
            noted.refused = None;
            noted.ready = true;
        }
    }

    /// Notes which member acts.
    pub fn note_member(&self, id: &str) {
        if let Some(noted) = self.doing.borrow_mut().as_mut() {
            noted.by.get_or_insert_with(|| Person { kind: "member".into(), id: Some(id.to_owned()) });
        }
    }

    /// Notes that the act is refused. The next commit stores it, for instance for a wrong passphrase.
    pub fn note_refusal(&self, why: &str) {
        if let Some(noted) = self.doing.borrow_mut().as_mut() {
            noted.refused = Some(why.to_owned());
            noted.ready = true;
        }
    }

    /// Adds the act's entry to the batch if the batch makes the act's change; returns whether the entry was added.
    pub(super) fn add_trail(&self, batch: &mut Batch) -> Result<bool, StoreError> {
        let doing = self.doing.borrow();
        let Some(noted) = doing.as_ref().filter(|noted| noted.ready) else { return Ok(false) };
        let Some(by) = noted.by.clone() else { return Ok(false) };
        let (now, id) = (self.now(), self.new_ordered_id());
        let record = TrailRecord {
            time: timestamp::format(now),
            act: noted.act.to_string(),
            by,
            face: noted.face.clone(),
            address: noted.address.clone(),
            credential: noted.credential.clone(),
            request_id: noted.request_id.clone(),
            subject: noted.subject.clone(),
            before: noted.before.clone().map(shortened),
            after: noted.after.clone().map(shortened),
            refused: noted.refused.clone(),
            id,
        };
        batch.put(keys::audit(&format!("{now:016x}{}", record.id)), encode(&record)?);
        Ok(true)
    }

    /// Notes that the act's entry was committed.
    pub(super) fn trail_written(&self) {
        self.doing.replace(None);
    }

    /// Ends the act. If its entry is not written yet, because the act changed nothing in the store, it is written now.
    /// The jobs run within a day: if an organization only has an audit trail, nothing else makes them delete its old
    /// entries.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn end_act(&self) -> Result<(), StoreError> {
        match self.doing.borrow_mut().as_mut() {
            Some(noted) => noted.ready = true,
            None => return Ok(()),
        }
        let mut batch = Batch::new();
        batch.wake_at(self.now().saturating_add(SWEPT_WITHIN));
        if self.add_trail(&mut batch)? { self.commit_as_it_is(batch).map(drop) } else { Ok(()) }
    }
}

/// The values that differ between two objects. Values that are no objects are returned whole.
fn differences(before: Option<Value>, after: Option<Value>) -> (Option<Value>, Option<Value>) {
    let (Some(Value::Object(mut before)), Some(Value::Object(mut after))) = (before.clone(), after.clone()) else {
        return (before, after);
    };
    let same: Vec<String> =
        before.iter().filter(|(name, value)| after.get(*name) == Some(value)).map(|(name, _)| name.clone()).collect();
    for name in same {
        before.remove(&name);
        after.remove(&name);
    }
    (Some(Value::Object(before)), Some(Value::Object(after)))
}

/// The value if it is short enough to be stored, else its length.
fn shortened(value: Value) -> Value {
    let length = value.to_string().len();
    if length > LONGEST { Value::String(format!("{length} bytes")) } else { value }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_kept_and_nothing_without_an_end() {
        let (before, after) = differences(Some(json!({"a": 1, "b": [2]})), Some(json!({"a": 1, "b": [3], "c": 4})));
        assert_eq!((before, after), (Some(json!({"b": [2]})), Some(json!({"b": [3], "c": 4}))));
        assert_eq!(differences(None, Some(json!(3))), (None, Some(json!(3))));
        assert_eq!(shortened(json!("x".repeat(LONGEST))), json!(format!("{} bytes", LONGEST + 2)));
        assert_eq!(shortened(json!("x")), json!("x"));
    }
}
