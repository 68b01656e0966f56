//! Makes a new token, installs it in the identity provider, and records the result.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insomnia_scim_contract::{EntraApiStatus, IdpApiStatus, OktaApiStatus};

use super::arrival::promote;
use super::entra::Entra;
use super::okta::{Okta, OktaSecret};
use super::outcome::Failure;
use super::{LEASE, schedule};
use crate::capability::{Host, SecretsError};
use crate::connector::Window;
use crate::connector::token::expires;
use crate::secret::Token;
use crate::store::{
    Actor, Batch, IdpApiRecord, Pending, Problem, RefreshRecord, RefreshView, Store, StoreError, TokenRecord, Trouble,
};

/// Makes a token that is accepted beside the current one.
pub(super) fn begin(host: Host<'_>, store: &Store, view: RefreshView) -> Result<(), StoreError> {
    let RefreshView { mut connector, connector_seen, mut refresh, refresh_seen, .. } = view;
    let now = store.now();
    let token = Token::from_bits(store.random());
    let sha256 = token.sha256();
    let mut batch = Batch::new();
    match seal(host, token.reveal().as_bytes()) {
        Ok(sealed) => {
            let generation = connector.newest_generation().saturating_add(1);
            let expires = expires(window(connector.window), now);
            connector.next = Some(TokenRecord { sha256, generation, created: now, expires });
            refresh.pending = Some(Pending { generation, sealed, ..Pending::default() });
            refresh.forced = false;
            refresh.retry_at = 0;
            batch.put_connector(connector_seen, &connector)?;
        }
        Err(failure) => {
            let left = left(&connector, now);
            note_failure(store, &mut refresh, failure, left);
        }
    }
    batch.put_refresh(refresh_seen, &refresh)?;
    batch.wake_at(refresh.retry_at.max(now));
    store.commit(batch).map(drop)
}

/// Installs the pending token: takes the lease, calls the API, and records the result.
pub(super) fn install(host: Host<'_>, store: &Store, view: RefreshView) -> Result<(), StoreError> {
    let RefreshView { mut connector, connector_seen, mut refresh, refresh_seen, api } = view;
    let (Some(next), Some(pending), Some(api)) = (&mut connector.next, &mut refresh.pending, api) else {
        return Ok(());
    };
    let now = store.now();
    // Nobody uses the token yet, so its age counts from this attempt, and not from a first attempt weeks ago.
    next.created = now;
    next.expires = expires(window(connector.window), now);
    // A test request during a failed attempt proves nothing for this one.
    pending.seen = None;
    pending.attempts = pending.attempts.saturating_add(1);
    pending.leased_until = now + LEASE;
    refresh.last_attempt = Some(now);
    let pending = pending.clone();
    let mut batch = Batch::new();
    batch.put_connector(connector_seen, &connector)?;
    batch.put_refresh(refresh_seen, &refresh)?;
    batch.wake_at(pending.leased_until);
    store.commit(batch)?;

    let outcome = call(host, &api, &pending.sealed, now);
    keep(host, &pending, outcome)
}

/// Calls the configured API.
fn call(host: Host<'_>, record: &IdpApiRecord, sealed_token: &str, now: u64) -> Result<(), Failure> {
    let token = unseal(host, sealed_token)?;
    let secret = unseal(host, &record.sealed)?;
    match &record.api {
        IdpApiStatus::Entra(api) => {
            let EntraApiStatus { tenant_id, client_id, service_principal_id, login_url, graph_url } = api;
            let client_secret = &secret;
            let entra = Entra { tenant_id, client_id, client_secret, service_principal_id, login_url, graph_url };
            entra.install(host.http, &record.connector_url, &token, now)
        }
        IdpApiStatus::Okta(OktaApiStatus { org_url, app_id, client_id }) => {
            let secret = match client_id {
                Some(client_id) => OktaSecret::PrivateKey { client_id, jwk: &secret },
                None => OktaSecret::ApiToken(&secret),
            };
            Okta { org_url, app_id, secret }.install(host, &token, now)
        }
    }
}

/// Commits the result of an attempt, if the attempt still has the lease.
fn keep(host: Host<'_>, attempt: &Pending, outcome: Result<(), Failure>) -> Result<(), StoreError> {
    let store = host.store();
    store.act_as(Actor::System);
    store.transact(|| {
        let mut view = store.refresh_view()?;
        let now = store.now();
        let leased = view.pending().is_some_and(|pending| {
            pending.generation == attempt.generation && pending.leased_until == attempt.leased_until
        });
        if !leased {
            return set_right(&store, view, attempt, outcome.is_ok());
        }
        let left = left(&view.connector, now);
        let Some(pending) = &mut view.refresh.pending else { return Ok(()) };
        pending.leased_until = 0;
        let mut batch = Batch::new();
        match outcome.clone() {
            Ok(()) => {
                pending.installed = Some(now);
                let seen = pending.seen.is_some();
                if !view.refresh.problem.as_ref().is_some_and(|problem| problem.trouble == Trouble::Unconfirmed) {
                    view.refresh.problem = None;
                    view.refresh.failures = 0;
                }
                if seen {
                    return promote(&store, view);
                }
                batch.wake_at(now);
            }
            Err(failure) => {
                note_failure(&store, &mut view.refresh, failure, left);
                batch.wake_at(view.refresh.retry_at);
            }
        }
        batch.put_refresh(view.refresh_seen, &view.refresh)?;
        store.commit(batch).map(drop)
    })
}

/// Handles a token that was replaced by hand while another was being installed. The provider may now have a token that
/// is no longer valid, so another refresh is due at once.
fn set_right(store: &Store, mut view: RefreshView, attempt: &Pending, installed: bool) -> Result<(), StoreError> {
    let replaced = view.connector.token.as_ref().is_some_and(|token| token.generation != attempt.generation)
        && view.connector.next.is_none();
    if !installed || !replaced || !view.connector.enabled || view.api.is_none() {
        return Ok(());
    }
    view.refresh.pending = None;
    view.refresh.forced = true;
    view.refresh.retry_at = 0;
    let mut batch = Batch::new();
    batch.put_refresh(view.refresh_seen, &view.refresh)?;
    batch.wake_at(store.now());
    store.commit(batch).map(drop)
}

/// The provider accepted the token but has never used it: it must be installed again.
pub(super) fn give_up_waiting(_: Host<'_>, store: &Store, view: RefreshView) -> Result<(), StoreError> {
    let RefreshView { connector, mut refresh, refresh_seen, .. } = view;
    let Some(pending) = &mut refresh.pending else { return Ok(()) };
    pending.installed = None;
    let failure = Failure {
        trouble: Trouble::Unconfirmed,
        text: "The identity provider accepted the new token, but no request has used it yet. The old one stays valid."
            .into(),
        retry_after: None,
    };
    let left = left(&connector, store.now());
    note_failure(store, &mut refresh, failure, left);
    let mut batch = Batch::new();
    batch.put_refresh(refresh_seen, &refresh)?;
    batch.wake_at(refresh.retry_at);
    store.commit(batch).map(drop)
}

fn note_failure(store: &Store, refresh: &mut RefreshRecord, failure: Failure, left: Option<u64>) {
    let now = store.now();
    let [chance] = store.random::<1>();
    refresh.failures = refresh.failures.saturating_add(1);
    refresh.retry_at = now + schedule::delay(refresh.failures, failure.trouble, failure.retry_after, left, chance);
    refresh.problem = Some(Problem { trouble: failure.trouble, text: failure.text, time: now });
}

/// How long the current token is still valid; `None` if it does not expire or has expired.
fn left(connector: &crate::store::ConnectorRecord, now: u64) -> Option<u64> {
    let expires = connector.token.as_ref()?.expires?;
    expires.checked_sub(now).filter(|left| *left > 0)
}

fn window(window: Option<Window>) -> Window {
    window.unwrap_or(Window::Year1)
}

/// Encrypts a text for the storage, in base64.
pub(super) fn seal(host: Host<'_>, plain: &[u8]) -> Result<String, Failure> {
    match host.secrets.seal(plain) {
        Ok(sealed) => Ok(STANDARD.encode(sealed)),
        Err(SecretsError::NotConfigured) => Err(Failure::attention("The host has no key for secrets.")),
        Err(_) => Err(Failure::attention("The host could not encrypt the new token.")),
    }
}

fn unseal(host: Host<'_>, sealed: &str) -> Result<String, Failure> {
    let opened = STANDARD.decode(sealed).ok().and_then(|sealed| host.secrets.open(&sealed).ok());
    let unreadable = || {
        Failure::attention(
            "The stored secret can't be decrypted, because the host's key has changed. Configure \
            the access again.",
        )
    };
    opened.and_then(|plain| String::from_utf8(plain).ok()).ok_or_else(unreadable)
}

/// Whether the host's key can still decrypt it.
pub(super) fn can_unseal(host: Host<'_>, sealed: &str) -> bool {
    unseal(host, sealed).is_ok()
}
