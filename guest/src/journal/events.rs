//! Events, for people who read them and for a subscriber in the host's process (rule P6).

use insomnia_scim_contract::{Event, EventPage};

use crate::store::{Batch, Sink, Store, StoreError, StoredEvent, keys};

/// A page of the stored events, oldest first.
///
/// # Errors
/// If the store can't answer.
pub fn list_events(store: &Store, after: Option<&str>, limit: u32) -> Result<EventPage, StoreError> {
    let after = after.filter(|after| keys::is_position(after));
    let (events, more) = store.events(after, limit.clamp(1, 500))?;
    let next = events.last().filter(|_| more).map(|last| last.position.clone());
    Ok(EventPage { items: events.into_iter().map(event).collect::<Result<_, _>>()?, next })
}

/// Notes whether there is a subscriber in the host's process. If so, events wait from now on for [`take_events`].
///
/// # Errors
/// If the store can't answer.
pub fn note_subscriber(store: &Store, subscriber: bool) -> Result<(), StoreError> {
    if store.settings()?.subscriber == subscriber {
        return Ok(());
    }
    store.change_settings(|settings, batch| {
        settings.subscriber = subscriber;
        if !subscriber {
            store.drop_events(batch, Sink::Subscriber);
        }
        Ok(())
    })
}

/// Events that wait for the subscriber, in the order of their commits. The same events are returned until they are
/// acknowledged.
///
/// # Errors
/// If the store can't answer.
pub fn take_events(store: &Store, limit: u32) -> Result<Vec<Event>, StoreError> {
    let (events, _) = store.due_events(Sink::Subscriber, limit)?;
    let (kept, gone): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| !event.json.is_empty());
    let gone: Vec<String> = gone.into_iter().map(|event| event.position).collect();
    acknowledge_events(store, &gone)?;
    kept.into_iter().map(event).collect()
}

fn event(stored: StoredEvent) -> Result<Event, StoreError> {
    let document = String::from_utf8(stored.json).map_err(|error| StoreError::Broken(error.to_string()))?;
    Ok(Event { position: stored.position, document })
}

/// Notes that the subscriber has received the events at these positions.
///
/// # Errors
/// If the store can't answer.
pub fn acknowledge_events(store: &Store, positions: &[String]) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    for position in positions.iter().filter(|position| keys::is_position(position)) {
        batch.delete(keys::event_due(Sink::Subscriber.as_str(), position));
    }
    if batch.is_empty() { Ok(()) } else { store.commit(batch).map(drop) }
}
