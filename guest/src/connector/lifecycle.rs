//! Enabling and disabling SCIM, and the connector as it stands (rule P1).

use insomnia_scim_contract::{Actor, ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken, Requirement};
use serde_json::{Value, json};
use thiserror::Error;

use super::requirements::unmet_requirements;
use super::{setup_link, token};
use crate::provisioning::administrators::{self, Administrator};
use crate::provisioning::events;
use crate::provisioning::passphrase::PassphraseError;
use crate::store::{Batch, ConnectorRecord, EventSubject, Retry, Store, StoreError, Versioned};

/// Why an action was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConnectorError {
    /// All the requirements that do not hold, at once.
    #[error("requirements are not met")]
    UnmetRequirements(Vec<Requirement>),
    /// The actor is neither owner nor co-owner.
    #[error("only the owner and co-owners of the organization may do this")]
    Forbidden,
    /// Somebody acts for the organization's owner, and no owner is active.
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
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The set-up link was used or revoked, has expired, or never existed.
    #[error("the link is not valid any more; ask for another one")]
    Link,
    /// The host does not offer what this needs.
    #[error("not configured: {0}")]
    NotConfigured(String),
    /// The actor's passphrase.
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

/// Whether the name of an identity provider can be used.
pub(super) fn check_provider(identity_provider: &IdentityProvider) -> Result<(), ConnectorError> {
    if identity_provider.name().trim().is_empty() || identity_provider.name().len() > 100 {
        return Err(ConnectorError::Invalid("the identity provider's name must have 1 to 100 characters".into()));
    }
    Ok(())
}

/// Enables the connector, which is still to get its token, if all requirements are met.
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
        // Its generation is used up.
        if let (Some(token), Some(next)) = (&mut connector.token, connector.next.take()) {
            token.generation = token.generation.max(next.generation);
        }
        let mut batch = Batch::new();
        // Each of them would enable SCIM again.
        setup_link::revoke_all(store, &mut batch)?;
        Ok(put(store, batch, seen, before, &connector)?)
    })
}

/// The connector as it stands.
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
        // Afterwards the token before is kept only to be recognised.
        overlap_until: connector.previous.as_ref().and_then(|previous| previous.expires).filter(|end| *end > now),
        generation: token.map_or(0, |token| token.generation),
        identity_provider: connector.identity_provider,
    })
}

/// What the audit trail tells of the connector.
pub(super) fn shown(connector: &ConnectorRecord) -> Value {
    json!({
        "enabled": connector.enabled,
        "identityProvider": connector.identity_provider,
        "window": connector.window,
        "token": connector.token.as_ref().map(|token| json!({"generation": token.generation, "expires": token.expires})),
    })
}

/// Replaces the connector in the commit of the batch, if nobody has changed it since it was read. `before` is what
/// [`shown`] made of it.
pub(super) fn put(
    store: &Store,
    mut batch: Batch,
    seen: Option<u64>,
    before: Value,
    connector: &ConnectorRecord,
) -> Result<(), StoreError> {
    batch.put_connector(seen, connector)?;
    events::connector(store, &mut batch, connector)?;
    // The jobs find out what is due then, and when to be called next.
    batch.wake_at(store.now());
    store.note(EventSubject::only("connector"), Some(before), Some(shown(connector)));
    store.commit(batch).map(drop)
}

/// The actor, who must be an administrator.
pub(super) fn administrator(store: &Store, actor: &Actor) -> Result<Administrator, ConnectorError> {
    match administrators::administrator(store, actor)? {
        Some(administrator) => Ok(administrator),
        None if *actor == Actor::Owner => Err(ConnectorError::NoOwner),
        None => Err(ConnectorError::Forbidden),
    }
}
