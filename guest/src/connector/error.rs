//! The reasons for which an action on the connector is refused.

use insomnia_scim_contract::Requirement;
use thiserror::Error;

use crate::provisioning::passphrase::PassphraseError;
use crate::store::{Retry, StoreError};

/// The reason why an action was refused. Nothing has changed.
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
