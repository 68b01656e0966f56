//! Enabling, disabling and refreshing (rules P1 and P2).

use insomnia_scim_contract::{
    Actor, ConnectorStatus, ExpiryWindow, IdentityProvider, IssuedToken, Requirement, TokenStatus,
};
use serde_json::{Value, json};
use thiserror::Error;

use super::setup_link;
use crate::provisioning::administrators::{self, Administrator};
use crate::provisioning::events;
use crate::provisioning::passphrase::{self, PassphraseError};
use crate::secret::Token;
use crate::store::{Batch, ConnectorRecord, EventSubject, Plan, Retry, Store, StoreError, TokenRecord, Versioned};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How long before its expiry a token, or the secret of a client, is said to expire soon, in milliseconds.
pub const SOON: u64 = 20 * DAY;
/// The longest that a replaced token stays valid, in seconds.
pub(super) const LONGEST_OVERLAP: u32 = 86_400;

/// When a token generated now expires, in milliseconds since the Unix epoch; `None` for never.
pub(super) fn expires(window: ExpiryWindow, now: u64) -> Option<u64> {
    window.days().map(|days| now + u64::from(days) * DAY)
}

/// Why an action was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConnectorError {
    /// All the requirements that do not hold, at once.
    #[error("requirements are not met")]
    UnmetRequirements(Vec<Requirement>),
    /// The actor is neither owner nor co-owner.
    #[error("only the owner and co-owners of the organization may do this")]
    Forbidden,
    /// Somebody acts for the organization's owner, and there is none who is active.
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
    /// The set-up link was used or revoked, has expired, or never was one.
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

/// The requirements that do not hold for this actor (rule P1).
///
/// # Errors
/// [`ConnectorError::NoOwner`] if somebody acts for an owner who is not there.
pub fn unmet_requirements(store: &Store, actor: impl Into<Actor>) -> Result<Vec<Requirement>, ConnectorError> {
    let actor = actor.into();
    if actor == Actor::Owner {
        administrator(store, &actor)?;
    }
    Ok(unmet(store, &actor)?)
}

/// As [`unmet_requirements`]; an owner who is not there is one of the requirements.
///
/// # Errors
/// If the store can't answer.
pub fn unmet(store: &Store, actor: &Actor) -> Result<Vec<Requirement>, StoreError> {
    let organization = store.organization()?.map(|stored| stored.record).unwrap_or_default();
    let checks = [
        (organization.plan == Plan::Enterprise, Requirement::EnterprisePlan),
        (administrators::administrator(store, actor)?.is_some(), Requirement::OwnerOrCoOwner),
        (organization.domains.iter().any(|domain| domain.verified), Requirement::VerifiedDomain),
        (organization.single_sign_on.is_some(), Requirement::SingleSignOn),
    ];
    Ok(checks.into_iter().filter(|(holds, _)| !holds).map(|(_, requirement)| requirement).collect())
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
        let (seen, mut connector) = read(store)?;
        let before = shown(&connector);
        begin(store, &actor, &mut connector, &identity_provider)?;
        issue(store, Batch::new(), seen, before, connector, window, 0)
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
        let (seen, mut connector) = read(store)?;
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

/// Issues a new token. A member proves by the passphrase who acts; the operator needs none.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn refresh(
    store: &Store,
    actor: impl Into<Actor>,
    given: Option<&str>,
    window: Option<ExpiryWindow>,
    overlap: u32,
) -> Result<IssuedToken, ConnectorError> {
    prove(store, &actor.into(), given)?;
    replace(store, window, overlap)
}

/// As [`refresh`], where the host has made sure by itself who acts.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn refresh_verified(
    store: &Store,
    actor: impl Into<Actor>,
    window: Option<ExpiryWindow>,
    overlap: u32,
) -> Result<IssuedToken, ConnectorError> {
    administrator(store, &actor.into())?;
    replace(store, window, overlap)
}

/// That an administrator acts: a member proves it by the passphrase; the operator needs none.
pub(super) fn prove(store: &Store, actor: &Actor, given: Option<&str>) -> Result<(), ConnectorError> {
    if let Administrator::Member(member) = administrator(store, actor)? {
        let given = given.ok_or_else(|| ConnectorError::Invalid("the actor's passphrase is needed".into()))?;
        passphrase::confirm(store, member.record.id(), given)?;
    }
    Ok(())
}

fn replace(store: &Store, window: Option<ExpiryWindow>, overlap: u32) -> Result<IssuedToken, ConnectorError> {
    if overlap > LONGEST_OVERLAP {
        return Err(ConnectorError::Invalid(format!("the overlap may last {LONGEST_OVERLAP} seconds at the most")));
    }
    store.transact(|| {
        let (seen, connector) = read(store)?;
        if !connector.enabled {
            return Err(ConnectorError::Disabled);
        }
        let window = window.or(connector.window).unwrap_or(ExpiryWindow::Year1);
        issue(store, Batch::new(), seen, shown(&connector), connector, window, overlap)
    })
}

/// The connector as it stands.
///
/// # Errors
/// If the store can't answer.
pub fn status(store: &Store) -> Result<ConnectorStatus, StoreError> {
    let (_, connector) = read(store)?;
    let now = store.now();
    let token = connector.token.as_ref();
    let expires = token.and_then(|token| token.expires);
    let status = match expires {
        _ if !connector.enabled => TokenStatus::Disabled,
        Some(expires) if expires <= now => TokenStatus::Expired,
        Some(expires) if expires - now <= SOON => TokenStatus::ExpiringSoon,
        _ => TokenStatus::Valid,
    };
    Ok(ConnectorStatus {
        enabled: connector.enabled,
        window: connector.window,
        status,
        created: token.map(|token| token.created),
        expires,
        last_used: store.connector_used()?,
        // Afterwards the token before is kept only to be recognised.
        overlap_until: connector.previous.as_ref().and_then(|previous| previous.expires).filter(|end| *end > now),
        generation: token.map_or(0, |token| token.generation),
        identity_provider: connector.identity_provider,
    })
}

/// The connector, and the version of its document.
pub(super) fn read(store: &Store) -> Result<(Option<u64>, ConnectorRecord), StoreError> {
    Ok(match store.connector()? {
        Some(Versioned { record, version }) => (Some(version), record),
        None => (None, ConnectorRecord::default()),
    })
}

/// Issues a token, together with what the batch has.
pub(super) fn issue(
    store: &Store,
    batch: Batch,
    seen: Option<u64>,
    before: Value,
    mut connector: ConnectorRecord,
    window: ExpiryWindow,
    overlap: u32,
) -> Result<IssuedToken, ConnectorError> {
    let now = store.now();
    let token = Token::from_bits(store.random());
    let expires = expires(window, now);
    let generation = connector.newest_generation().saturating_add(1);
    // One that is being installed in the identity provider is overtaken.
    connector.next = None;
    connector.previous = connector.token.take().map(|mut old| {
        // Without an overlap it is kept as well, so that the log can tell whose requests are refused; its time was up long
        // ago, whatever clock another host has.
        let end = if overlap == 0 { 0 } else { now + u64::from(overlap) * 1_000 };
        old.expires = Some(old.expires.map_or(end, |expires| expires.min(end)));
        old
    });
    connector.token = Some(TokenRecord { sha256: token.sha256(), generation, created: now, expires });
    connector.window = Some(window);
    put(store, batch, seen, before, &connector)?;
    Ok(IssuedToken { token: token.reveal(), expires })
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

/// Replaces the connector if it still is as it was read, together with what the batch has. `before` is what was [`shown`] of
/// it.
fn put(
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
