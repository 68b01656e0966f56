//! Adds, lists and removes event streams, and gives them new tokens.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::{EventStream, IssuedEventStream, NewEventStream, StreamEvent};
use serde_json::{Value, json};

use super::error::{MOST, StreamError};
use super::keys::make_first;
use crate::capability::Secrets;
use crate::secret::Token;
use crate::store::{EventSubject, Store, StoreError, StreamDelivery, StreamRecord, keys};
use crate::url;

/// The prefix of the token of a receiver that polls.
pub(super) const PREFIX: &str = "insm_events_";
/// The longest name, audience and `Authorization` header field, in bytes.
const LONGEST_NAME: usize = 200;
const LONGEST_AUDIENCE: usize = 500;
const LONGEST_AUTHORIZATION: usize = 4_096;

/// All streams, in the order in which they were added.
///
/// # Errors
/// If the store can't answer.
pub fn list(store: &Store) -> Result<Vec<EventStream>, StoreError> {
    store.streams()?.into_iter().map(|stream| shown(store, stream)).collect()
}

/// Adds a stream, which carries the events from now on. The token of a receiver that polls is shown only once.
///
/// # Errors
/// [`StreamError`] says why not.
pub fn add(
    store: &Store,
    secrets: &dyn Secrets,
    new: NewEventStream,
    connector_url: &str,
) -> Result<IssuedEventStream, StreamError> {
    check(&new)?;
    if store.streams()?.len() >= MOST {
        return Err(StreamError::TooMany);
    }
    let authorization = new.authorization.as_deref().map(|text| secrets.seal(text.as_bytes())).transpose()?;
    let token = new.push_url.is_none().then(|| Token::of_kind(PREFIX, store.random()));
    let delivery = match (new.push_url, &token) {
        (Some(url), _) => {
            StreamDelivery::Push { url, authorization: authorization.map(|sealed| STANDARD.encode(sealed)) }
        }
        (None, token) => StreamDelivery::Poll { sha256: token.as_ref().map(Token::sha256).unwrap_or_default() },
    };
    make_first(store, secrets)?;
    let chosen = |event: &&StreamEvent| new.events.is_empty() || new.events.contains(event);
    let stream = StreamRecord {
        id: store.new_id(),
        name: new.name.trim().to_owned(),
        audience: new.audience.trim().to_owned(),
        issuer: connector_url.trim_end_matches('/').to_owned(),
        events: StreamEvent::ALL.iter().filter(chosen).copied().collect(),
        detail: new.detail,
        single_events: new.single_events,
        delivery,
        created: store.now(),
    };
    store.note(subject(&stream), None, Some(told(&stream)));
    store.change_settings(|settings, _| {
        if settings.streams.len() >= MOST {
            return Err(StreamError::TooMany);
        }
        settings.streams.push(stream.clone());
        Ok(())
    })?;
    Ok(IssuedEventStream { event_stream: shown(store, stream)?, token: token.map(Token::reveal) })
}

/// Removes a stream, and drops its waiting tokens.
///
/// # Errors
/// [`StreamError::NotFound`] if there is none.
pub fn remove(store: &Store, id: &str) -> Result<(), StreamError> {
    let stream = existing(store, id)?;
    store.note(subject(&stream), Some(told(&stream)), None);
    store.change_settings(|settings, batch| {
        settings.streams.retain(|stream| stream.id != id);
        store.drop_stream(batch, id);
        Ok(())
    })
}

/// Gives a new token to a stream whose receiver polls. The old token becomes invalid at once.
///
/// # Errors
/// [`StreamError::NotFound`] if there is no stream with this id; [`StreamError::Invalid`] if its tokens are pushed.
pub fn rotate_token(store: &Store, id: &str) -> Result<IssuedEventStream, StreamError> {
    let stream = existing(store, id)?;
    if stream.is_pushed() {
        return Err(StreamError::Invalid("tokens of this stream are pushed: its receiver needs no token".to_owned()));
    }
    let token = Token::of_kind(PREFIX, store.random());
    let delivery = StreamDelivery::Poll { sha256: token.sha256() };
    store.note(subject(&stream), None, None);
    store.change_settings::<StreamError>(|settings, _| {
        for stream in settings.streams.iter_mut().filter(|stream| stream.id == id) {
            stream.delivery = delivery.clone();
        }
        Ok(())
    })?;
    Ok(IssuedEventStream { event_stream: shown(store, stream)?, token: Some(token.reveal()) })
}

fn existing(store: &Store, id: &str) -> Result<StreamRecord, StreamError> {
    store.stream(id)?.ok_or_else(|| StreamError::NotFound(format!("stream '{}'", crate::text::cut(id, 100))))
}

fn check(new: &NewEventStream) -> Result<(), StreamError> {
    let invalid = |text: &str| Err(StreamError::Invalid(text.to_owned()));
    let is_text = |text: &str, longest: usize| {
        !text.trim().is_empty() && text.len() <= longest && !text.chars().any(char::is_control)
    };
    if !is_text(&new.name, LONGEST_NAME) {
        return invalid("the name of a stream has 1 to 200 bytes");
    }
    if !is_text(&new.audience, LONGEST_AUDIENCE) {
        return invalid("the audience of a stream has 1 to 500 bytes");
    }
    if new.push_url.as_deref().is_some_and(|url| !url::is_linkable(url)) {
        return invalid("the address of a receiver is an http or https URL");
    }
    if new.push_url.as_deref().is_some_and(|url| url::split(url).0.contains('@')) {
        return invalid(
            "the address of a receiver has no user name or password: send them as the Authorization header field",
        );
    }
    if new.events.len() > StreamEvent::ALL.len() {
        return invalid("a stream can have each kind of event only once");
    }
    match &new.authorization {
        Some(_) if new.push_url.is_none() => invalid("an Authorization header field is sent with pushes only"),
        Some(text)
            if !is_text(text, LONGEST_AUTHORIZATION) || !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) =>
        {
            invalid("the Authorization header field is 1 to 4,096 printable ASCII characters")
        }
        _ => Ok(()),
    }
}

fn shown(store: &Store, stream: StreamRecord) -> Result<EventStream, StoreError> {
    let (state, _) = store.stream_state(&stream.id)?;
    let below = |what: &str| format!("{}/streams/{}/{what}", stream.issuer, stream.id);
    Ok(EventStream {
        event_uris: stream.event_uris(),
        poll_url: (!stream.is_pushed()).then(|| below("poll")),
        jwks_url: below("jwks"),
        waiting: store.counted_sets(keys::sets_due(&stream.id, None))?,
        parked: store.counted_sets(keys::sets_parked(&stream.id, None))?,
        push_url: match stream.delivery {
            StreamDelivery::Push { url, .. } => Some(url),
            StreamDelivery::Poll { .. } => None,
        },
        id: stream.id,
        name: stream.name,
        audience: stream.audience,
        issuer: stream.issuer,
        events: stream.events,
        detail: stream.detail,
        single_events: stream.single_events,
        created: stream.created,
        works_since: state.works_since,
        failing_since: state.failing_since,
        last_polled: state.last_polled,
        error: state.error,
    })
}

/// The subject of an act on this stream, for the audit trail.
fn subject(stream: &StreamRecord) -> EventSubject {
    let (id, name) = (Some(stream.id.clone()), Some(stream.name.clone()));
    EventSubject { id, name, ..EventSubject::only("stream") }
}

/// The stream for the audit trail. Of a URL it only has the scheme and the host, since the rest may contain a secret.
fn told(stream: &StreamRecord) -> Value {
    let push = match &stream.delivery {
        StreamDelivery::Push { url, .. } => {
            let (origin, _) = url::split(url);
            let (scheme, authority) = origin.split_once("://").unwrap_or(("", origin));
            let host = authority.split(['?', '#', '\\']).next().unwrap_or_default().rsplit('@').next();
            Some(format!("{scheme}://{}", host.unwrap_or_default()))
        }
        StreamDelivery::Poll { .. } => None,
    };
    json!({
        "audience": stream.audience,
        "events": stream.events,
        "detail": stream.detail,
        "singleEvents": stream.single_events,
        "pushedTo": push,
    })
}
