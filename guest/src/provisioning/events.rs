//! Builds the events of members, teams and the connector. Each is written in the commit of the change that it reports
//! (rule P6).

use std::iter;

use serde_json::{Map, Value, json};

use crate::protocol::document::Document;
use crate::protocol::schema::SchemaTable;
use crate::protocol::timestamp;
use crate::store::{
    Batch, ConnectorRecord, EventKind, EventSubject, MOST_IDS, MemberRecord, Moves, Origin, Store, StoreError,
    TeamRecord,
};

/// The largest `data` of an event, in bytes. The event of a larger change only names what changed.
const LARGEST: usize = 64 * 1024;

/// Adds to the batch the events of a member who is created, changed or deleted.
pub(super) fn member(
    store: &Store,
    batch: &mut Batch,
    old: Option<&MemberRecord>,
    new: Option<&MemberRecord>,
) -> Result<(), StoreError> {
    let Some(shown) = new.or(old) else { return Ok(()) };
    let mut kinds = Vec::with_capacity(2);
    match (old, new) {
        (None, _) => kinds.push(EventKind::MemberCreated),
        (_, None) => kinds.push(EventKind::MemberDeleted),
        (Some(old), Some(new)) => {
            if (old.origin, new.origin) == (Origin::Manual, Origin::Scim) {
                kinds.push(EventKind::MemberAdopted);
            }
            match (old.is_active(), new.is_active()) {
                (true, false) => kinds.push(EventKind::MemberDeactivated),
                (false, true) => kinds.push(EventKind::MemberReactivated),
                _ if kinds.is_empty() => kinds.push(EventKind::MemberUpdated),
                _ => {}
            }
        }
    }
    let table = store.schema_table()?;
    let data = |member: &MemberRecord| member_data(member, &table);
    let data = changes(old.map(data), new.map(data));
    let copies = iter::repeat_n(data, kinds.len());
    for (kind, data) in kinds.into_iter().zip(copies) {
        let (id, name) = (Some(shown.id().to_owned()), Some(shown.display_name()));
        store.add_event(batch, kind, EventSubject { kind: "member".into(), id, name }, data)?;
    }
    Ok(())
}

/// Adds to the batch the event of a team that is created, changed or deleted.
pub(super) fn team(
    store: &Store,
    batch: &mut Batch,
    old: Option<&TeamRecord>,
    new: Option<&TeamRecord>,
) -> Result<(), StoreError> {
    let Some(shown) = new.or(old) else { return Ok(()) };
    let kind = match (old, new) {
        (None, _) => EventKind::TeamCreated,
        (_, None) => EventKind::TeamDeleted,
        _ => EventKind::TeamUpdated,
    };
    let table = store.schema_table()?;
    let data = |team: &TeamRecord| {
        let mut data = team.document.clone();
        table.take_hidden(&mut data);
        data.insert("origin".into(), team.origin.name().into());
        data
    };
    let data = changes(old.map(data), new.map(data));
    store.add_event(batch, kind, team_subject(shown), data)
}

/// Adds to the batch the event of members who joined or left a team, if there are any.
pub(super) fn membership(store: &Store, batch: &mut Batch, team: &TeamRecord, moves: &Moves) -> Result<(), StoreError> {
    if !moves.any() {
        return Ok(());
    }
    let Moves { added, removed, .. } = moves;
    let some = |ids: &[String]| ids.iter().take(MOST_IDS).cloned().collect::<Vec<_>>();
    let data = json!({
        "added": some(added),
        "addedCount": added.len(),
        "removed": some(removed),
        "removedCount": removed.len(),
    });
    store.add_event(batch, EventKind::TeamMembershipChanged, team_subject(team), data)
}

/// Adds to the batch the event of a connector that is replaced by this one: SCIM was enabled or disabled, or there is a
/// new token. The batch requires that the stored connector has not changed.
///
/// # Errors
/// If the storage can't answer.
pub(crate) fn connector(store: &Store, batch: &mut Batch, record: &ConnectorRecord) -> Result<(), StoreError> {
    let old = store.connector()?.map(|stored| stored.record).unwrap_or_default();
    let generation = |record: &ConnectorRecord| record.token.as_ref().map_or(0, |token| token.generation);
    let provider = json!({"identityProvider": record.identity_provider});
    match (old.enabled, record.enabled) {
        (false, true) => {
            store.add_event(batch, EventKind::ConnectorEnabled, EventSubject::only("connector"), provider)?;
        }
        (true, false) => {
            store.add_event(batch, EventKind::ConnectorDisabled, EventSubject::only("connector"), provider)?;
        }
        (true, true) if generation(&old) != generation(record) => {
            let expires = record.token.as_ref().and_then(|token| token.expires).map(timestamp::format);
            let subject = EventSubject::token(generation(record));
            store.add_event(batch, EventKind::TokenRefreshed, subject, json!({"expires": expires}))?;
        }
        _ => {}
    }
    Ok(())
}

fn team_subject(team: &TeamRecord) -> EventSubject {
    let (id, name) = (Some(team.id().to_owned()), Some(team.display_name().to_owned()));
    EventSubject { kind: "team".into(), id, name }
}

fn member_data(member: &MemberRecord, table: &SchemaTable) -> Document {
    let mut data = member.document.clone();
    table.take_hidden(&mut data);
    // No document has a password. This line makes sure that an event has none either if that ever changes.
    data.shift_remove("password");
    data.insert("active".into(), member.is_active().into());
    data.insert("origin".into(), member.origin.name().into());
    data.insert("role".into(), member.role.name().into());
    data
}

/// `before` and `after` of the attributes that differ; only their names if the change is large.
fn changes(old: Option<Document>, new: Option<Document>) -> Value {
    let (before, after) = match (old, new) {
        (Some(mut before), Some(mut after)) => {
            before.retain(|name, value| match after.get(name) {
                Some(same) if same == value => {
                    after.shift_remove(name);
                    false
                }
                _ => true,
            });
            (Some(before), Some(after))
        }
        whole => whole,
    };
    let mut data = Map::new();
    data.extend(before.map(|before| ("before".to_owned(), Value::Object(before))));
    data.extend(after.map(|after| ("after".to_owned(), Value::Object(after))));
    let data = Value::Object(data);
    // Most values are so far below the limit that they need not be encoded to know their size.
    if most(&data) <= LARGEST || serde_json::to_vec(&data).is_ok_and(|json| json.len() <= LARGEST) {
        return data;
    }
    let parts = data.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    let mut names: Vec<&String> = parts.flat_map(Map::keys).collect();
    names.sort_unstable();
    names.dedup();
    json!({ "changed": names })
}

/// An upper bound for the size of the value as JSON, in bytes: each byte of a text may become six bytes when it is
/// escaped. The parser that has read the value bounds its nesting.
fn most(value: &Value) -> usize {
    let text = |text: &str| 6 * text.len() + 2;
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 32,
        Value::String(string) => text(string),
        Value::Array(values) => 2 + values.iter().map(|value| 1 + most(value)).sum::<usize>(),
        Value::Object(object) => 2 + object.iter().map(|(name, value)| text(name) + 2 + most(value)).sum::<usize>(),
    }
}
