//! The key set of a client: fetched over the host's HTTP client with its egress policy, and kept.
//!
//! A set is fetched again when it is an hour old, so that a key that was taken out of it stops, and when a JWT names a key
//! that is not in it, so that a new one works at once. While it can't be fetched, the one that was kept is used for a day:
//! a key that its owner has withdrawn must stop also where its URL is gone. Whoever sends JWTs with invented names of keys
//! makes this host fetch no more than five times in five minutes.

use insomnia_scim_contract::lasts;

use super::MINUTE;
use super::answer::{Code, OAuthError};
use super::jwks::{self, Algorithm};
use crate::capability::{Host, HttpRequest};
use crate::store::{Batch, ClientRecord, KeyRecord, KeySetRecord, Store, StoreError, Versioned, keys};
use crate::text::cut;

/// How long a set is used without looking whether it has changed, in milliseconds.
const FRESH: u64 = 60 * MINUTE;
/// How long a set is used while it can't be fetched, in milliseconds.
const KEPT: u64 = 24 * FRESH;
/// The time in which attempts to fetch are counted, in milliseconds.
const PERIOD: u64 = 5 * MINUTE;
/// How many attempts there are in that time at the most.
const ATTEMPTS: usize = 5;
/// How long one attempt may take, in milliseconds: a client waits for it.
const LONGEST: u32 = 5_000;
/// How much of a reason is kept, in bytes.
const LONGEST_PROBLEM: usize = 500;

/// The keys by which a JWT with this `kid` and algorithm may be signed; at least one.
///
/// # Errors
/// [`OAuthError`]: there is no such key, or the set could not be fetched yet.
pub(super) fn keys_for(
    host: Host<'_>,
    store: &Store,
    client: &Versioned<ClientRecord>,
    url: &str,
    kid: Option<&str>,
    algorithm: Algorithm,
) -> Result<Vec<KeyRecord>, OAuthError> {
    let id = &client.record.id;
    let (mut seen, mut set) = Versioned::or_default(store.oauth_keys(id)?);
    let now = store.now();
    let found = |set: &KeySetRecord| -> Vec<KeyRecord> {
        jwks::candidates(&set.keys, kid, algorithm).into_iter().cloned().collect()
    };
    let is_fresh = set.fetched.is_some_and(|fetched| lasts(fetched.saturating_add(FRESH), now, FRESH));
    let known = found(&set);
    if is_fresh && !known.is_empty() {
        return Ok(known);
    }
    set.tried.retain(|tried| lasts(tried.saturating_add(PERIOD), now, PERIOD));
    if set.tried.len() < ATTEMPTS {
        // Counted before it is made, so that those who come meanwhile count it too.
        set.tried.push(now);
        seen = put(store, client, seen, &set)?;
        match fetch(host, url) {
            Ok(keys) => set = KeySetRecord { keys, fetched: Some(now), problem: None, tried: set.tried },
            Err(problem) => {
                eprintln!("the key set of the OAuth client {id} can't be fetched: {problem}");
                set.problem = Some(cut(&problem, LONGEST_PROBLEM).to_owned());
            }
        }
        put(store, client, seen, &set)?;
    }
    let is_kept = set.fetched.is_some_and(|fetched| lasts(fetched.saturating_add(KEPT), now, KEPT));
    match found(&set) {
        found if is_kept && !found.is_empty() => Ok(found),
        _ if !is_kept => Err(OAuthError::Unavailable("The key set of the client can not be fetched")),
        _ => {
            Err(OAuthError::Refused(Code::InvalidClient, "The key (kid) of the client assertion is not in the key set"))
        }
    }
}

/// Keeps the set, and returns its new version. Where somebody else was faster, theirs is as good.
fn put(
    store: &Store,
    client: &Versioned<ClientRecord>,
    seen: Option<u64>,
    set: &KeySetRecord,
) -> Result<Option<u64>, StoreError> {
    let mut batch = Batch::new();
    batch.require_unchanged(keys::oauth_client(&client.record.id), Some(client.version));
    batch.put_oauth_keys(&client.record.id, seen, set)?;
    store.commit(batch).map(Some)
}

/// Fetches a set. The text of a failure is for administrators.
fn fetch(host: Host<'_>, url: &str) -> Result<Vec<KeyRecord>, String> {
    let request = HttpRequest {
        method: "GET".into(),
        url: url.to_owned(),
        headers: vec![("accept".into(), "application/jwk-set+json, application/json".into())],
        body: Vec::new(),
        timeout_milliseconds: Some(LONGEST),
    };
    let response = host.http.send(&request).map_err(|error| error.to_string())?;
    if response.status != 200 {
        return Err(format!("HTTP status {}", response.status));
    }
    jwks::parse(&response.body).map_err(str::to_owned)
}
