//! What the events of members, teams and the connector say; they are written in the commit of the change that they tell of
//! (rule P6).

use serde_json::{Map, Value, json};

use crate::protocol::document::Document;
use crate::protocol::schema::SchemaTable;
use crate::protocol::timestamp;
use crate::store::{
    Batch, ConnectorRecord, EventKind, EventSubject, MOST_IDS, MemberRecord, Moves, Origin, Store, StoreError,
    TeamRecord,
};

/// The largest `data` of an event, in bytes; of a larger change it names what changed only.
const LARGEST: usize = 64 * 1024;

/// Adds to the batch the events of a member who comes, changes, or goes.
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
    for kind in kinds {
        let (id, name) = (Some(shown.id().to_owned()), Some(shown.display_name()));
        store.add_event(batch, kind, EventSubject { kind: "member".into(), id, name }, data.clone())?;
    }
    Ok(())
}

/// Adds to the batch the event of a team that comes, changes, or goes.
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

/// Adds to the batch the event of members who came to a team or left it; none if nobody did.
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

/// Adds to the batch the event of a connector that is replaced by this one: that SCIM is enabled or disabled, or that there
/// is a new token. The batch requires the connector unchanged.
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
    // No document has a password; an event must not have one should that ever change.
    data.shift_remove("password");
    data.insert("active".into(), member.is_active().into());
    data.insert("origin".into(), member.origin.name().into());
    data.insert("role".into(), member.role.name().into());
    data
}

/// `before` and `after` of what differs; of a large change the names of what differs.
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
    // Most are far below it, which shows without encoding them.
    if most(&data) <= LARGEST || serde_json::to_vec(&data).is_ok_and(|json| json.len() <= LARGEST) {
        return data;
    }
    let parts = data.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    let mut names: Vec<&String> = parts.flat_map(Map::keys).collect();
    names.sort_unstable();
    names.dedup();
    json!({ "changed": names })
}

/// How many bytes the value has as JSON at the most: a byte of a text becomes six where it is escaped. Nesting is bounded by
/// the parser that has read it.
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
