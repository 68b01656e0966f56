//! Delivers events to the webhook: in the order of their commits, at least once, in the form of Standard Webhooks 1.0.
//!
//! An event is delivered if the answer is any 2xx; any other answer is a failure, even 3xx. 410 switches the webhook
//! off.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use insomnia_scim_contract::lasts;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;

use super::Budget;
use super::email::shortened;
use super::schedule::{DOWNTIME, LONGEST_PAUSE, WEBHOOK};
use crate::capability::{Host, HttpRequest, HttpResponse};
use crate::journal::BOTH_SIGN;
use crate::protocol::timestamp;
use crate::retry_after::retry_after;
use crate::store::{
    Actor, Batch, Cause, Lease, ParkedEvent, Sink, Store, StoreError, StoredEvent, Versioned, WebhookRecord, encode,
    keys,
};

/// The most events that one run examines.
const MOST: u32 = 100;
/// How long the lease of the webhook lasts unless the host renews it, in milliseconds. If a host is killed while
/// delivering, no other host delivers for this time.
const LEASE: u64 = LONGEST as u64 + 5_000;
/// How long one delivery may take, in milliseconds. Standard Webhooks recommends 15 to 30 seconds.
const LONGEST: u32 = 15_000;
/// The longest wait that the receiver can ask for, in milliseconds.
const LONGEST_WAIT: u64 = 60 * 60 * 1_000;

/// The error text of a webhook that is switched off.
const GONE: &str =
    "HTTP status 410: the receiver wants no more events, so the webhook is switched off until it is set again";

/// The reason why a delivery has failed.
struct Failure {
    error: String,
    /// How long the receiver asks to wait, in milliseconds.
    wait: u64,
    /// The receiver wants no more events.
    gone: bool,
}

impl Failure {
    fn new(error: impl Into<String>) -> Self {
        Self { error: error.into(), wait: 0, gone: false }
    }
}

/// Delivers the events that are due; returns when to try next.
pub(super) fn run(host: Host<'_>, store: &Store<'_>, budget: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    if !store.is_event_due(Sink::Webhook)? {
        return Ok(None);
    }
    let Some(webhook) = store.webhook()? else {
        // These events were written while the webhook was being removed: the next run deletes them.
        let mut batch = Batch::new();
        store.drop_events(&mut batch, Sink::Webhook);
        return store.commit(batch).map(|_| Some(store.now() + 1));
    };
    let now = host.clock.now();
    if budget.is_spent(host) {
        return Ok(Some(now));
    }
    let mut lease = match store.take_lease("webhook", now, LEASE)? {
        Ok(lease) => lease,
        // The holder of the lease will say when to try next. This is the time to check in case that host is killed.
        Err(at) => return Ok(Some(at)),
    };
    if webhook.record.gone {
        let (events, _) = store.due_events(Sink::Webhook, MOST)?;
        let error = webhook.record.error.as_deref().unwrap_or_default();
        park(store, &events, error, host.clock.now())?;
        store.release_lease(&lease, 0, 0)?;
        return Ok(store.is_event_due(Sink::Webhook)?.then_some(now));
    }
    let was_down = webhook.record.failing_since.is_some() && lease.planned() > 0;
    let late = if was_down { now.saturating_sub(lease.planned().saturating_add(DOWNTIME)) } else { 0 };
    let downtime = webhook.record.downtime + late;
    let (failure, taken) = match deliver_due(host, store, &webhook, downtime, &mut lease, budget)? {
        Round::Ended(failure, taken) => (failure, taken),
        // The webhook was set again meanwhile, so the failure says nothing about the new one.
        Round::Overtaken => return Ok(Some(now)),
    };
    if failure.as_ref().is_some_and(|failure| failure.gone) {
        switch_off(store, &webhook)?;
        store.release_lease(&lease, 0, 0)?;
        return Ok(Some(now));
    }
    note(store, webhook, failure.as_ref(), taken, downtime, now)?;
    let failures = if failure.is_some() { lease.failures().saturating_add(1) } else { 0 };
    let pause = match failure {
        Some(failure) => host.clock.now() + WEBHOOK.pause(store, failures).max(failure.wait),
        None => 0,
    };
    if !store.release_lease(&lease, pause, failures)? {
        return Ok(Some(now));
    }
    Ok(store.is_event_due(Sink::Webhook)?.then_some(pause.max(now)))
}

/// The result of a round of deliveries.
enum Round {
    /// The round has ended, with a failure or without. The flag says whether the receiver accepted an event.
    Ended(Option<Failure>, bool),
    /// Another host has taken the lease meanwhile, or the webhook was set again.
    Overtaken,
}

/// Delivers a part of the due events, until one fails: later events must not overtake it.
fn deliver_due(
    host: Host<'_>,
    store: &Store<'_>,
    webhook: &Versioned<WebhookRecord>,
    downtime: u64,
    lease: &mut Lease,
    budget: &Budget<'_>,
) -> Result<Round, StoreError> {
    let (events, _) = store.due_events(Sink::Webhook, MOST)?;
    let keys = signing_keys(host, &webhook.record);
    let mut taken = false;
    for (index, event) in events.iter().enumerate() {
        let now = host.clock.now();
        if budget.is_spent(host) || (budget.is_turn_over(host) && is_email_due(store, now)?) {
            break;
        }
        if !store.renew_lease(lease, now, now + u64::from(LONGEST))? {
            return Ok(Round::Overtaken);
        }
        // An event that is older than its retention is empty.
        let result = match &keys {
            Ok(keys) if !event.json.is_empty() => {
                let posted = deliver(host, &webhook.record.url, keys, event.id(), &event.json);
                taken |= posted.is_ok();
                posted
            }
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::new(error)),
        };
        match result {
            // This is committed at once: if the call ends here, only this event is delivered again.
            Ok(()) => mark(store, &event.position)?,
            Err(failure) => {
                let end = host.clock.now();
                if !store.renew_lease(lease, end, end)? {
                    return Ok(Round::Overtaken);
                }
                // A downtime of the hosts does not count: it is the webhook that must fail for this long.
                let tried_for = now.saturating_sub(downtime);
                if webhook
                    .record
                    .failing_since
                    .is_some_and(|since| since.saturating_add(WEBHOOK.given_up_after) <= tried_for)
                {
                    park_old(store, events.get(index..).unwrap_or_default(), &failure.error, now, downtime)?;
                }
                return Ok(Round::Ended(Some(failure), taken));
            }
        }
    }
    Ok(Round::Ended(None, taken))
}

/// Posts one signed event of the type `webhook.test`, and notes the result on the webhook. Nothing happens if there is
/// no webhook.
///
/// # Errors
/// If the store can't answer.
pub fn test_webhook(host: Host<'_>, store: &Store<'_>) -> Result<(), StoreError> {
    let Some(webhook) = store.webhook()? else { return Ok(()) };
    let now = host.clock.now();
    let id = store.new_id();
    // The event reports no change, so it is not stored. It has the form of all events, so that the receiver treats it
    // like them.
    let event = json!({
        "id": id, "type": "webhook.test", "time": timestamp::format(now), "subject": { "type": "webhook" },
        "actor": Actor::Admin, "data": {},
    });
    let result = match signing_keys(host, &webhook.record) {
        Ok(keys) => deliver(host, &webhook.record.url, &keys, &id, event.to_string().as_bytes()),
        Err(error) => Err(Failure::new(error)),
    };
    match result {
        Err(Failure { gone: true, .. }) => switch_off(store, &webhook),
        result => note(store, webhook, result.as_ref().err(), result.is_ok(), 0, now),
    }
}

/// Whether an email waits. If so, it is sent before the next event.
pub(super) fn is_email_due(store: &Store, now: u64) -> Result<bool, StoreError> {
    Ok(store.next_email(now, LONGEST_PAUSE)?.is_some_and(|due| due <= now))
}

/// The key, and the previous one as long as it also signs.
fn signing_keys(host: Host<'_>, webhook: &WebhookRecord) -> Result<Vec<Vec<u8>>, String> {
    let open = |secret: &str| {
        let sealed = STANDARD.decode(secret).map_err(|error| error.to_string())?;
        host.secrets.open(&sealed).map_err(|error| error.to_string())
    };
    let mut keys = vec![open(&webhook.secret)?];
    // A previous key that can't be decrypted any more is useless, and the new one is enough.
    let previous = webhook.previous.as_ref().filter(|previous| lasts(previous.until, host.clock.now(), BOTH_SIGN));
    keys.extend(previous.and_then(|previous| open(&previous.secret).ok()));
    Ok(keys)
}

/// The part of an event that names its trace.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Traced {
    cause: Option<Cause>,
}

/// Posts one event; any 2xx means success. The `traceparent` of the request that caused the event is sent with it.
fn deliver(host: Host<'_>, url: &str, keys: &[Vec<u8>], id: &str, json: &[u8]) -> Result<(), Failure> {
    let timestamp = (host.clock.now() / 1_000).to_string();
    let signatures: Vec<String> = keys.iter().map(|key| signature(key, id, &timestamp, json)).collect();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![
        header("content-type", "application/json"),
        header("user-agent", concat!("insomnia-scim/", env!("CARGO_PKG_VERSION"))),
        header("webhook-id", id),
        header("webhook-timestamp", &timestamp),
        header("webhook-signature", &signatures.join(" ")),
    ];
    let cause = serde_json::from_slice::<Traced>(json).ok().and_then(|event| event.cause);
    let traceparent = cause.and_then(|cause| cause.traceparent);
    headers.extend(traceparent.map(|value| header("traceparent", &value)));
    let request = HttpRequest {
        method: "POST".into(),
        url: url.to_owned(),
        headers,
        body: json.to_vec(),
        timeout_milliseconds: Some(LONGEST),
    };
    match host.http.send(&request) {
        Ok(response) if (200..300).contains(&response.status) => Ok(()),
        Ok(response) if response.status == 410 => Err(Failure { gone: true, ..Failure::new(GONE) }),
        Ok(response) => {
            let wait = asked_wait(&response, host.clock.now());
            let hint = if (300..400).contains(&response.status) { " (redirects are not followed)" } else { "" };
            Err(Failure { wait, ..Failure::new(format!("HTTP status {}{hint}", response.status)) })
        }
        Err(error) => Err(Failure::new(error.to_string())),
    }
}

/// The signature: `v1,` and the HMAC-SHA256 of id, time and body, in base64.
pub(super) fn signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    // HMAC accepts a key of any length, so this can't fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// How long the receiver asks to wait, in milliseconds.
pub(super) fn asked_wait(response: &HttpResponse, now: u64) -> u64 {
    retry_after(response, now).unwrap_or(0).min(LONGEST_WAIT)
}

/// Switches the webhook off: until it is set again, no event is posted and none is parked.
fn switch_off(store: &Store, webhook: &Versioned<WebhookRecord>) -> Result<(), StoreError> {
    store.change_settings(|settings, batch| {
        // The webhook was set again meanwhile, so the answer was about the former one.
        let Some(current) = store.webhook()?.filter(|current| current.version == webhook.version) else {
            return Ok(());
        };
        settings.webhook = false;
        let failing_since = Some(current.record.failing_since.unwrap_or(store.now()));
        let record = WebhookRecord {
            gone: true,
            works_since: None,
            failing_since,
            error: Some(GONE.to_owned()),
            ..current.record
        };
        batch.replace(keys::WEBHOOK.to_vec(), Some(current.version), &record)?;
        Ok(())
    })
}

fn mark(store: &Store, position: &str) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.delete(keys::event_due(Sink::Webhook.as_str(), position));
    store.commit(batch).map(drop)
}

/// Parks events that have waited for three days in which the hosts were up.
fn park_old(store: &Store, events: &[StoredEvent], error: &str, now: u64, downtime: u64) -> Result<(), StoreError> {
    let old = events
        .iter()
        .filter(|event| event.time().saturating_add(WEBHOOK.given_up_after).saturating_add(downtime) <= now);
    park(store, old, error, now)
}

fn park<'e>(
    store: &Store,
    events: impl IntoIterator<Item = &'e StoredEvent>,
    error: &str,
    now: u64,
) -> Result<(), StoreError> {
    let parked = encode(&ParkedEvent { error: shortened(error), parked: now })?;
    let mut batch = Batch::new();
    for event in events {
        batch.delete(keys::event_due(Sink::Webhook.as_str(), &event.position));
        batch.put(keys::event_parked(&event.position), parked.clone());
    }
    if batch.is_empty() { Ok(()) } else { store.commit(batch).map(drop) }
}

/// Notes the state of the deliveries on the webhook if it has changed.
fn note(
    store: &Store,
    webhook: Versioned<WebhookRecord>,
    failure: Option<&Failure>,
    taken: bool,
    downtime: u64,
    now: u64,
) -> Result<(), StoreError> {
    let works_since = match failure {
        Some(_) => None,
        None => webhook.record.works_since.or(taken.then_some(now)),
    };
    let failing_since = failure.map(|_| webhook.record.failing_since.unwrap_or(now).min(now));
    let error = failure.map(|failure| shortened(&failure.error));
    let downtime = failure.map_or(0, |_| downtime);
    let WebhookRecord { works_since: works, failing_since: since, error: before, downtime: counted, .. } =
        &webhook.record;
    if (works_since, failing_since, &error, downtime) == (*works, *since, before, *counted) {
        return Ok(());
    }
    let record = WebhookRecord { works_since, failing_since, error, downtime, ..webhook.record };
    store.note_webhook(webhook.version, &record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        // The example of the reference libraries of Standard Webhooks.
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
