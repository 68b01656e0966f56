//! The crate's errors as `wit/types.wit` has them.

use super::bindings::insomnia::scim::types::{Error, Requirement};
use crate::connector::{self, ConnectorError};
use crate::directory::DirectoryError;
use crate::provisioning::Refusal;
use crate::provisioning::passphrase::PassphraseError;
use crate::store::StoreError;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict | StoreError::Unavailable(_) => {
                Self::Unavailable("the organization's data is busy; try again".into())
            }
            StoreError::Full => Self::Unavailable(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<PassphraseError> for Error {
    fn from(error: PassphraseError) -> Self {
        match error {
            PassphraseError::Wrong => Self::WrongPassphrase,
            PassphraseError::Throttled(seconds) => Self::Throttled(seconds),
            PassphraseError::Unfit(text) => Self::Invalid(text),
            PassphraseError::Link => Self::Invalid(error.to_string()),
            PassphraseError::NoSuchMember => Self::NotFound(error.to_string()),
            PassphraseError::Store(error) => error.into(),
        }
    }
}

impl From<ConnectorError> for Error {
    fn from(error: ConnectorError) -> Self {
        match error {
            ConnectorError::UnmetRequirements(unmet) => {
                Self::UnmetRequirements(unmet.into_iter().map(Into::into).collect())
            }
            ConnectorError::Forbidden => Self::Forbidden(error.to_string()),
            ConnectorError::Enabled | ConnectorError::Disabled => Self::Conflict(error.to_string()),
            ConnectorError::Invalid(text) => Self::Invalid(text),
            ConnectorError::NotFound(_) => Self::NotFound(error.to_string()),
            ConnectorError::NotConfigured(text) => Self::NotConfigured(text),
            ConnectorError::Passphrase(error) => error.into(),
            ConnectorError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::NotFound { .. } => Self::NotFound(text),
            Refusal::Taken { .. } => Self::Conflict(text),
            Refusal::NoFreeSeat { .. } => Self::NoFreeSeat,
            Refusal::LastOwner | Refusal::ForeignDomain { .. } | Refusal::Held { .. } | Refusal::RemovalRefused => {
                Self::Forbidden(text)
            }
            Refusal::UnknownMembers(_) | Refusal::NestedTeam(_) | Refusal::Protocol(_) => Self::Invalid(text),
            Refusal::PreconditionFailed => Self::Conflict(text),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<DirectoryError> for Error {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::NotFound(_) => Self::NotFound(error.to_string()),
            DirectoryError::Invalid(text) => Self::Invalid(text),
            DirectoryError::Forbidden(text) => Self::Forbidden(text),
            DirectoryError::Refused(error) => error.into(),
            DirectoryError::Passphrase(error) => error.into(),
            DirectoryError::Store(error) => error.into(),
        }
    }
}

impl From<connector::Requirement> for Requirement {
    fn from(requirement: connector::Requirement) -> Self {
        match requirement {
            connector::Requirement::EnterprisePlan => Self::EnterprisePlan,
            connector::Requirement::OwnerOrCoOwner => Self::OwnerOrCoOwner,
            connector::Requirement::VerifiedDomain => Self::VerifiedDomain,
            connector::Requirement::SingleSignOn => Self::SingleSignOn,
        }
    }
}
