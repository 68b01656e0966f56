//! The automatic token refresh in the identity provider (rule P2): a new token is installed by the provider's own API.
//!
//! It has two phases, so that a sync is never interrupted. The new token is accepted beside the old one as soon as it
//! exists, and is then installed. A request that uses it proves that the provider has it. Only then the old token ends,
//! ten minutes later. Every step is a commit of the documents `connector` and `refresh`, and a running step is
//! protected by a lease. For this reason two hosts never install at the same time, and after a crash between any two
//! steps the next run continues:
//!
//! | state | next step |
//! |---|---|
//! | nothing is pending, and a refresh is due | [`run_due`] makes a token, encrypts it, and commits both: `pending` |
//! | `pending` | a lease is committed; the API is called; its answer is committed: `installed`, or when to try again |
//! | `installed` | a request uses the token ([`arrived`]): it becomes the current one |
//! | `installed`, but no request used it | the same token is installed again, and the status says so |
//!
//! The encrypted token is kept until a request has used it, because until then it may have to be installed again.
//! Another token in its place could lock out a provider that has installed this one but had nothing to sync yet.

mod arrival;
mod attempt;
mod configure;
mod entra;
mod okta;
mod outcome;
mod schedule;
mod status;
#[cfg(test)]
mod tests;

pub use arrival::arrived;
pub use configure::{configure, refresh_now, remove};
pub use insomnia_scim_contract::{RefreshMethod, RefreshState, RefreshStatus};
pub use status::{status, will_refresh};

use insomnia_scim_contract::{IdpApiStatus, lasts};

use super::oauth;
use crate::capability::Host;
use crate::store::{Actor, Batch, Store, StoreError};
use attempt::{begin, give_up_waiting, install};

const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// How many steps one call makes at the most.
const STEPS: u32 = 4;
/// How long an attempt may be under way, in milliseconds: longer than a call of the component may take.
const LEASE: u64 = 2 * MINUTE;
/// How long the old token is accepted after the new one was verified, in milliseconds: for requests under way.
const OVERLAP: u64 = 10 * MINUTE;

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Something has changed: decide again.
    Again,
    /// Nothing is to be done before this time, in milliseconds since the Unix epoch; `None` if nothing is planned.
    Wait(Option<u64>),
}

/// Does the due steps of the refresh, with at most one call to the provider's API; returns when it must be called next,
/// in milliseconds since the Unix epoch. Once a day it also deletes expired OAuth tokens.
///
/// # Errors
/// If the store can't answer; steps that were committed stay done.
pub fn run_due(host: Host<'_>) -> Result<Option<u64>, StoreError> {
    let sweep = sweep(&host.store())?;
    for _ in 0..STEPS {
        match step(host) {
            Ok(Step::Wait(next)) => return Ok([next, sweep].into_iter().flatten().min()),
            // Another host has made a step meanwhile: read the state again and decide.
            Ok(Step::Again) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(host.clock.now()))
}

fn step(host: Host<'_>) -> Result<Step, StoreError> {
    let store = host.store();
    store.act_as(Actor::System);
    let view = store.refresh_view()?;
    let now = store.now();
    let Some(token) = view.connector.token.as_ref().filter(|_| view.connector.enabled) else {
        if view.refresh.pending.is_none() {
            return Ok(Step::Wait(None));
        }
        let mut refresh = view.refresh;
        refresh.pending = None;
        let mut batch = Batch::new();
        batch.put_refresh(view.refresh_seen, &refresh)?;
        store.commit(batch)?;
        return Ok(Step::Wait(None));
    };
    let Some(api) = &view.api else { return Ok(Step::Wait(None)) };
    let Some(pending) = view.pending().filter(|pending| !pending.sealed.is_empty()) else {
        let due = if view.refresh.forced { 0 } else { schedule::due(token, view.connector.window) };
        if now < due {
            return Ok(Step::Wait(Some(due.max(view.refresh.retry_at))));
        }
        if lasts(view.refresh.retry_at, now, DAY) {
            return Ok(Step::Wait(Some(view.refresh.retry_at)));
        }
        begin(host, &store, view)?;
        return Ok(Step::Again);
    };
    if lasts(pending.leased_until, now, LEASE) {
        return Ok(Step::Wait(Some(pending.leased_until)));
    }
    if let Some(installed) = pending.installed {
        let deadline = installed + patience(&api.api);
        if lasts(deadline, now, patience(&api.api)) {
            return Ok(Step::Wait(Some(deadline)));
        }
        give_up_waiting(host, &store, view)?;
        return Ok(Step::Again);
    }
    // Nothing is delayed for longer than a day, so a time further ahead was set by a wrong clock.
    if lasts(view.refresh.retry_at, now, DAY) {
        return Ok(Step::Wait(Some(view.refresh.retry_at)));
    }
    install(host, &store, view)?;
    Ok(Step::Again)
}

/// How long the provider may take until it first uses a new token, in milliseconds.
fn patience(api: &IdpApiStatus) -> u64 {
    match api {
        // Entra syncs every 40 minutes; a cycle can take hours.
        IdpApiStatus::Entra(_) => 6 * HOUR,
        // Okta tests the connection when it is activated, and later only sends requests if there is something to
        // change.
        IdpApiStatus::Okta(_) => DAY,
    }
}

/// Deletes expired OAuth tokens once a day; returns when to do so again, if there are any clients.
fn sweep(store: &Store) -> Result<Option<u64>, StoreError> {
    let (now, swept) = (store.now(), store.oauth_swept()?.unwrap_or(0));
    if !lasts(swept.saturating_add(DAY), now, DAY) {
        oauth::sweep(store)?;
        store.note_oauth_swept()?;
        return Ok(Some(now + DAY));
    }
    Ok(Some(swept + DAY))
}
