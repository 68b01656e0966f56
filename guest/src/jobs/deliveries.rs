//! What waits to be delivered and what could not be: seen, and tried again, by people.

use insomnia_scim_contract::{Delivery, DeliveryPage, DeliveryQueue};

use crate::capability::Page;
use crate::store::{
    Batch, Letter, OutboxRecord, ParkedEvent, Sink, Store, StoreError, StoredEmail, decode, encode, keys,
};

/// How many parked deliveries one call sends again at the most.
const MOST: u32 = 500;

/// A page of a queue.
///
/// # Errors
/// If the store can't answer.
pub fn list_deliveries(
    store: &Store,
    queue: DeliveryQueue,
    after: Option<&str>,
    limit: u32,
) -> Result<DeliveryPage, StoreError> {
    let limit = limit.clamp(1, 500);
    let after = after.filter(|after| keys::is_position(after) || keys::is_id(after));
    let (deliveries, more) = match queue {
        DeliveryQueue::EmailsWaiting => {
            let (emails, more) = store.outbox(None, after, limit)?;
            (emails.into_iter().map(email).collect::<Vec<_>>(), more)
        }
        DeliveryQueue::EmailsParked => {
            let (emails, more) = store.parked_emails(after, limit)?;
            (emails.into_iter().map(email).collect(), more)
        }
        DeliveryQueue::EventsWaiting | DeliveryQueue::EventsParked => events(store, queue, after, limit)?,
    };
    let next = deliveries.last().filter(|_| more).map(|last| last.id.clone());
    Ok(DeliveryPage { items: deliveries, next })
}

fn email(stored: StoredEmail) -> Delivery {
    let due = keys::time_of(&stored.key, "outbox/");
    let OutboxRecord { letter, to, created, attempts, error, .. } = stored.record;
    let id = keys::position_of(&stored.key).unwrap_or_default();
    Delivery { id, what: letter.name().to_owned(), to: Some(to), created, due, attempts, error }
}

fn events(
    store: &Store,
    queue: DeliveryQueue,
    after: Option<&str>,
    limit: u32,
) -> Result<(Vec<Delivery>, bool), StoreError> {
    let is_parked = queue == DeliveryQueue::EventsParked;
    let sink = Sink::Webhook.as_str();
    let mut range = if is_parked { keys::events_parked(None) } else { store.waiting(Sink::Webhook)? };
    if let Some(after) = after {
        let mut start = if is_parked { keys::event_parked(after) } else { keys::event_due(sink, after) };
        start.push(0);
        range.start = range.start.max(start);
    }
    let scanned = store.scan_page(Page { range, reverse: false, skip: 0, limit })?;
    let mut deliveries = Vec::with_capacity(scanned.entries.len());
    for entry in scanned.entries {
        let Some(id) = keys::position_of(&entry.key) else { continue };
        let item = crate::capability::Item { value: entry.value, version: entry.version };
        let error = if is_parked { Some(decode::<ParkedEvent>(&entry.key, &item)?.record.error) } else { None };
        let created = id.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        let what = id.get(16..).unwrap_or_default().to_owned();
        deliveries.push(Delivery { id, what, to: None, created, due: None, attempts: 0, error });
    }
    Ok((deliveries, scanned.more))
}

/// Sends parked emails or events again: these, or as many as fit into one call. Returns how many; a link that has
/// expired is left alone.
///
/// # Errors
/// If the store can't answer.
pub fn retry_deliveries(store: &Store, queue: DeliveryQueue, ids: &[String]) -> Result<u32, StoreError> {
    store.transact(|| {
        let mut batch = Batch::new();
        let (count, lease) = match queue {
            DeliveryQueue::EmailsParked => (retry_emails(store, &mut batch, ids)?, "email"),
            DeliveryQueue::EventsParked => (retry_events(store, &mut batch, ids)?, "webhook"),
            DeliveryQueue::EmailsWaiting | DeliveryQueue::EventsWaiting => return Ok(0),
        };
        if count > 0 {
            // Whoever asks wants it now, not after the pause that failures have brought.
            store.end_pause(&mut batch, lease)?;
            batch.wake_at(store.now());
            store.commit(batch)?;
        }
        Ok(count)
    })
}

fn retry_emails(store: &Store, batch: &mut Batch, ids: &[String]) -> Result<u32, StoreError> {
    let (now, mut count) = (store.now(), 0);
    for stored in store.parked_emails_of(ids, MOST)? {
        if matches!(stored.record.letter, Letter::PassphraseReset { expires, .. } if expires <= now) {
            continue;
        }
        batch.require_unchanged(stored.key.clone(), Some(stored.version));
        batch.delete(stored.key.clone());
        let key = keys::outbox(now, &stored.record.id);
        batch.put(key, encode(&OutboxRecord { since: now, attempts: 0, ..stored.record })?);
        count += 1;
    }
    Ok(count)
}

fn retry_events(store: &Store, batch: &mut Batch, ids: &[String]) -> Result<u32, StoreError> {
    let positions: Vec<String> = if ids.is_empty() {
        events(store, DeliveryQueue::EventsParked, None, MOST)?.0.into_iter().map(|delivery| delivery.id).collect()
    } else {
        ids.iter().filter(|id| keys::is_position(id)).take(MOST as usize).cloned().collect()
    };
    let parked: Vec<_> = positions.iter().map(|position| keys::event_parked(position)).collect();
    let items = if parked.is_empty() { Vec::new() } else { store.items(&parked)? };
    let mut count = 0;
    for ((position, key), _) in positions.iter().zip(parked).zip(items).filter(|(_, item)| item.is_some()) {
        batch.require_exists(key.clone());
        batch.delete(key);
        batch.put(keys::event_due(Sink::Webhook.as_str(), position), Vec::new());
        count += 1;
    }
    Ok(count)
}
