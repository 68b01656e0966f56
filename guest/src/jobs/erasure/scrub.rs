//! Changes stored documents when a person is erased: one function for each kind of document.
//!
//! Documents are changed as JSON, and not as the types that this version knows, so that attributes which a later
//! version has written are not lost.

use serde_json::{Map, Value, json};

use super::person::{Person, unescaped};
use crate::protocol::discovery::ASYNC_RESPONSE;
use crate::text::{form_decoded, percent_decoded};

/// The text that replaces a text about the person.
pub(super) const ERASED: &str = "[erased]";
/// The attributes of the person's changes that stay in the audit trail.
const KEPT: [&str; 3] = ["role", "origin", "active"];
/// Attributes that never contain a text about a person: ids, and words of a fixed list.
const FIXED: [&str; 13] = [
    "id",
    "type",
    "resourceType",
    "role",
    "origin",
    "plan",
    "kind",
    "action",
    "status",
    "schemas",
    "op",
    "method",
    "meta",
];
/// A path of a log entry may have been cut if it has at least this many bytes.
const CUT: usize = 250;

/// How a stored document changes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// It contains nothing about the person and is not changed.
    Stays,
    /// It is replaced by this document.
    Becomes(Value),
    /// It was only about the person and is deleted.
    Goes,
}

/// Changes an entry of the SCIM log.
///
/// If the entry is about the person or contains a name, its whole body is removed: it may contain values that are not
/// known any more.
pub(super) fn log(person: &Person<'_>, mut entry: Value) -> Fate {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (path, body) = (text(&entry, "path"), text(&entry, "body"));
    let subject = entry.get("subject").cloned().unwrap_or_default();
    let is_user = text(&subject, "resourceType") == "User";
    let is_about = text(&subject, "id") == person.id || (is_user && person.is_called(&text(&subject, "name")));
    let Some(entry_of) = entry.as_object_mut() else { return Fate::Stays };
    let before = entry_of.clone();

    if is_about {
        set_if_text(entry_of.get_mut("subject").and_then(|subject| subject.get_mut("name")));
        set_if_text(entry_of.get_mut("detail"));
    }
    if !body.is_empty() && (is_about || is_in_body(person, &path, &body)) {
        entry_of.insert("body".into(), ERASED.into());
    }
    if let Some(path) = path_without(person, &path) {
        entry_of.insert("path".into(), path.into());
    }
    subject_name(person, entry_of.get_mut("subject"));
    for name in ["detail", "because", "userAgent"] {
        if let Some(value) = entry_of.get_mut(name) {
            names(value, &|text| person.is_named_in(text));
        }
    }
    fate(before, entry)
}

/// Whether the body of a request contains a name: in one of its values if it is JSON, else anywhere in its text.
fn is_in_body(person: &Person<'_>, path: &str, body: &str) -> bool {
    let is_search = path.split('?').next().is_some_and(|resource| resource.ends_with("/.search"));
    if let Ok(body) = serde_json::from_str::<Value>(body) {
        return any_text(&body, &|text| person.is_meant_in(text) || (is_search && person.is_sought_in(text)));
    }
    let plain = unescaped(body);
    person.is_meant_in_part(&plain) || person.is_cut_off_in(&plain) || (is_search && person.is_sought_in(&plain))
}

/// Whether one of the texts of a document meets the condition. Names of attributes do not count as texts.
fn any_text(value: &Value, is_such: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is_such(text),
        Value::Array(values) => values.iter().any(|value| any_text(value, is_such)),
        Value::Object(object) => {
            let is_looked_at = |name: &str| name == "id" || !FIXED.contains(&name);
            object.iter().any(|(name, value)| is_looked_at(name) && any_text(value, is_such))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The path of a request without the segments that contain a name; `None` if there are none.
fn path_without(person: &Person<'_>, path: &str) -> Option<String> {
    let (resource, query) = path.split_once('?').map_or((path, None), |(resource, query)| (resource, Some(query)));
    // The first part is empty, since a path begins with a slash; the second is the endpoint.
    let is_in_path = resource.split('/').skip(2).any(|segment| person.is_in_segment(&percent_decoded(segment)));
    let is_in_query = query.is_some_and(|query| {
        let query = form_decoded(query);
        let is_cut_off = path.len() >= CUT && person.is_cut_off_in(&query);
        is_cut_off || person.is_sought_in(&query) || person.is_sought_in(&unescaped(&query))
    });
    if !is_in_path && !is_in_query {
        return None;
    }
    let endpoint = resource.split('/').nth(1).unwrap_or_default();
    let resource = if is_in_path { format!("/{endpoint}/{ERASED}") } else { resource.to_owned() };
    let query = match query {
        Some(_) if is_in_query => format!("?{ERASED}"),
        Some(query) => format!("?{query}"),
        None => String::new(),
    };
    Some(format!("{resource}{query}"))
}

/// Changes an event.
pub(super) fn event(person: &Person<'_>, event: Value) -> Fate {
    let Value::Object(mut changed) = event else { return Fate::Stays };
    let before = changed.clone();
    if is_subject(person, &changed) {
        if let Some(Value::Object(subject)) = changed.get_mut("subject") {
            subject.shift_remove("name");
        }
        changed.insert("data".into(), json!({"erased": true}));
    }
    credential(person, changed.get_mut("cause").and_then(|cause| cause.get_mut("credential")));
    subject_name(person, changed.get_mut("subject"));
    // An event about somebody else still reports what it would report otherwise, without the values that are the
    // person's name.
    if let Some(value) = changed.get_mut("data") {
        names(value, &|text| person.is_called(text));
    }
    fate(before, Value::Object(changed))
}

/// Changes an entry of the audit trail. The ids stay, so that it still says who did what to whom.
pub(super) fn audit(person: &Person<'_>, entry: Value) -> Fate {
    let Value::Object(mut changed) = entry else { return Fate::Stays };
    let before = changed.clone();
    let by = changed.get("by").and_then(|by| by.get("id")?.as_str()).unwrap_or_default();
    if by == person.id || person.is_called(by) {
        if let Some(by) = changed.get_mut("by").and_then(Value::as_object_mut) {
            by.insert("id".into(), person.id.into());
        }
        changed.shift_remove("address");
    }
    credential(person, changed.get_mut("credential"));
    if is_subject(person, &changed) {
        if let Some(Value::Object(subject)) = changed.get_mut("subject") {
            subject.shift_remove("name");
        }
        for side in ["before", "after"] {
            if let Some(Value::Object(side)) = changed.get_mut(side) {
                side.retain(|name, _| KEPT.contains(&name.as_str()));
            }
        }
    }
    subject_name(person, changed.get_mut("subject"));
    for name in ["before", "after", "refused"] {
        if let Some(value) = changed.get_mut(name) {
            names(value, &|text| person.is_named_in(text));
        }
    }
    fate(before, Value::Object(changed))
}

/// Changes an email that waits or is parked. It is deleted if it is addressed to the person.
pub(super) fn email(person: &Person<'_>, email: Value) -> Fate {
    let Value::Object(mut changed) = email else { return Fate::Stays };
    let to = changed.get("to").and_then(Value::as_str).unwrap_or_default();
    let member = changed.get("letter").and_then(|letter| letter.get("member")?.as_str());
    if person.is_called(to) || member == Some(person.id) {
        return Fate::Goes;
    }
    let before = changed.clone();
    // The person may have added somebody, and is then named in the letter. The letter's secret is left unchanged: it is
    // no text about anybody.
    if let Some(letter) = changed.get_mut("letter").and_then(Value::as_object_mut) {
        for name in ["name", "addedBy"] {
            if let Some(value) = letter.get_mut(name) {
                names(value, &|text| person.is_named_in(text));
            }
        }
    }
    if let Some(error) = changed.get_mut("error") {
        names(error, &|text| person.is_named_in(text));
    }
    fate(before, Value::Object(changed))
}

/// Changes a note that somebody got no seat.
pub(super) fn note(person: &Person<'_>, note: &Value) -> Fate {
    let text = |name: &str| note.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_called = ["userName", "email"].into_iter().any(|name| person.is_called(text(name)));
    if is_called || text("member") == person.id { Fate::Goes } else { Fate::Stays }
}

/// Changes a Security Event Token that is stored for a receiver. A full event about the person becomes a notice, which
/// names the attributes without their values.
pub(super) fn token(person: &Person<'_>, token: Value) -> Fate {
    let Value::Object(mut changed) = token else { return Fate::Stays };
    let before = changed.clone();
    let is_about = changed.get("uri").and_then(Value::as_str) == Some(format!("/Users/{}", person.id).as_str());
    if is_about {
        changed.shift_remove("externalId");
    }
    if let Some(Value::Object(events)) = changed.get_mut("events") {
        let told = |(name, payload): (String, Value)| match (name.strip_suffix(":full"), payload.get("data")) {
            (Some(event), Some(data)) if is_about => {
                (format!("{event}:notice"), json!({"attributes": attributes_of(data)}))
            }
            _ => (name, payload),
        };
        *events = std::mem::take(events).into_iter().map(told).collect();
    }
    // A token about somebody else still reports what it would report otherwise, without the values that are the
    // person's name.
    if let Some(value) = changed.get_mut("events") {
        names(value, &|text| person.is_called(text));
        // The reason of a refused request is a sentence, which may contain a name.
        if let Some(response) = value.get_mut(ASYNC_RESPONSE) {
            names(response, &|text| person.is_named_in(text));
        }
    }
    fate(before, Value::Object(changed))
}

/// Changes an operation of a request that was accepted to be run later. One that would create the person, or change the
/// former member, is no longer run: its path is made invalid, and the client gets an error.
pub(super) fn operation(person: &Person<'_>, operation: Value) -> Fate {
    let Value::Object(mut changed) = operation else { return Fate::Stays };
    let before = changed.clone();
    let path = changed.get("path").and_then(Value::as_str).unwrap_or_default();
    let is_in_path = path.split('/').any(|segment| {
        let segment = percent_decoded(segment);
        segment == person.id || person.is_in_segment(&segment)
    });
    if is_in_path || changed.get("data").is_some_and(|data| is_of_person(person, data)) {
        changed.shift_remove("data");
        changed.insert("path".into(), format!("/{ERASED}").into());
    } else if let Some(data) = changed.get_mut("data") {
        names(data, &|text| person.is_called(text));
    }
    fate(before, Value::Object(changed))
}

/// Whether a resource that a client sent is that of the person, by its name or one of its addresses.
fn is_of_person(person: &Person<'_>, data: &Value) -> bool {
    data.as_object().into_iter().flatten().any(|(name, value)| {
        let is_one_of = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let is_name = is_one_of(&["userName", "displayName"]);
        let is_called = |value: &Value| value.as_str().is_some_and(|text| person.is_called(text));
        let has_address = |address: &Value| is_called(address) || address.get("value").is_some_and(is_called);
        let addresses = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        (is_name && is_called(value)) || (is_one_of(&["emails"]) && addresses.iter().any(has_address))
    })
}

/// The names of the attributes that a PATCH or a resource contains. They say nothing about a person.
fn attributes_of(data: &Value) -> Vec<&str> {
    let Some(operations) = data.get("Operations").and_then(Value::as_array) else {
        let named = data.as_object().into_iter().flat_map(|data| data.keys().map(String::as_str));
        return named.filter(|name| !["schemas", "id", "meta"].contains(name)).collect();
    };
    operations.iter().filter_map(|operation| operation.get("path")?.as_str()).collect()
}

/// Changes the result of an operation of a request that was accepted to be run later, or the receipt of one. If it is
/// about the person, it no longer names the client's own id.
pub(super) fn outcome(person: &Person<'_>, mut outcome: Value) -> Fate {
    let Some(before) = outcome.as_object_mut() else { return Fate::Stays };
    let names_it = |name: &str, wanted: &str| before.get(name).and_then(Value::as_str) == Some(wanted);
    let is_about = names_it("resource", person.id) || names_it("uri", &format!("/Users/{}", person.id));
    if !is_about || before.shift_remove("externalId").is_none() {
        return other(person, outcome);
    }
    names(&mut outcome, &|text| person.is_named_in(text));
    Fate::Becomes(outcome)
}

/// Changes any other document: texts that contain a name are replaced.
pub(super) fn other(person: &Person<'_>, document: Value) -> Fate {
    let mut changed = document.clone();
    names(&mut changed, &|text| person.is_named_in(text));
    if changed == document { Fate::Stays } else { Fate::Becomes(changed) }
}

fn fate(before: Map<String, Value>, after: Value) -> Fate {
    if Value::Object(before) == after { Fate::Stays } else { Fate::Becomes(after) }
}

/// Whether the document is about the person.
fn is_subject(person: &Person<'_>, document: &Map<String, Value>) -> bool {
    document.get("subject").and_then(|subject| subject.get("id")?.as_str()) == Some(person.id)
}

/// Changes a credential: if it names a member by a name, the id replaces the name.
fn credential(person: &Person<'_>, credential: Option<&mut Value>) {
    if let Some(credential) = credential
        && credential.as_str().and_then(|text| text.strip_prefix("member ")).is_some_and(|name| person.is_called(name))
    {
        *credential = format!("member {}", person.id).into();
    }
}

/// Replaces the name of a subject if it is one of the person's; the type and the id stay.
fn subject_name(person: &Person<'_>, subject: Option<&mut Value>) {
    if let Some(name) = subject.and_then(|subject| subject.get_mut("name")) {
        names(name, &|text| person.is_named_in(text));
    }
}

fn set_if_text(value: Option<&mut Value>) {
    if let Some(value) = value
        && value.as_str().is_some_and(|text| !text.is_empty())
    {
        *value = ERASED.into();
    }
}

/// Replaces the texts in the value that meet the condition, except ids and words of a fixed list. The parser that has
/// read the JSON bounds its nesting, so this may recurse.
fn names(value: &mut Value, is_such: &dyn Fn(&str) -> bool) {
    match value {
        Value::String(text) if is_such(text) => *value = ERASED.into(),
        Value::Array(values) => values.iter_mut().for_each(|value| names(value, is_such)),
        Value::Object(object) => {
            let texts = object.iter_mut().filter(|(name, _)| !FIXED.contains(&name.as_str()));
            texts.for_each(|(_, value)| names(value, is_such));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::ErasureRecord;

    fn record(names: &[&str]) -> ErasureRecord {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        ErasureRecord { id: "the-id".into(), names, ..ErasureRecord::default() }
    }

    #[test]
    fn p9_only_who_was_called_by_the_name_is_taken_for_the_person() {
        let record = record(&["ann lee", "bob"]);
        let person = Person::of(&record);
        let entry = |credential: &str| json!({"act": "member.add", "credential": credential});
        for credential in ["api-key Ann Lee", "member Ann Lee and others", "Ann Lee", "member"] {
            assert_eq!(audit(&person, entry(credential)), Fate::Stays, "{credential}");
        }
        for credential in ["member ANN Lee", "member bob"] {
            assert_eq!(audit(&person, entry(credential)), Fate::Becomes(entry("member the-id")), "{credential}");
        }
    }

    #[test]
    fn p9_types_ids_and_words_of_a_list_stay_whatever_the_names_are() {
        let record = record(&["owner", "member", "engineering", "users", "manual", "displayname"]);
        let person = Person::of(&record);
        let subject = |name: &str| json!({"type": "member", "id": "owner", "name": name});
        let entry =
            |name: &str| json!({"subject": subject(name), "before": {"role": "owner"}, "after": {"origin": "manual"}});
        assert_eq!(audit(&person, entry("Engineering")), Fate::Becomes(entry(ERASED)));
        let told =
            json!({"subject": subject("Joe"), "data": {"after": {"title": "Head of Engineering", "role": "member"}}});
        assert_eq!(event(&person, told), Fate::Stays);
        let request = json!({"path": "/Users?filter=active", "body": "{\"displayName\":\"Joe\",\"schemas\":[\"users\"]}",
            "subject": {"resourceType": "Group", "id": "x", "name": "Staff"}});
        assert_eq!(log(&person, request), Fate::Stays);
    }

    #[test]
    fn p9_short_names_go_from_paths_subjects_and_bodies_where_they_are_the_whole() {
        let record = record(&["bob"]);
        let person = Person::of(&record);
        let request = |path: &str, body: &str| json!({"path": path, "status": 409, "body": body});
        let gone = [
            (request("/Users/Bob", ""), request("/Users/[erased]", "")),
            (request("/Users?filter=userName+eq+%22bob%22", ""), request("/Users?[erased]", "")),
            (request("/Users", "{\"userName\":\"bob\"}"), request("/Users", ERASED)),
            (request("/Users", "{\"userName\":\"bob\",\"titl"), request("/Users", ERASED)),
        ];
        for (entry, expected) in gone {
            assert_eq!(log(&person, entry), Fate::Becomes(expected));
        }
        for entry in [request("/Bob/joe", ""), request("/Users/bobby", "{\"title\":\"Bob the builder\",\"bob\":1}")] {
            assert_eq!(log(&person, entry), Fate::Stays);
        }
    }
}
