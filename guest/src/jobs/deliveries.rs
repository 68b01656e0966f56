//! Waiting and failed deliveries: people list them, retry them, correct addresses and dismiss them.

use insomnia_scim_contract::{Delivery, DeliveryPage, DeliveryQueue, is_address};
use serde_json::json;
use thiserror::Error;

use crate::capability::{Key, Page, key_after};
use crate::store::{
    Batch, EventSubject, Letter, OutboxRecord, ParkedEvent, Retry, Role, SetRecord, Sink, Store, StoreError,
    StoredEmail, decode, decode_entry, encode, keys,
};
use crate::text::cut;

/// The most parked deliveries that one call sends again.
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
    let after = after.filter(|after| keys::is_position(after) || keys::is_id(after) || place(after).is_some());
    let (deliveries, more) = match queue {
        DeliveryQueue::SetsWaiting | DeliveryQueue::SetsParked => sets(store, queue, after, limit)?,
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
        let last = if is_parked { keys::event_parked(after) } else { keys::event_due(sink, after) };
        range.start = range.start.max(key_after(last));
    }
    let scanned = store.scan_page(Page::first(range, limit))?;
    let mut deliveries = Vec::with_capacity(scanned.entries.len());
    for entry in scanned.entries {
        let Some(id) = keys::position_of(&entry.key) else { continue };
        let error = if is_parked { Some(decode_entry::<ParkedEvent>(&entry)?.record.error) } else { None };
        let created = id.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(0);
        let what = id.get(16..).unwrap_or_default().to_owned();
        deliveries.push(Delivery { id, what, to: None, created, due: None, attempts: 0, error });
    }
    Ok((deliveries, scanned.more))
}

/// The stream and the id of a token, which together are the id of its delivery.
fn place(delivery: &str) -> Option<(&str, &str)> {
    delivery.split_once('/').filter(|(stream, id)| keys::is_id(stream) && keys::is_id(id))
}

fn sets(
    store: &Store,
    queue: DeliveryQueue,
    after: Option<&str>,
    limit: u32,
) -> Result<(Vec<Delivery>, bool), StoreError> {
    let is_parked = queue == DeliveryQueue::SetsParked;
    let (after_stream, after_id) = after.and_then(place).unzip();
    let mut deliveries = Vec::new();
    let mut streams = store.streams()?;
    streams.sort_by(|one, next| one.id.cmp(&next.id));
    for stream in streams {
        let mut range = if is_parked { keys::sets_parked(&stream.id, None) } else { keys::sets_due(&stream.id, None) };
        match (after_stream, after_id) {
            (Some(passed), _) if stream.id.as_str() < passed => continue,
            (Some(passed), Some(id)) if stream.id == passed => {
                let last = if is_parked { keys::set_parked(passed, id) } else { keys::set_due(passed, id) };
                range.start = key_after(last);
            }
            _ => {}
        }
        let left = limit + 1 - u32::try_from(deliveries.len()).unwrap_or(limit);
        let scanned = store.scan_page(Page::first(range, left))?;
        let ids: Vec<String> = scanned.entries.iter().filter_map(|entry| keys::id_of(&entry.key)).collect();
        let wanted: Vec<Key> = ids.iter().map(|id| keys::set(&stream.id, id)).collect();
        let items = if wanted.is_empty() { Vec::new() } else { store.items(&wanted)? };
        for ((id, entry), (key, item)) in ids.into_iter().zip(scanned.entries).zip(wanted.iter().zip(items)) {
            let set = item.map(|item| decode::<SetRecord>(key, &item)).transpose()?;
            deliveries.push(Delivery {
                created: keys::time_of_id(&id).unwrap_or(0),
                id: format!("{}/{id}", stream.id),
                what: set
                    .map_or_else(String::new, |set| set.record.events.keys().cloned().collect::<Vec<_>>().join(" ")),
                to: Some(stream.name.clone()),
                due: None,
                attempts: 0,
                error: if is_parked { Some(decode_entry::<ParkedEvent>(&entry)?.record.error) } else { None },
            });
        }
        if deliveries.len() > limit as usize {
            deliveries.truncate(limit as usize);
            return Ok((deliveries, true));
        }
    }
    Ok((deliveries, false))
}

/// The parked ones among these tokens, or the first parked tokens: the stream and the id of each.
fn parked_sets(store: &Store, ids: &[String]) -> Result<Vec<(String, String)>, StoreError> {
    let streams = store.streams()?;
    let is_known = |stream: &str| streams.iter().any(|known| known.id == stream);
    let all = if ids.is_empty() { sets(store, DeliveryQueue::SetsParked, None, MOST)?.0 } else { Vec::new() };
    let named = ids.iter().map(String::as_str).chain(all.iter().map(|delivery| delivery.id.as_str()));
    let places: Vec<(&str, &str)> =
        named.filter_map(place).filter(|(stream, _)| is_known(stream)).take(MOST as usize).collect();
    let marks: Vec<Key> = places.iter().map(|(stream, id)| keys::set_parked(stream, id)).collect();
    let items = if marks.is_empty() { Vec::new() } else { store.items(&marks)? };
    let found = places.into_iter().zip(items).filter(|(_, item)| item.is_some());
    Ok(found.map(|((stream, id), _)| (stream.to_owned(), id.to_owned())).collect())
}

fn retry_sets(store: &Store, batch: &mut Batch, ids: &[String]) -> Result<u32, StoreError> {
    let (mut count, mut streams) = (0, Vec::new());
    for (stream, id) in parked_sets(store, ids)? {
        batch.require_exists(keys::set_parked(&stream, &id));
        batch.delete(keys::set_parked(&stream, &id));
        batch.put(keys::set_due(&stream, &id), Vec::new());
        if !streams.contains(&stream) {
            streams.push(stream);
        }
        count += 1;
    }
    for stream in store.streams()?.iter().filter(|stream| streams.contains(&stream.id)) {
        store.end_pause(batch, &stream.lease())?;
    }
    Ok(count)
}

/// Sends parked deliveries of a queue again: those with these ids, or as many as fit into one call. Returns how many.
/// An email with an expired link is not sent again.
///
/// # Errors
/// If the store can't answer.
pub fn retry_deliveries(store: &Store, queue: DeliveryQueue, ids: &[String]) -> Result<u32, StoreError> {
    store.transact(|| {
        let mut batch = Batch::new();
        // The person wants the delivery now, so the pause after failures ends.
        let (count, lease) = match queue {
            DeliveryQueue::EmailsParked => (retry_emails(store, &mut batch, ids)?, Some("email")),
            DeliveryQueue::EventsParked => (retry_events(store, &mut batch, ids)?, Some("webhook")),
            DeliveryQueue::SetsParked => (retry_sets(store, &mut batch, ids)?, None),
            DeliveryQueue::EmailsWaiting | DeliveryQueue::EventsWaiting | DeliveryQueue::SetsWaiting => return Ok(0),
        };
        if count > 0 {
            if let Some(lease) = lease {
                store.end_pause(&mut batch, lease)?;
            }
            batch.wake_at(store.now());
            store.commit(batch)?;
        }
        Ok(count)
    })
}

/// Dismisses parked deliveries of a queue for good: those with these ids, or as many as fit into one call. Returns how
/// many.
///
/// # Errors
/// If the store can't answer.
pub fn dismiss_deliveries(store: &Store, queue: DeliveryQueue, ids: &[String]) -> Result<u32, StoreError> {
    store.transact(|| {
        let mut batch = Batch::new();
        let mut count = 0;
        match queue {
            DeliveryQueue::EmailsParked => {
                for stored in store.parked_emails_of(ids, MOST)? {
                    batch.remove(stored.key, Some(stored.version));
                    count += 1;
                }
            }
            DeliveryQueue::EventsParked => {
                for (_, key) in parked_events(store, ids)? {
                    batch.require_exists(key.clone());
                    batch.delete(key);
                    count += 1;
                }
            }
            DeliveryQueue::SetsParked => {
                for (stream, id) in parked_sets(store, ids)? {
                    batch.require_exists(keys::set_parked(&stream, &id));
                    batch.delete(keys::set_parked(&stream, &id));
                    batch.delete(keys::set(&stream, &id));
                    count += 1;
                }
            }
            DeliveryQueue::EmailsWaiting | DeliveryQueue::EventsWaiting | DeliveryQueue::SetsWaiting => return Ok(0),
        }
        if count > 0 {
            store.commit(batch)?;
        }
        Ok(count)
    })
}

/// The reason why an email can't be sent to another address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReaddressError {
    /// No parked email has this id.
    #[error("there is no parked email '{0}'")]
    NotFound(String),
    /// The new address is not valid, or the email can't be sent any more.
    #[error("{0}")]
    Invalid(String),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Retry for ReaddressError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}

/// Sends a parked email to another address, at once. The member's own address does not change.
///
/// # Errors
/// [`ReaddressError`] says why not.
pub fn readdress_email(store: &Store, id: &str, to: &str) -> Result<(), ReaddressError> {
    let to = to.trim();
    if !is_address(to) {
        return Err(ReaddressError::Invalid(format!("'{}' is not an email address", cut(to, 300))));
    }
    store.transact(|| {
        let none = || ReaddressError::NotFound(cut(id, 100).to_owned());
        // Without an id, the call would mean all parked emails.
        let stored = if keys::is_id(id) { store.parked_emails_of(&[id.to_owned()], 1)?.pop() } else { None };
        let stored = stored.ok_or_else(none)?;
        let now = store.now();
        if is_spent(&stored.record.letter, now) {
            return Err(ReaddressError::Invalid("the link in this email has expired: ask for another one".into()));
        }
        if let Some(why) = bound_to_its_address(store, &stored.record.letter)? {
            return Err(ReaddressError::Invalid(why.to_owned()));
        }
        let member = match &stored.record.letter {
            Letter::InitialPassphrase { member, .. } => Some(member.clone()),
            _ => None,
        };
        let before = json!({"to": stored.record.to, "initialPassphraseOf": member});
        let subject = EventSubject { id: Some(id.to_owned()), ..EventSubject::only("email") };
        store.note(subject, Some(before), Some(json!({"to": to})));
        let mut batch = Batch::new();
        send_again(store, &mut batch, stored, Some(to))?;
        store.end_pause(&mut batch, "email")?;
        batch.wake_at(now);
        store.commit(batch)?;
        Ok(())
    })
}

/// The reason why an email must not be sent to another address; `None` if it may. The reader of some emails can act as
/// a member, so a person who may correct addresses could otherwise get more rights.
fn bound_to_its_address(store: &Store, letter: &Letter) -> Result<Option<&'static str>, StoreError> {
    match letter {
        Letter::PassphraseReset { .. } => Ok(Some(
            "a link to choose a passphrase can't be sent to another address: correct the member's address, and ask \
             for another link",
        )),
        Letter::InitialPassphrase { member, .. } => {
            let role = store.member(member)?.map(|member| member.record.role);
            let is_plain = role.is_none_or(|role| role == Role::Member);
            Ok((!is_plain).then_some(
                "the initial passphrase of an owner or co-owner can't be sent to another \
                address",
            ))
        }
        _ => Ok(None),
    }
}

/// Whether the link in the letter has expired.
fn is_spent(letter: &Letter, now: u64) -> bool {
    matches!(letter, Letter::PassphraseReset { expires, .. } if *expires <= now)
}

/// Adds to the batch that a parked email is sent now, to another address if one is given.
fn send_again(store: &Store, batch: &mut Batch, stored: StoredEmail, to: Option<&str>) -> Result<(), StoreError> {
    let now = store.now();
    batch.remove(stored.key, Some(stored.version));
    let mut record = OutboxRecord { since: now, attempts: 0, ..stored.record };
    if let Some(to) = to {
        // The error was about the former address.
        (record.to, record.error) = (to.to_owned(), None);
    }
    batch.put(keys::outbox(now, &record.id), encode(&record)?);
    Ok(())
}

fn retry_emails(store: &Store, batch: &mut Batch, ids: &[String]) -> Result<u32, StoreError> {
    let (now, mut count) = (store.now(), 0);
    for stored in store.parked_emails_of(ids, MOST)? {
        if !is_spent(&stored.record.letter, now) {
            send_again(store, batch, stored, None)?;
            count += 1;
        }
    }
    Ok(count)
}

fn retry_events(store: &Store, batch: &mut Batch, ids: &[String]) -> Result<u32, StoreError> {
    let mut count = 0;
    for (position, key) in parked_events(store, ids)? {
        batch.require_exists(key.clone());
        batch.delete(key);
        batch.put(keys::event_due(Sink::Webhook.as_str(), &position), Vec::new());
        count += 1;
    }
    Ok(count)
}

/// The positions and keys of the parked ones among these events, or of the first parked events.
fn parked_events(store: &Store, ids: &[String]) -> Result<Vec<(String, Key)>, StoreError> {
    let positions: Vec<String> = if ids.is_empty() {
        events(store, DeliveryQueue::EventsParked, None, MOST)?.0.into_iter().map(|delivery| delivery.id).collect()
    } else {
        ids.iter().filter(|id| keys::is_position(id)).take(MOST as usize).cloned().collect()
    };
    let keys: Vec<Key> = positions.iter().map(|position| keys::event_parked(position)).collect();
    let items = if keys.is_empty() { Vec::new() } else { store.items(&keys)? };
    let found = positions.into_iter().zip(keys).zip(items).filter(|(_, item)| item.is_some());
    Ok(found.map(|(found, _)| found).collect())
}
