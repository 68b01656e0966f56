//! The poll endpoint of a stream (RFC 8936): the receiver acknowledges tokens and gets more.

use std::collections::BTreeMap;

use insomnia_scim_contract::{PollRequest, PollResponse, lasts};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq;

use super::keys::{Signer, SignerError};
use super::token::token;
use crate::capability::Host;
use crate::secret::sha256;
use crate::store::{Batch, Store, StoreError, StreamDelivery, StreamRecord, keys};
use crate::text::cut;

/// The largest request, in bytes.
const LARGEST: usize = 64 * 1024;
/// The most tokens in one answer.
const MOST: u32 = 100;
/// An answer gets no further token once it has this size, in bytes.
const ENOUGH: usize = 1024 * 1024;
/// The time of the last poll is written again only after this many milliseconds.
const POLLED_AGAIN: u64 = 60_000;
/// The longest error text of a receiver that is stored, in bytes.
const LONGEST_REFUSAL: usize = 500;

/// The body of a receiver's request (RFC 8936 §2.2). Every member is optional, and unknown ones are ignored.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Poll {
    max_events: Option<u64>,
    return_immediately: bool,
    ack: Vec<String>,
    set_errs: BTreeMap<String, SetError>,
}

/// The reason why a receiver refuses a token.
#[derive(Deserialize)]
struct SetError {
    err: String,
    #[serde(default)]
    description: Option<String>,
}

/// Serves a receiver's request. A caller without a token of the stream always gets the same answer, whether the stream
/// exists or not.
#[must_use]
pub fn poll(host: Host<'_>, request: &PollRequest) -> PollResponse {
    let store = host.store();
    let answered = serve(host, &store, request);
    answered.unwrap_or_else(|error| {
        eprintln!("a receiver could not be answered: {error}");
        let mut response = refusal(503, "unavailable", "tokens can't be delivered for the moment");
        response.headers.push(("retry-after".into(), "5".into()));
        response
    })
}

fn serve(host: Host<'_>, store: &Store, request: &PollRequest) -> Result<PollResponse, SignerError> {
    let Some(stream) = admitted(store, request)? else {
        let mut response = refusal(401, "authentication_failed", "this is not a token of the stream");
        response.headers.push(("www-authenticate".into(), "Bearer realm=\"SCIM events\"".into()));
        return Ok(response);
    };
    if !store.is_enabled()? {
        return Ok(refusal(403, "access_denied", "SCIM is disabled; tokens wait until it is enabled again"));
    }
    let poll = match read(&request.body) {
        Ok(poll) => poll,
        Err(why) => return Ok(refusal(400, "invalid_request", &why)),
    };
    if !request.again {
        store.transact(|| acknowledge(store, &stream, &poll))?;
    }
    let wanted = poll.max_events.map_or(MOST, |most| u32::try_from(most).unwrap_or(MOST).min(MOST));
    let (due, more) = store.due_sets(&stream.id, wanted.max(1))?;
    let mut wait = due.is_empty() && !poll.return_immediately;
    let mut body = match (wanted, due.is_empty()) {
        (0, false) => json!({"sets": {}, "moreAvailable": true}),
        _ => json!({"sets": {}}),
    };
    if wanted > 0 && !due.is_empty() {
        let signer = Signer::open(store, host.secrets)?;
        let (mut sets, mut size, mut gone) = (Map::new(), 0, Batch::new());
        let mut left = more;
        for due in due {
            let Some(set) = &due.record else {
                Store::forget_set(&mut gone, &stream.id, &due.id);
                continue;
            };
            if size > ENOUGH {
                left = true;
                break;
            }
            let Some(token) = token(&stream, &signer, &due, set) else { continue };
            size += token.len();
            sets.insert(due.id, token.into());
        }
        if !gone.is_empty() {
            store.commit(gone)?;
        }
        wait = sets.is_empty() && !left && !poll.return_immediately;
        body = json!({"sets": sets, "moreAvailable": left});
    }
    Ok(PollResponse { wait, ..answer(200, &body) })
}

/// The stream, if the caller has presented its token.
fn admitted(store: &Store, request: &PollRequest) -> Result<Option<StreamRecord>, StoreError> {
    let presented = request.authorization.as_deref().and_then(|field| field.trim().split_once(' '));
    let presented =
        presented.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let (Some(presented), Some(stream)) = (presented, store.stream(&request.stream_id)?) else { return Ok(None) };
    let StreamDelivery::Poll { sha256: expected } = &stream.delivery else { return Ok(None) };
    let is_same = bool::from(sha256(presented).as_bytes().ct_eq(expected.as_bytes()));
    Ok(is_same.then_some(stream))
}

fn read(body: &[u8]) -> Result<Poll, String> {
    if body.len() > LARGEST {
        return Err(format!("the request is larger than {LARGEST} bytes"));
    }
    if body.trim_ascii().is_empty() {
        return Ok(Poll::default());
    }
    // A list must be refused here, because it would be parsed as the members in their order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err("the request is no JSON object".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| format!("the request is not understood: {error}"))
}

/// Deletes the tokens that the receiver has acknowledged, and parks those that it refuses. Tokens that do not wait for
/// this receiver are ignored.
fn acknowledge(store: &Store, stream: &StreamRecord, poll: &Poll) -> Result<(), StoreError> {
    // The stream may have been removed since the caller was authenticated.
    if store.stream(&stream.id)?.is_none() {
        return Ok(());
    }
    let named: Vec<&String> = poll.ack.iter().chain(poll.set_errs.keys()).filter(|id| keys::is_id(id)).collect();
    let marks: Vec<_> = named.iter().map(|id| keys::set_due(&stream.id, id)).collect();
    let items = if marks.is_empty() { Vec::new() } else { store.items(&marks)? };
    let (mut state, seen) = store.stream_state(&stream.id)?;
    let (mut batch, now) = (Batch::new(), store.now());
    for ((id, mark), _) in named.into_iter().zip(marks).zip(items).filter(|(_, item)| item.is_some()) {
        batch.require_exists(mark);
        match poll.set_errs.get(id) {
            Some(refused) => {
                let description = refused.description.as_deref().unwrap_or_default();
                let error = format!("{}: {description}", refused.err);
                let error = cut(error.trim_end_matches([':', ' ']), LONGEST_REFUSAL).to_owned();
                store.park_set(&mut batch, &stream.id, id, error.clone())?;
                state.error = Some(error);
            }
            None => Store::forget_set(&mut batch, &stream.id, id),
        }
    }
    let is_noted = state.last_polled.is_some_and(|last| lasts(last.saturating_add(POLLED_AGAIN), now, POLLED_AGAIN));
    if !is_noted {
        state.last_polled = Some(now);
    }
    if batch.is_empty() && is_noted {
        return Ok(());
    }
    batch.replace(keys::stream(&stream.id), seen, &state)?;
    store.commit(batch).map(drop)
}

fn answer(status: u16, body: &Value) -> PollResponse {
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("cache-control".to_owned(), "no-store".to_owned()),
    ];
    PollResponse { status, headers, body: body.to_string().into_bytes(), wait: false }
}

fn refusal(status: u16, err: &str, description: &str) -> PollResponse {
    let mut response = answer(status, &json!({"err": err, "description": description}));
    response.headers.push(("content-language".to_owned(), "en".to_owned()));
    response
}
