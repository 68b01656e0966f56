//! Pushes Security Event Tokens to the receivers of event streams (RFC 8935): in the order of their commits, at least
//! once.
//!
//! A token is delivered if the receiver answers 202 or any other 2xx. A token that the receiver calls malformed, or
//! that is too large for it, is parked at once, since another try can't help. After every other error the token is
//! tried again, since people may correct the cause, and the tokens behind it wait.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Budget;
use super::email::shortened;
use super::schedule::{DOWNTIME, WEBHOOK};
use super::webhook::{asked_wait, is_email_due};
use crate::capability::{Host, HttpRequest, HttpResponse};
use crate::store::{
    Batch, DueSet, Lease, Sink, Store, StoreError, StreamDelivery, StreamRecord, StreamStateRecord, keys,
};
use crate::streams::{Signer, SignerError, token};

/// The most tokens of a stream that one run examines.
const MOST: u32 = 100;
/// How long one push may take, in milliseconds.
const LONGEST: u32 = 15_000;
/// How long the lease of a stream lasts unless the host renews it, in milliseconds.
const LEASE: u64 = LONGEST as u64 + 5_000;
/// How long pushes pause while SCIM is disabled, in milliseconds.
const DISABLED: u64 = 60 * 60 * 1_000;
/// The error code of a receiver that can't understand a token and never will (RFC 8935 §2.4).
const MALFORMED: &str = "invalid_request";
/// The longest error body that is read, in bytes.
const LARGEST_REFUSAL: usize = 16 * 1024;

/// The result of a push.
enum Outcome {
    Taken,
    /// The receiver calls the token malformed.
    Malformed(String),
    Failed {
        error: String,
        /// How long the receiver asks to wait, in milliseconds.
        wait: u64,
    },
}

impl Outcome {
    fn failed(error: impl Into<String>) -> Self {
        Self::Failed { error: error.into(), wait: 0 }
    }
}

/// Pushes the tokens that are due; returns when to try next.
pub(super) fn run(host: Host<'_>, store: &Store<'_>, budget: &Budget<'_>) -> Result<Option<u64>, StoreError> {
    let mut streams: Vec<StreamRecord> = store.streams()?.into_iter().filter(StreamRecord::is_pushed).collect();
    if streams.is_empty() {
        return Ok(None);
    }
    // A receiver that hangs uses up the time of those behind it, so a random one is the first each time.
    let [turn] = store.random::<1>();
    let first = usize::from(turn) % streams.len();
    streams.rotate_left(first);
    let mut next = None;
    if !store.is_enabled()? {
        for stream in &streams {
            if store.is_set_due(&stream.id)? {
                next = Some(host.clock.now().saturating_add(DISABLED));
            }
        }
        return Ok(next);
    }
    for stream in streams {
        next = [next, push_due(host, store, budget, &stream)?].into_iter().flatten().min();
    }
    Ok(next)
}

/// Pushes the due tokens of one stream.
fn push_due(
    host: Host<'_>,
    store: &Store<'_>,
    budget: &Budget<'_>,
    stream: &StreamRecord,
) -> Result<Option<u64>, StoreError> {
    if !store.is_set_due(&stream.id)? {
        return Ok(None);
    }
    let now = host.clock.now();
    if budget.is_spent(host) || (budget.is_turn_over(host) && do_others_wait(store, now)?) {
        return Ok(Some(now));
    }
    let mut lease = match store.take_lease(&stream.lease(), now, LEASE)? {
        Ok(lease) => lease,
        Err(at) => return Ok(Some(at)),
    };
    // The stream may have been removed while another receiver was pushed to.
    if store.read_streams()?.iter().all(|left| left.id != stream.id) {
        store.release_lease(&lease, 0, 0)?;
        return Ok(None);
    }
    let (stored, seen) = store.stream_state(&stream.id)?;
    let mut state = stored.clone();
    // As with the webhook, a downtime of the hosts does not count towards the three days.
    if state.failing_since.is_some() && lease.planned() > 0 {
        state.downtime += now.saturating_sub(lease.planned().saturating_add(DOWNTIME));
    }
    let Some(round) = push_some(host, store, budget, stream, &state, &mut lease)? else { return Ok(Some(now)) };
    if !round.has_tried() {
        // This says nothing about the receiver, so the state of its deliveries stays.
        store.release_lease(&lease, 0, lease.failures())?;
        return Ok(Some(now));
    }
    let failures = if round.failure.is_some() { lease.failures().saturating_add(1) } else { 0 };
    let pause = match &round.failure {
        Some((_, wait)) => host.clock.now() + WEBHOOK.pause(store, failures).max(*wait),
        None => 0,
    };
    let state = after(state, &round, now);
    // If the stream was removed meanwhile, nothing about it must be written.
    if state != stored && store.read_streams()?.iter().any(|left| left.id == stream.id) {
        store.note_stream(&stream.id, seen, &state, Batch::new())?;
    }
    if !store.release_lease(&lease, pause, failures)? {
        return Ok(Some(now));
    }
    Ok(store.is_set_due(&stream.id)?.then_some(pause.max(now)))
}

/// The result of a round of pushes.
#[derive(Default)]
struct Round {
    has_taken: bool,
    /// The receiver's answer about a token that it calls malformed.
    refusal: Option<String>,
    /// The reason why the round ended, and how long the receiver asks to wait.
    failure: Option<(String, u64)>,
}

impl Round {
    fn has_tried(&self) -> bool {
        self.has_taken || self.refusal.is_some() || self.failure.is_some()
    }
}

/// Whether an email or an event waits for its own delivery.
fn do_others_wait(store: &Store, now: u64) -> Result<bool, StoreError> {
    Ok(is_email_due(store, now)? || store.is_event_due(Sink::Webhook)?)
}

/// Pushes a part of the due tokens, until one fails. `None` if another host has taken the lease meanwhile.
fn push_some(
    host: Host<'_>,
    store: &Store<'_>,
    budget: &Budget<'_>,
    stream: &StreamRecord,
    state: &StreamStateRecord,
    lease: &mut Lease,
) -> Result<Option<Round>, StoreError> {
    let (due, _) = store.due_sets(&stream.id, MOST)?;
    let sender = Sender::open(host, store, stream)?;
    let mut round = Round::default();
    for (index, set) in due.iter().enumerate() {
        let now = host.clock.now();
        if budget.is_spent(host) || (budget.is_turn_over(host) && do_others_wait(store, now)?) {
            break;
        }
        if !store.renew_lease(lease, now, now + u64::from(LONGEST))? {
            return Ok(None);
        }
        let outcome = match &sender {
            Ok(sender) => sender.push(host, stream, set),
            Err(error) => Outcome::failed(error.as_str()),
        };
        let mut batch = Batch::new();
        match outcome {
            Outcome::Taken => {
                round.has_taken = true;
                Store::forget_set(&mut batch, &stream.id, &set.id);
            }
            Outcome::Malformed(why) => {
                store.park_set(&mut batch, &stream.id, &set.id, shortened(&why))?;
                round.refusal = Some(why);
            }
            Outcome::Failed { error, wait } => {
                let end = host.clock.now();
                if !store.renew_lease(lease, end, end)? {
                    return Ok(None);
                }
                let tried_for = now.saturating_sub(state.downtime);
                if state.failing_since.is_some_and(|since| since.saturating_add(WEBHOOK.given_up_after) <= tried_for) {
                    park_old(store, stream, due.get(index..).unwrap_or_default(), &error, tried_for)?;
                }
                round.failure = Some((error, wait));
                break;
            }
        }
        // This is committed at once: if the call ends here, only this token is pushed again.
        store.commit(batch)?;
    }
    Ok(Some(round))
}

/// Parks tokens that have waited for three days in which the hosts were up.
fn park_old(
    store: &Store,
    stream: &StreamRecord,
    due: &[DueSet],
    error: &str,
    tried_for: u64,
) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    for set in due {
        let time = keys::time_of_id(&set.id).unwrap_or(0);
        if time.saturating_add(WEBHOOK.given_up_after) <= tried_for {
            store.park_set(&mut batch, &stream.id, &set.id, shortened(error))?;
        }
    }
    if batch.is_empty() { Ok(()) } else { store.commit(batch).map(drop) }
}

/// The state of a stream's deliveries after a round.
fn after(mut state: StreamStateRecord, round: &Round, now: u64) -> StreamStateRecord {
    match &round.failure {
        Some((error, _)) => {
            state.works_since = None;
            state.failing_since = Some(state.failing_since.unwrap_or(now).min(now));
            state.error = Some(shortened(error));
        }
        None => {
            let has_worked = round.has_taken.then_some(now);
            state.works_since = state.works_since.or(has_worked);
            (state.failing_since, state.downtime) = (None, 0);
            state.error = round.refusal.as_deref().map(shortened);
        }
    }
    state
}

/// The values that are the same for all tokens of a stream.
struct Sender {
    signer: Signer,
    url: String,
    authorization: Option<String>,
}

impl Sender {
    /// Decrypts the secrets of the stream; the inner error says why they can't be decrypted.
    fn open(host: Host<'_>, store: &Store, stream: &StreamRecord) -> Result<Result<Self, String>, StoreError> {
        let StreamDelivery::Push { url, authorization } = &stream.delivery else {
            return Ok(Err("the receiver polls".to_owned()));
        };
        let signer = match Signer::open(store, host.secrets) {
            Ok(signer) => signer,
            Err(SignerError::Store(error)) => return Err(error),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let opened = |sealed: &String| {
            let sealed = STANDARD.decode(sealed).map_err(|error| error.to_string())?;
            let plain = host.secrets.open(&sealed).map_err(|error| error.to_string())?;
            String::from_utf8(plain).map_err(|error| error.to_string())
        };
        let authorization = authorization.as_ref().map(opened).transpose();
        Ok(authorization.map(|authorization| Self { signer, url: url.clone(), authorization }))
    }

    fn push(&self, host: Host<'_>, stream: &StreamRecord, due: &DueSet) -> Outcome {
        // A token that is older than its retention is empty and counts as delivered.
        let Some(set) = &due.record else { return Outcome::Taken };
        let Some(token) = token(stream, &self.signer, due, set) else { return Outcome::failed("it can't be signed") };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut headers = vec![
            header("content-type", "application/secevent+jwt"),
            header("accept", "application/json"),
            header("accept-language", "en"),
            header("user-agent", concat!("insomnia-scim/", env!("CARGO_PKG_VERSION"))),
        ];
        headers.extend(self.authorization.as_deref().map(|value| header("authorization", value)));
        headers.extend(set.traceparent.as_deref().map(|value| header("traceparent", value)));
        let request = HttpRequest {
            method: "POST".into(),
            url: self.url.clone(),
            headers,
            body: token.into_bytes(),
            timeout_milliseconds: Some(LONGEST),
        };
        match host.http.send(&request) {
            Ok(response) => outcome(&response, host.clock.now()),
            Err(error) => Outcome::failed(error.to_string()),
        }
    }
}

/// The receiver's error answer (RFC 8935 §2.3).
#[derive(Deserialize)]
struct Refusal {
    err: String,
    #[serde(default)]
    description: String,
}

fn outcome(response: &HttpResponse, now: u64) -> Outcome {
    match response.status {
        200..300 => return Outcome::Taken,
        400 => {}
        413 => return Outcome::Malformed("HTTP status 413: the token is too large for the receiver".to_owned()),
        status => {
            let hint = if (300..400).contains(&status) { " (redirects are not followed)" } else { "" };
            return Outcome::Failed { error: format!("HTTP status {status}{hint}"), wait: asked_wait(response, now) };
        }
    }
    let body = response.body.get(..LARGEST_REFUSAL).unwrap_or(&response.body);
    match serde_json::from_slice::<Refusal>(body) {
        Ok(Refusal { err, description }) => {
            let error = format!("{err}: {description}");
            let error = error.trim_end_matches([':', ' ']).to_owned();
            if err == MALFORMED { Outcome::Malformed(error) } else { Outcome::failed(error) }
        }
        Err(_) => Outcome::failed("HTTP status 400"),
    }
}
