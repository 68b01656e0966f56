//! Why a stream is not changed.

use thiserror::Error;

use crate::capability::SecretsError;
use crate::store::{Retry, StoreError};

/// How many streams an organization may have.
pub(super) const MOST: usize = 8;

/// Why a stream was not changed. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StreamError {
    /// Something of the stream is not valid.
    #[error("{0}")]
    Invalid(String),
    /// There are as many as there may be.
    #[error("an organization has {MOST} streams at the most: remove one first")]
    TooMany,
    /// No stream has this id, or none that polls.
    #[error("{0}")]
    NotFound(String),
    /// No key was ever made.
    #[error("there is no key that signs before the first stream is added")]
    NoKey,
    /// A secret can't be sealed.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Retry for StreamError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}
