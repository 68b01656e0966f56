//! Enables and disables SCIM, and shows the state of the connector (rule P1).

use insomnia_scim_contract::{Actor, ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken};

use super::actor::administrator;
use super::error::ConnectorError;
use super::record::{begin, check_provider, put, shown};
use super::{setup_link, token};
use crate::store::{Batch, Store, StoreError, Versioned};

/// Enables SCIM and issues a token.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn enable(
    store: &Store,
    actor: impl Into<Actor>,
    identity_provider: impl Into<IdentityProvider>,
    window: ExpiryWindow,
) -> Result<IssuedToken, ConnectorError> {
    let (actor, identity_provider) = (actor.into(), identity_provider.into());
    check_provider(&identity_provider)?;
    store.transact(|| {
        let (seen, mut connector) = Versioned::or_default(store.connector()?);
        let before = shown(&connector);
        begin(store, &actor, &mut connector, &identity_provider)?;
        token::issue(store, Batch::new(), seen, before, connector, window, 0)
    })
}

/// Disables SCIM: from now on nobody is let in. Changes no member and no team.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn disable(store: &Store, actor: impl Into<Actor>) -> Result<(), ConnectorError> {
    let actor = actor.into();
    store.transact(|| {
        administrator(store, &actor)?;
        let (seen, mut connector) = Versioned::or_default(store.connector()?);
        if !connector.enabled {
            return Err(ConnectorError::Disabled);
        }
        let before = shown(&connector);
        connector.enabled = false;
        connector.previous = None;
        // The generation of the token that was being installed must not be used again.
        if let (Some(token), Some(next)) = (&mut connector.token, connector.next.take()) {
            token.generation = token.generation.max(next.generation);
        }
        let mut batch = Batch::new();
        // Each of these links would enable SCIM again.
        setup_link::revoke_all(store, &mut batch)?;
        Ok(put(store, batch, seen, before, &connector)?)
    })
}

/// The state of the connector.
///
/// # Errors
/// If the store can't answer.
pub fn status(store: &Store) -> Result<ConnectorStatus, StoreError> {
    let (_, connector) = Versioned::or_default(store.connector()?);
    let now = store.now();
    let token = connector.token.as_ref();
    Ok(ConnectorStatus {
        enabled: connector.enabled,
        window: connector.window,
        status: token::status(&connector, now),
        created: token.map(|token| token.created),
        expires: token.and_then(|token| token.expires),
        last_used: store.connector_used()?,
        // After the overlap the previous token is only kept so that it is recognised.
        overlap_until: connector.previous.as_ref().and_then(|previous| previous.expires).filter(|end| *end > now),
        generation: token.map_or(0, |token| token.generation),
        identity_provider: connector.identity_provider,
    })
}
