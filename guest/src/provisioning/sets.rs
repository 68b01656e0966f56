//! Builds the SCIM events about members and teams for event streams (RFC 9967 §2). They are made in the commit of the
//! change and signed when they are delivered.
//!
//! A receiver may only learn what it could read by SCIM. An event therefore reports the difference between what SCIM
//! shows before and after the change. A full event of a change is a PATCH that turns the old representation into the
//! new one.

use insomnia_scim_contract::{EventDetail, StreamEvent};
use serde_json::{Map, Value, json};

use crate::protocol::document::Document;
use crate::protocol::projection::Projection;
use crate::protocol::schema::{INSOMNIA_USER, SchemaTable};
use crate::protocol::timestamp;
use crate::store::{
    Batch, MOST_IDS, MemberRecord, Moves, Origin, SetRecord, Store, StoreError, StreamRecord, TeamRecord, event_name,
};

/// The most bytes that the payloads of full events may take in one commit, for all streams together; beyond it, notices
/// report the change. This keeps the commit of a deactivation so small that the storage never refuses it.
const LARGEST_SUM: usize = 32 * 1024;
/// The schema of a PATCH (RFC 7644 §3.5.2).
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// Attributes that are skipped: they are not the resource's own, or never change.
const PASSED_OVER: [&str; 3] = ["schemas", "id", "meta"];

/// An event in its full form and as a notice.
struct Told {
    event: StreamEvent,
    notice: Value,
    /// The payload of the full form and its size as JSON, in bytes; `None` if there is only a notice.
    full: Option<(Value, usize)>,
}

impl Told {
    fn without_payload(event: StreamEvent) -> Self {
        Self { event, notice: json!({}), full: None }
    }

    fn with(event: StreamEvent, attributes: Vec<String>, data: Option<Value>) -> Self {
        let full = data.map(|data| {
            let payload = json!({ "data": data });
            let size = serde_json::to_vec(&payload).map_or(usize::MAX, |json| json.len());
            (payload, size)
        });
        Self { event, notice: json!({ "attributes": attributes }), full }
    }

    /// The event in the form that this stream wants: the end of its URI, and its payload. `left` is how many bytes full
    /// events of the commit may still take.
    fn for_stream(&self, stream: &StreamRecord, left: &mut usize) -> Option<(String, Value)> {
        if !stream.events.contains(&self.event) {
            return None;
        }
        let full = self.full.as_ref().filter(|_| stream.detail == EventDetail::Full);
        let (detail, payload) = match full.map(|(full, size)| (full, left.checked_sub(*size))) {
            Some((full, Some(rest))) => {
                *left = rest;
                (EventDetail::Full, full)
            }
            _ => (EventDetail::Notice, &self.notice),
        };
        Some((event_name(self.event, detail), payload.clone()))
    }
}

/// Adds to the batch the stream events for a member who is created, changed or deleted.
pub(super) fn member(
    store: &Store,
    batch: &mut Batch,
    lists_manual: bool,
    old: Option<&MemberRecord>,
    new: Option<&MemberRecord>,
) -> Result<(), StoreError> {
    let streams = store.streams()?;
    let Some(shown) = new.or(old).filter(|_| !streams.is_empty()) else { return Ok(()) };
    let table = store.schema_table()?;
    let is_listed = |member: &&MemberRecord| lists_manual || member.origin == Origin::Scim;
    let (before, after) = (old.map(|old| member_shown(old, &table)), new.map(|new| member_shown(new, &table)));
    let changes = differences(before.as_ref(), after.as_ref());
    let returned = || after.clone().and_then(|after| returned(after, &table, "User"));
    let mut told = Vec::with_capacity(2);
    match (old.filter(is_listed), new.filter(is_listed)) {
        (None, Some(_)) if old.is_none() => {
            told.push(Told::with(StreamEvent::Create, names(&changes), returned()));
        }
        (None, Some(_)) => told.extend(joined(names(&changes))),
        (Some(_), None) if new.is_none() => told.push(Told::without_payload(StreamEvent::Delete)),
        (Some(_), Some(_)) if changes.is_empty() => {}
        (Some(_), Some(_)) if store.is_replacing() => {
            told.push(Told::with(StreamEvent::Put, names(&changes), returned()));
        }
        (Some(_), Some(_)) => {
            let data = patch(operations(&changes));
            told.push(Told::with(StreamEvent::Patch, names(&changes), Some(data)));
        }
        (_, None) => {}
    }
    if let (Some(old), Some(new)) = (old, new.filter(is_listed)) {
        match (old.is_active(), new.is_active()) {
            (true, false) => told.push(Told::without_payload(StreamEvent::Deactivate)),
            (false, true) => told.push(Told::without_payload(StreamEvent::Activate)),
            _ => {}
        }
    }
    let external_id = shown.document.get("externalId").and_then(Value::as_str);
    add(store, batch, &streams, &format!("/Users/{}", shown.id()), external_id, &told)
}

/// Adds to the batch the stream events for a team that is created, changed or deleted, and for members who join or
/// leave it.
///
/// A change is always reported as a PATCH, whatever the request was: a replacement of a large group changes few of its
/// members (RFC 9967 §2.4).
pub(super) fn team(
    store: &Store,
    batch: &mut Batch,
    old: Option<&TeamRecord>,
    new: Option<&TeamRecord>,
    moves: &Moves,
) -> Result<(), StoreError> {
    let streams = store.streams()?;
    let Some(shown) = new.or(old).filter(|_| !streams.is_empty()) else { return Ok(()) };
    let table = store.schema_table()?;
    let lists_manual = store.organization()?.is_some_and(|stored| stored.record.options.list_manual);
    let is_listed = |team: &&TeamRecord| lists_manual || team.origin == Origin::Scim;
    let (before, after) = (old.map(|old| team_shown(old, &table)), new.map(|new| team_shown(new, &table)));
    let changes = differences(before.as_ref(), after.as_ref());
    let mut attributes = names(&changes);
    if moves.any() {
        attributes.push("members".to_owned());
    }
    let is_bounded = moves.added.len().max(moves.removed.len()) <= MOST_IDS;
    let mut told = Vec::with_capacity(2);
    match (old.filter(is_listed), new.filter(is_listed)) {
        (None, Some(_)) if old.is_none() => {
            let returned = after.filter(|_| is_bounded).and_then(|after| returned(after, &table, "Group"));
            let whole = returned.map(|group| with_members(group, &moves.added));
            told.push(Told::with(StreamEvent::Create, attributes, whole));
        }
        (None, Some(_)) => told.extend(joined(attributes)),
        (Some(_), None) if new.is_none() => told.push(Told::without_payload(StreamEvent::Delete)),
        (Some(_), Some(_)) if !attributes.is_empty() => {
            let data = is_bounded.then(|| patch(operations(&changes).into_iter().chain(memberships(moves)).collect()));
            told.push(Told::with(StreamEvent::Patch, attributes, data));
        }
        _ => {}
    }
    let external_id = shown.document.get("externalId").and_then(Value::as_str);
    add(store, batch, &streams, &format!("/Groups/{}", shown.id()), external_id, &told)
}

/// The receiver does not know the former state of a resource that becomes visible to it, so the event tells it to read
/// the resource.
fn joined(attributes: Vec<String>) -> [Told; 2] {
    [Told::without_payload(StreamEvent::FeedAdd), Told::with(StreamEvent::Patch, attributes, None)]
}

fn add(
    store: &Store,
    batch: &mut Batch,
    streams: &[StreamRecord],
    uri: &str,
    external_id: Option<&str>,
    told: &[Told],
) -> Result<(), StoreError> {
    let mut left = LARGEST_SUM;
    for stream in streams {
        let events: Vec<(String, Value)> = told.iter().filter_map(|told| told.for_stream(stream, &mut left)).collect();
        let at_once = if stream.single_events { 1 } else { events.len().max(1) };
        for events in events.chunks(at_once) {
            let set = SetRecord {
                txn: store.transaction_id(),
                time: store.now(),
                uri: uri.to_owned(),
                external_id: external_id.map(str::to_owned),
                traceparent: store.traceparent(),
                events: events.iter().cloned().collect(),
            };
            store.add_set(batch, stream, &set)?;
        }
    }
    Ok(())
}

/// A member as SCIM shows it, without `groups`, and without the parts of `meta` that depend on the receiver's URL or on
/// the commit.
fn member_shown(member: &MemberRecord, table: &SchemaTable) -> Document {
    let mut document = member.document.clone();
    if let Some(Value::Array(schemas)) = document.get_mut("schemas")
        && !schemas.iter().any(|urn| urn == INSOMNIA_USER)
    {
        schemas.push(INSOMNIA_USER.into());
    }
    let extension = document.entry(INSOMNIA_USER).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(extension) = extension {
        extension.insert("origin".into(), member.origin.name().into());
        extension.insert("role".into(), member.role.name().into());
        extension.insert("licensed".into(), member.is_active().into());
    }
    shown(document, table, "User", member.created, member.modified)
}

/// A team as SCIM shows it, without `members`.
fn team_shown(team: &TeamRecord, table: &SchemaTable) -> Document {
    shown(team.document.clone(), table, "Group", team.created, team.modified)
}

fn shown(mut document: Document, table: &SchemaTable, kind: &str, created: u64, modified: u64) -> Document {
    table.take_hidden(&mut document);
    // No document has a password. This line makes sure that a token has none either if that ever changes.
    document.shift_remove("password");
    let meta = json!({
        "resourceType": kind, "created": timestamp::format(created), "lastModified": timestamp::format(modified),
    });
    document.insert("meta".into(), meta);
    document
}

/// The attributes that SCIM returns by default.
fn returned(document: Document, table: &SchemaTable, kind: &str) -> Option<Value> {
    let schema = table.resource(kind)?;
    Some(Value::Object(Projection::default().plan(&schema).apply(document)))
}

/// A new team with its members. Their `$ref` begins with the issuer, which is only known when the token is signed.
fn with_members(mut team: Value, members: &[String]) -> Value {
    if let Value::Object(team) = &mut team
        && !members.is_empty()
    {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id, "type": "User"})).collect();
        let meta = team.shift_remove("meta");
        team.insert("members".into(), members.into());
        team.extend(meta.map(|meta| ("meta".to_owned(), meta)));
    }
    team
}

/// An attribute whose value differs.
struct Difference {
    /// The attribute's path in a PATCH.
    path: String,
    is_new: bool,
    /// The new value; `None` if the attribute was removed.
    value: Option<Value>,
}

/// The attributes that differ, including sub-attributes of complex attributes and attributes of extensions.
fn differences(before: Option<&Document>, after: Option<&Document>) -> Vec<Difference> {
    let empty = Document::new();
    let (before, after) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
    let mut found = Vec::new();
    each_difference(before, after, |name, old, new| {
        if PASSED_OVER.contains(&name) {
            return;
        }
        let is_extension = name.contains(':');
        let (old_parts, new_parts) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
        if is_extension || (old_parts.is_some() && new_parts.is_some()) {
            let separator = if is_extension { ':' } else { '.' };
            each_difference(old_parts.unwrap_or(&empty), new_parts.unwrap_or(&empty), |part, old, new| {
                found.push(Difference::new(format!("{name}{separator}{part}"), old, new));
            });
        } else {
            found.push(Difference::new(name.to_owned(), old, new));
        }
    });
    found
}

/// Calls `each` for every name whose values differ: first those of `before` in their order, then the new ones.
fn each_difference(before: &Document, after: &Document, mut each: impl FnMut(&str, Option<&Value>, Option<&Value>)) {
    for (name, old) in before {
        let new = after.get(name);
        if new != Some(old) {
            each(name, Some(old), new);
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        each(name, None, Some(new));
    }
}

impl Difference {
    fn new(path: String, old: Option<&Value>, new: Option<&Value>) -> Self {
        Self { path, is_new: old.is_none(), value: new.cloned() }
    }
}

fn names(differences: &[Difference]) -> Vec<String> {
    differences.iter().map(|difference| difference.path.clone()).collect()
}

fn operations(differences: &[Difference]) -> Vec<Value> {
    let operation = |Difference { path, is_new, value }: &Difference| match value {
        Some(value) if *is_new => json!({"op": "add", "path": path, "value": value}),
        Some(value) => json!({"op": "replace", "path": path, "value": value}),
        None => json!({"op": "remove", "path": path}),
    };
    differences.iter().map(operation).collect()
}

/// The PATCH operations for members who joined or left. Ids need no escaping.
fn memberships(moves: &Moves) -> Vec<Value> {
    let mut operations = Vec::with_capacity(1 + moves.removed.len());
    if !moves.added.is_empty() {
        let added: Vec<Value> = moves.added.iter().map(|id| json!({"value": id, "type": "User"})).collect();
        operations.push(json!({"op": "add", "path": "members", "value": added}));
    }
    let gone = |id: &String| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
    operations.extend(moves.removed.iter().map(gone));
    operations
}

fn patch(operations: Vec<Value>) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": operations})
}
