//! Enables and disables SCIM, and shows the state of the connector (rule P1).

use insomnia_scim_contract::{Actor, ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken, Requirement};
use serde_json::{Value, json};
use thiserror::Error;

use super::requirements::unmet_requirements;
use super::{setup_link, token};
use crate::provisioning::administrators::{self, Administrator};
use crate::provisioning::events;
use crate::provisioning::passphrase::PassphraseError;
use crate::store::{Batch, ConnectorRecord, EventSubject, Retry, Store, StoreError, Versioned};

/// The reason why an action was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConnectorError {
    /// All requirements that are not met.
    #[error("requirements are not met")]
    UnmetRequirements(Vec<Requirement>),
    /// The actor is neither owner nor co-owner.
    #[error("only the owner and co-owners of the organization may do this")]
    Forbidden,
    /// The caller acts for the organization's owner, but no owner is active.
    #[error("the organization has no active owner to act for: add one, or name an actor")]
    NoOwner,
    /// SCIM is enabled already.
    #[error("SCIM is enabled already; refresh the token to get a new one")]
    Enabled,
    /// SCIM is not enabled.
    #[error("SCIM is not enabled")]
    Disabled,
    /// An argument is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The named thing does not exist.
    #[error("there is no {0}")]
    NotFound(String),
    /// The set-up link was used or revoked, has expired, or never existed.
    #[error("the link is not valid any more; ask for another one")]
    Link,
    /// The host lacks a capability that this needs.
    #[error("not configured: {0}")]
    NotConfigured(String),
    /// The actor's passphrase was refused.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Retry for ConnectorError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Store(error) => error.is_conflict(),
            Self::Passphrase(error) => error.is_conflict(),
            _ => false,
        }
    }
}

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

/// Checks that the name of an identity provider is valid.
pub(super) fn check_provider(identity_provider: &IdentityProvider) -> Result<(), ConnectorError> {
    if identity_provider.name().trim().is_empty() || identity_provider.name().len() > 100 {
        return Err(ConnectorError::Invalid("the identity provider's name must have 1 to 100 characters".into()));
    }
    Ok(())
}

/// Enables the connector if all requirements are met. The caller then issues its token.
pub(super) fn begin(
    store: &Store,
    actor: &Actor,
    connector: &mut ConnectorRecord,
    identity_provider: &IdentityProvider,
) -> Result<(), ConnectorError> {
    let unmet = unmet_requirements(store, actor)?;
    if !unmet.is_empty() {
        return Err(ConnectorError::UnmetRequirements(unmet));
    }
    if connector.enabled {
        return Err(ConnectorError::Enabled);
    }
    connector.enabled = true;
    connector.identity_provider = Some(identity_provider.clone());
    connector.enabled_generation = connector.newest_generation().saturating_add(1);
    Ok(())
}

/// Disables SCIM: from now on no request is authenticated. Members and teams stay unchanged.
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

/// The connector in the form in which the audit trail shows it.
pub(super) fn shown(connector: &ConnectorRecord) -> Value {
    json!({
        "enabled": connector.enabled,
        "identityProvider": connector.identity_provider,
        "window": connector.window,
        "token": connector.token.as_ref().map(|token| json!({"generation": token.generation, "expires": token.expires})),
    })
}

/// Replaces the connector in the commit of the batch, if nobody has changed it since it was read. `before` is the
/// result of [`shown`] for the old connector.
pub(super) fn put(
    store: &Store,
    mut batch: Batch,
    seen: Option<u64>,
    before: Value,
    connector: &ConnectorRecord,
) -> Result<(), StoreError> {
    batch.put_connector(seen, connector)?;
    events::connector(store, &mut batch, connector)?;
    // The jobs then find out what is due, and when they must run next.
    batch.wake_at(store.now());
    store.note(EventSubject::only("connector"), Some(before), Some(shown(connector)));
    store.commit(batch).map(drop)
}

/// Requires that the actor is an administrator.
pub(super) fn administrator(store: &Store, actor: &Actor) -> Result<Administrator, ConnectorError> {
    match administrators::administrator(store, actor)? {
        Some(administrator) => Ok(administrator),
        None if *actor == Actor::Owner => Err(ConnectorError::NoOwner),
        None => Err(ConnectorError::Forbidden),
    }
}
