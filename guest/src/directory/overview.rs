//! A summary of the organization for the first view of the SCIM page.

use insomnia_scim_contract::{Actor, LogQuery, Overview};

use super::error::DirectoryError;
use super::members::member;
use super::organization::get_licences;
use crate::capability::Page;
use crate::connector::{self, refresh};
use crate::journal::{self, SearchError};
use crate::provisioning::administrators::active_owner;
use crate::provisioning::guard;
use crate::store::{Store, StoreError, keys};

/// After tokens have waited this long for a receiver, an administrator should check it, in milliseconds.
const UNASKED: u64 = 3 * 24 * 60 * 60 * 1_000;
/// The most entries of the log.
const MOST_ENTRIES: u32 = 100;

/// All data of the first view. One call to the host reads the documents and counters, so that they are consistent.
///
/// # Errors
/// If the store can't answer.
pub fn overview(store: &Store, actor: &Actor, log_entries: u32) -> Result<Overview, DirectoryError> {
    let documents = [
        keys::ORGANIZATION,
        keys::CONNECTOR,
        keys::CONNECTOR_USED,
        keys::OAUTH_USED,
        keys::REFRESH,
        keys::IDP_API,
        keys::SEATS,
        keys::SEATS_SCIM,
        keys::GUARD,
        keys::WEBHOOK,
    ];
    store.prefetch(documents.iter().map(|key| key.to_vec()).collect())?;
    let who = match actor {
        Actor::Member(name) => store.find_member(name)?,
        Actor::Owner => active_owner(store)?,
        Actor::Operator => None,
    };
    Ok(Overview {
        organization: store.organization()?.map(|stored| stored.record.into()),
        member: who.as_ref().map(member),
        unmet_requirements: connector::unmet(store, actor)?,
        licences: get_licences(store)?,
        connector: connector::status(store)?,
        refresh: refresh::status(store)?,
        holding_since: guard::holding_since(store)?,
        webhook: journal::get_webhook(store)?,
        emails_parked: has_any(store, keys::outboxes_parked())?,
        events_parked: has_any(store, keys::events_parked(None))?,
        streams_failing: is_any_failing(store)?,
        client_secret_expires: next_client_secret(store)?,
        log: newest(store, log_entries)?,
    })
}

fn is_any_failing(store: &Store) -> Result<bool, StoreError> {
    for stream in store.streams()? {
        let since = store.stream_state(&stream.id)?.0.failing_since;
        let unasked = store.now().saturating_sub(UNASKED);
        if since.is_some()
            || has_any(store, keys::sets_parked(&stream.id, None))?
            || has_any(store, keys::sets_due(&stream.id, Some(unasked)))?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When the first secret of one of the organization's own clients expires, if that is soon or has happened. `None`
/// while SCIM is disabled, since then no client needs a secret.
fn next_client_secret(store: &Store) -> Result<Option<u64>, StoreError> {
    if !store.is_enabled()? {
        return Ok(None);
    }
    let soon = store.now().saturating_add(connector::SOON);
    let clients = store.oauth_clients()?;
    let expiries = clients.iter().filter_map(|client| client.secret.as_ref()?.expires);
    Ok(expiries.filter(|expires| *expires <= soon).min())
}

fn has_any(store: &Store, range: crate::capability::KeyRange) -> Result<bool, StoreError> {
    Ok(store.scan_page(Page::first(range, 0))?.more)
}

fn newest(store: &Store, entries: u32) -> Result<Vec<String>, DirectoryError> {
    if entries == 0 {
        return Ok(Vec::new());
    }
    let query = LogQuery { limit: entries.min(MOST_ENTRIES), ..LogQuery::default() };
    match journal::search(store, &query) {
        Ok(page) => Ok(page.entries),
        Err(SearchError::Invalid(text)) => Err(DirectoryError::Invalid(text)),
        Err(SearchError::Store(error)) => Err(error.into()),
    }
}
