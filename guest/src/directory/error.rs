//! The errors of the directory.

use thiserror::Error;

use crate::provisioning::Refusal;
use crate::provisioning::passphrase::PassphraseError;
use crate::store::{Retry, StoreError};

/// The reason why the directory refuses a call. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DirectoryError {
    /// There is no member or team of this name.
    #[error("there is no {0}")]
    NotFound(String),
    /// An argument is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The actor may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Provisioning refuses the change.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The passphrase is refused.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Retry for DirectoryError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Refused(error) => error.is_conflict(),
            Self::Passphrase(error) => error.is_conflict(),
            Self::Store(error) => error.is_conflict(),
            _ => false,
        }
    }
}
