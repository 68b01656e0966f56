//! The reasons for which a stream is not changed.

use thiserror::Error;

use crate::capability::SecretsError;
use crate::store::{Retry, StoreError};

/// How many streams an organization may have.
pub(super) const MOST: usize = 8;

/// The reason why a stream was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StreamError {
    /// A value of the stream is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The organization has the largest allowed number of streams.
    #[error("an organization has {MOST} streams at the most: remove one first")]
    TooMany,
    /// There is no stream with this id, or its receiver does not poll.
    #[error("{0}")]
    NotFound(String),
    /// There is no key yet.
    #[error("there is no signing key before the first stream is added")]
    NoKey,
    /// The host can't encrypt a secret.
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
