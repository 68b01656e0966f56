//! The stored asynchronous requests, in the form that an export of the organization's data shows.

use insomnia_scim_contract::{Event, EventPage};
use serde_json::{Value, json};

use crate::protocol::timestamp;
use crate::store::{AcceptedRecord, OperationRecord, OutcomeRecord, Store, StoreError, keys};

/// A page gets no further request once it has this size, in bytes.
const ENOUGH: usize = 2 * 1024 * 1024;

/// A page of the stored asynchronous requests, oldest first: their operations while they wait, and their results for a
/// day.
///
/// # Errors
/// If the store can't answer.
pub fn list_requests(store: &Store, after: Option<&str>, limit: u32) -> Result<EventPage, StoreError> {
    let after = after.filter(|after| keys::is_id(after));
    let limit = usize::try_from(limit.clamp(1, 500)).unwrap_or(1);
    let mut all = store.all_accepted()?.into_iter().filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
    let (mut items, mut size) = (Vec::new(), 0);
    while items.len() < limit && size < ENOUGH {
        let Some((position, record)) = all.next() else { return Ok(EventPage { items, next: None }) };
        let operations = store.accepted_operations(&position)?;
        let outcomes = store.accepted_outcomes(&position, 0, record.operations)?;
        let outcomes = outcomes.into_iter().map(|(_, outcome)| outcome.record).collect();
        let document = document(&position, &record, operations, outcomes).to_string();
        size += document.len();
        items.push(Event { position, document });
    }
    let next = all.next().and(items.last()).map(|last| last.position.clone());
    Ok(EventPage { items, next })
}

/// The form in which a request is shown: without the client's credential.
fn document(
    transaction: &str,
    record: &AcceptedRecord,
    operations: Vec<OperationRecord>,
    outcomes: Vec<OutcomeRecord>,
) -> Value {
    json!({
        "transaction": transaction,
        "requestId": record.request_id,
        "time": timestamp::format(record.accepted),
        "method": record.method,
        "path": record.path,
        "senderAddress": record.sender_address,
        "finished": record.finished.map(timestamp::format),
        "operations": operations,
        "results": outcomes.into_iter().filter_map(|outcome| outcome.result).collect::<Vec<_>>(),
    })
}
