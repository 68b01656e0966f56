//! Handles the first request that uses the new token: it proves that the identity provider has the token.

use insomnia_scim_contract::lasts;

use super::{LEASE, OVERLAP};
use crate::provisioning::events;
use crate::store::{Actor, Batch, RefreshView, Store, StoreError};

/// Notes that a request was authenticated by the connector's next token. If that is proof, the token becomes the
/// current one.
///
/// The request is proof if the provider's API has accepted the token, or if no call to the API is running. While a call
/// runs, the request may be the provider's test of a connection that it then does not save: it only counts together
/// with the API's answer.
///
/// # Errors
/// If the store can't answer; a later request then makes the change.
pub fn arrived(store: &Store, generation: u32) -> Result<(), StoreError> {
    store.transact(|| {
        let mut view = store.refresh_view()?;
        if view.connector.next.as_ref().is_none_or(|next| next.generation != generation) {
            return Ok(());
        }
        let now = store.now();
        let under_way = view
            .pending()
            .is_some_and(|pending| pending.installed.is_none() && lasts(pending.leased_until, now, LEASE));
        if !under_way {
            return promote(store, view);
        }
        let mut batch = Batch::new();
        match &mut view.refresh.pending {
            Some(pending) if pending.seen.is_none() => pending.seen = Some(now),
            _ => return Ok(()),
        }
        batch.put_refresh(view.refresh_seen, &view.refresh)?;
        store.commit(batch).map(drop)
    })
}

/// Makes the next token the current one. The old one is accepted for ten more minutes, for requests that are running.
pub(super) fn promote(store: &Store, view: RefreshView) -> Result<(), StoreError> {
    let RefreshView { mut connector, connector_seen, mut refresh, refresh_seen, .. } = view;
    let now = store.now();
    let Some(next) = connector.next.take() else { return Ok(()) };
    connector.previous = connector.token.replace(next).map(|mut old| {
        let end = now + OVERLAP;
        old.expires = Some(old.expires.map_or(end, |expires| expires.min(end)));
        old
    });
    refresh.pending = None;
    refresh.failures = 0;
    refresh.problem = None;
    refresh.retry_at = 0;
    refresh.forced = false;
    refresh.last_success = Some(now);
    let mut batch = Batch::new();
    batch.put_connector(connector_seen, &connector)?;
    batch.put_refresh(refresh_seen, &refresh)?;
    // The event names the component, which has refreshed the token, and not the sender of the request.
    let actor = store.actor();
    store.act_as(Actor::System);
    let told = events::connector(store, &mut batch, &connector);
    store.act_as(actor);
    told?;
    batch.wake_at(now);
    store.commit(batch).map(drop)
}
