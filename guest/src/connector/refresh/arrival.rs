//! A request arrives with the new token: proof that the identity provider uses it.

use insomnia_scim_contract::lasts;

use super::{LEASE, OVERLAP};
use crate::provisioning::events;
use crate::store::{Actor, Batch, RefreshView, Store, StoreError};

/// Notes that a request was authenticated by the connector's next token, and makes it the current one if that is proof.
///
/// It is proof once the provider's API has accepted the token, or if no call of the API is under way. While one is, it may
/// be the provider's own test of a connection that it then does not keep: it counts together with the API's answer.
///
/// # Errors
/// If the store can't answer; a later request does it then.
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

/// Makes the next token the current one. The old one is accepted for ten more minutes, for requests under way.
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
    // Whoever sent the request that proves it: it is the component that has refreshed the token.
    let actor = store.actor();
    store.act_as(Actor::System);
    let told = events::connector(store, &mut batch, &connector);
    store.act_as(actor);
    told?;
    batch.wake_at(now);
    store.commit(batch).map(drop)
}
