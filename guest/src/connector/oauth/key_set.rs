//! A client's key set: it is fetched with the host's HTTP client and its egress policy, and cached.
//!
//! A set is fetched again in two cases: when it is an hour old, so that a removed key becomes invalid, and when a JWT
//! names a key that is not in it, so that a new key works at once. If it can't be fetched, the cached set is used for a
//! day at most: a key that its owner has withdrawn must become invalid even if the URL no longer works. A client that
//! sends JWTs with invented key names makes this host fetch at most five times in five minutes.

use insomnia_scim_contract::lasts;

use super::MINUTE;
use super::answer::{Code, OAuthError};
use super::jwks::{self, Algorithm};
use crate::capability::{Host, HttpRequest};
use crate::store::{Batch, ClientRecord, KeyRecord, KeySetRecord, Store, StoreError, Versioned, keys};
use crate::text::cut;

/// How long a set is used before it is fetched again, in milliseconds.
const FRESH: u64 = 60 * MINUTE;
/// How long a set is used while it can't be fetched, in milliseconds.
const KEPT: u64 = 24 * FRESH;
/// The time in which attempts to fetch are counted, in milliseconds.
const PERIOD: u64 = 5 * MINUTE;
/// The most attempts in that time.
const ATTEMPTS: usize = 5;
/// How long one attempt may take, in milliseconds: meanwhile the client waits for its answer.
const LONGEST: u32 = 5_000;
/// The longest error text that is stored, in bytes.
const LONGEST_PROBLEM: usize = 500;

/// The keys with which a JWT with this `kid` and algorithm may be signed; at least one.
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
        // The attempt is counted before it is made, so that concurrent requests see it.
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
        _ if !is_kept => Err(OAuthError::Unavailable("The key set of the client can't be fetched")),
        _ => {
            Err(OAuthError::Refused(Code::InvalidClient, "The key (kid) of the client assertion is not in the key set"))
        }
    }
}

/// Stores the set, and returns its new version. If another request has stored one meanwhile, that one is used.
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

/// Fetches a set. The error text is for administrators.
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
