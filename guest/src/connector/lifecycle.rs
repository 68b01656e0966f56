//! Enabling, disabling and refreshing (rules P1 and P2).

use thiserror::Error;

use crate::provisioning::passphrase::{self, PassphraseError};
use crate::provisioning::{administrators, events};
use crate::secret::Token;
use crate::store::{Batch, ConnectorRecord, Plan, Retry, Store, StoreError, TokenRecord, Versioned};

const DAY: u64 = 24 * 60 * 60 * 1_000;
/// How long before its expiry a token is said to expire soon, in milliseconds.
const SOON: u64 = 20 * DAY;
/// The longest that a replaced token stays valid, in seconds.
pub(super) const LONGEST_OVERLAP: u32 = 86_400;

/// What must hold before SCIM can be enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// The organization is on the Enterprise plan.
    EnterprisePlan,
    /// The actor is the organization's owner or a co-owner.
    OwnerOrCoOwner,
    /// At least one domain is verified.
    VerifiedDomain,
    /// Single sign-on is configured for an identity provider.
    SingleSignOn,
}

/// How long a token is valid, chosen when it is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// 30 days.
    Days30,
    /// 90 days.
    Days90,
    /// 180 days.
    Days180,
    /// 365 days.
    Year1,
    /// 730 days.
    Years2,
    /// For ever.
    Never,
}

impl Window {
    const ALL: [Self; 6] = [Self::Days30, Self::Days90, Self::Days180, Self::Year1, Self::Years2, Self::Never];

    /// Its name in `wit/connector.wit`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Days30 => "days30",
            Self::Days90 => "days90",
            Self::Days180 => "days180",
            Self::Year1 => "year1",
            Self::Years2 => "years2",
            Self::Never => "never",
        }
    }

    /// The window of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.as_str() == name)
    }

    /// When a token generated now expires; `None` for never.
    pub(super) fn expires(self, now: u64) -> Option<u64> {
        let days = match self {
            Self::Days30 => 30,
            Self::Days90 => 90,
            Self::Days180 => 180,
            Self::Year1 => 365,
            Self::Years2 => 730,
            Self::Never => return None,
        };
        Some(now + days * DAY)
    }
}

/// What the token is worth now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenStatus {
    /// More than 20 days are left.
    Valid,
    /// 20 days or less are left.
    ExpiringSoon,
    /// Every SCIM request is answered 401.
    Expired,
    /// SCIM is disabled, or was never enabled.
    Disabled,
}

/// A new token, to be shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token.
    pub token: String,
    /// When it expires, in milliseconds since the Unix epoch; `None` for never.
    pub expires: Option<u64>,
}

/// The connector as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What is stored of it.
    pub connector: ConnectorRecord,
    /// What the token is worth now.
    pub token: TokenStatus,
    /// When a request was last authenticated, in milliseconds since the Unix epoch.
    pub last_used: Option<u64>,
    /// How long the token before is accepted beside the current one, in milliseconds since the Unix epoch; `None` if it is
    /// not any more.
    pub overlap_until: Option<u64>,
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
/// If the store can't answer.
pub fn unmet_requirements(store: &Store, actor: &str) -> Result<Vec<Requirement>, StoreError> {
    let organization = store.organization()?.map(|stored| stored.record).unwrap_or_default();
    let checks = [
        (organization.plan == Plan::Enterprise, Requirement::EnterprisePlan),
        (administrators::find(store, actor)?.is_some(), Requirement::OwnerOrCoOwner),
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
    actor: &str,
    identity_provider: &str,
    window: Window,
) -> Result<IssuedToken, ConnectorError> {
    if identity_provider.trim().is_empty() || identity_provider.len() > 100 {
        return Err(ConnectorError::Invalid("the identity provider's name must have 1 to 100 characters".into()));
    }
    store.transact(|| {
        let unmet = unmet_requirements(store, actor)?;
        if !unmet.is_empty() {
            return Err(ConnectorError::UnmetRequirements(unmet));
        }
        let (seen, mut connector) = read(store)?;
        if connector.enabled {
            return Err(ConnectorError::Enabled);
        }
        connector.enabled = true;
        connector.identity_provider = Some(identity_provider.to_owned());
        connector.enabled_generation = connector.newest_generation().saturating_add(1);
        issue(store, seen, connector, window, 0)
    })
}

/// Disables SCIM: from now on nobody is let in. Changes no member and no team.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn disable(store: &Store, actor: &str) -> Result<(), ConnectorError> {
    store.transact(|| {
        require_administrator(store, actor)?;
        let (seen, mut connector) = read(store)?;
        if !connector.enabled {
            return Err(ConnectorError::Disabled);
        }
        connector.enabled = false;
        connector.previous = None;
        // Its generation is used up.
        if let (Some(token), Some(next)) = (&mut connector.token, connector.next.take()) {
            token.generation = token.generation.max(next.generation);
        }
        Ok(put(store, seen, &connector)?)
    })
}

/// Issues a new token after checking the actor's passphrase.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn refresh(
    store: &Store,
    actor: &str,
    given: &str,
    window: Option<Window>,
    overlap: u32,
) -> Result<IssuedToken, ConnectorError> {
    require_administrator(store, actor)?;
    passphrase::confirm(store, actor, given)?;
    refresh_as_operator(store, window, overlap)
}

/// Issues a new token; the caller has checked who asks.
///
/// # Errors
/// [`ConnectorError`] says why not.
pub fn refresh_as_operator(store: &Store, window: Option<Window>, overlap: u32) -> Result<IssuedToken, ConnectorError> {
    if overlap > LONGEST_OVERLAP {
        return Err(ConnectorError::Invalid(format!("the overlap may last {LONGEST_OVERLAP} seconds at the most")));
    }
    store.transact(|| {
        let (seen, connector) = read(store)?;
        if !connector.enabled {
            return Err(ConnectorError::Disabled);
        }
        let window = window.or_else(|| Window::parse(connector.window.as_deref()?)).unwrap_or(Window::Year1);
        issue(store, seen, connector, window, overlap)
    })
}

/// The connector as it stands.
///
/// # Errors
/// If the store can't answer.
pub fn status(store: &Store) -> Result<Status, StoreError> {
    let (_, connector) = read(store)?;
    let now = store.now();
    let expires = connector.token.as_ref().and_then(|token| token.expires);
    let token = match expires {
        _ if !connector.enabled => TokenStatus::Disabled,
        Some(expires) if expires <= now => TokenStatus::Expired,
        Some(expires) if expires - now <= SOON => TokenStatus::ExpiringSoon,
        _ => TokenStatus::Valid,
    };
    let overlap_until = connector.previous.as_ref().and_then(|previous| previous.expires).filter(|end| *end > now);
    Ok(Status { connector, token, last_used: store.connector_used()?, overlap_until })
}

fn read(store: &Store) -> Result<(Option<u64>, ConnectorRecord), StoreError> {
    Ok(match store.connector()? {
        Some(Versioned { record, version }) => (Some(version), record),
        None => (None, ConnectorRecord::default()),
    })
}

fn issue(
    store: &Store,
    seen: Option<u64>,
    mut connector: ConnectorRecord,
    window: Window,
    overlap: u32,
) -> Result<IssuedToken, ConnectorError> {
    let now = store.now();
    let token = Token::from_bits(store.random());
    let expires = window.expires(now);
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
    connector.window = Some(window.as_str().to_owned());
    put(store, seen, &connector)?;
    Ok(IssuedToken { token: token.reveal(), expires })
}

/// Replaces the connector if it still is as it was read.
fn put(store: &Store, seen: Option<u64>, connector: &ConnectorRecord) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.put_connector(seen, connector)?;
    events::connector(store, &mut batch, connector)?;
    // The jobs find out what is due then, and when to be called next.
    batch.wake_at(store.now());
    store.commit(batch).map(drop)
}

fn require_administrator(store: &Store, actor: &str) -> Result<(), ConnectorError> {
    administrator(store, actor).map(drop)
}

/// The id of the actor, who must be an active owner or co-owner.
pub(super) fn administrator(store: &Store, actor: &str) -> Result<String, ConnectorError> {
    let member = administrators::find(store, actor)?.ok_or(ConnectorError::Forbidden)?;
    Ok(member.record.id().to_owned())
}
