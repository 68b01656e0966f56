//! Converts the crate's errors to those of `wit/types.wit`.

use insomnia_scim_contract::{ActionError, SecretsError};

use crate::connector::ConnectorError;
use crate::directory::DirectoryError;
use crate::jobs::{ErasureError, ReaddressError};
use crate::journal::{SearchError, WebhookError};
use crate::provisioning::Refusal;
use crate::provisioning::passphrase::PassphraseError;
use crate::store::StoreError;
use crate::streams::StreamError;

impl From<StoreError> for ActionError {
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

impl From<PassphraseError> for ActionError {
    fn from(error: PassphraseError) -> Self {
        match error {
            PassphraseError::Wrong => Self::WrongPassphrase,
            PassphraseError::Throttled(seconds) => Self::Throttled(seconds),
            PassphraseError::Unfit(text) => Self::Invalid(text),
            PassphraseError::Link => Self::Invalid(error.to_string()),
            PassphraseError::Store(error) => error.into(),
        }
    }
}

impl From<ConnectorError> for ActionError {
    fn from(error: ConnectorError) -> Self {
        match error {
            ConnectorError::UnmetRequirements(unmet) => Self::UnmetRequirements(unmet),
            ConnectorError::Forbidden => Self::Forbidden(error.to_string()),
            ConnectorError::NoOwner | ConnectorError::Enabled | ConnectorError::Disabled => {
                Self::Conflict(error.to_string())
            }
            ConnectorError::Invalid(text) => Self::Invalid(text),
            ConnectorError::Link => Self::Invalid(error.to_string()),
            ConnectorError::NotFound(_) => Self::NotFound(error.to_string()),
            ConnectorError::NotConfigured(text) => Self::NotConfigured(text),
            ConnectorError::Passphrase(error) => error.into(),
            ConnectorError::Store(error) => error.into(),
        }
    }
}

impl From<Refusal> for ActionError {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::NotFound { .. } => Self::NotFound(text),
            Refusal::Taken { .. } => Self::Conflict(text),
            Refusal::NoFreeSeat { .. } => Self::NoFreeSeat,
            Refusal::LastOwner
            | Refusal::ForeignDomain { .. }
            | Refusal::NoAddress
            | Refusal::Held { .. }
            | Refusal::RemovalRefused => Self::Forbidden(text),
            Refusal::UnknownMembers(_)
            | Refusal::NobodyKnown(_)
            | Refusal::NobodyMatches
            | Refusal::NestedTeam(_)
            | Refusal::Protocol(_) => Self::Invalid(text),
            Refusal::PreconditionFailed => Self::Conflict(text),
            Refusal::Store(error) => error.into(),
        }
    }
}

impl From<DirectoryError> for ActionError {
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

impl From<ErasureError> for ActionError {
    fn from(error: ErasureError) -> Self {
        match error {
            ErasureError::Invalid(text) => Self::Invalid(text),
            ErasureError::Nobody(_) | ErasureError::SomebodyElse(_) => Self::Invalid(error.to_string()),
            ErasureError::NotFound(_) => Self::NotFound(error.to_string()),
            ErasureError::TooMany => Self::Conflict(error.to_string()),
            ErasureError::Refused(error) => error.into(),
            ErasureError::Store(error) => error.into(),
        }
    }
}

impl From<SearchError> for ActionError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Invalid(text) => Self::Invalid(text),
            SearchError::Store(error) => error.into(),
        }
    }
}

impl From<ReaddressError> for ActionError {
    fn from(error: ReaddressError) -> Self {
        match error {
            ReaddressError::NotFound(_) => Self::NotFound(error.to_string()),
            ReaddressError::Invalid(text) => Self::Invalid(text),
            ReaddressError::Store(error) => error.into(),
        }
    }
}

impl From<WebhookError> for ActionError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Url => Self::Invalid(error.to_string()),
            WebhookError::Secrets(SecretsError::NotConfigured) => Self::NotConfigured(error.to_string()),
            WebhookError::Secrets(error) => Self::Other(error.to_string()),
            WebhookError::Store(error) => error.into(),
        }
    }
}

impl From<StreamError> for ActionError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Invalid(text) => Self::Invalid(text),
            StreamError::TooMany | StreamError::NoKey => Self::Conflict(error.to_string()),
            StreamError::NotFound(text) => Self::NotFound(text),
            StreamError::Secrets(SecretsError::NotConfigured) => Self::NotConfigured(error.to_string()),
            StreamError::Secrets(error) => Self::Other(error.to_string()),
            StreamError::Store(error) => error.into(),
        }
    }
}
