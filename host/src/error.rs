//! Why an action on an organization was refused.

use insomnia_scim_contract as contract;

use crate::component::CallError;
use crate::directory::Requirement;

/// Why an action was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// All the requirements for SCIM that do not hold, at once.
    #[error("SCIM can't be enabled yet: {}", requirements(.0))]
    UnmetRequirements(Vec<Requirement>),
    /// The actor may not do this; the text says why.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// The actor's passphrase is wrong.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Too many tries: the seconds to wait.
    #[error("too many tries; wait {0} seconds")]
    Throttled(u32),
    /// No such member, team, or entry.
    #[error("not found: {0}")]
    NotFound(String),
    /// It contradicts what is there; the text says what.
    #[error("conflict: {0}")]
    Conflict(String),
    /// An argument is not valid; the text says which and why.
    #[error("not valid: {0}")]
    Invalid(String),
    /// Every seat is taken.
    #[error("every seat is taken: free one, or raise the number of seats")]
    NoFreeSeat,
    /// The host does not offer what this needs; the text says what.
    #[error("not configured: {0}")]
    NotConfigured(String),
    /// The storage can't be reached or is contended; the same call may succeed later.
    #[error("unavailable for the moment: {0}")]
    Unavailable(String),
    /// Anything else; the text is for the log.
    #[error("failed: {0}")]
    Other(String),
    /// The component gave no answer. Unlike the others, it may have changed something.
    #[error(transparent)]
    Call(#[from] CallError),
}

fn requirements(unmet: &[Requirement]) -> String {
    unmet.iter().map(|requirement| requirement.sentence()).collect::<Vec<_>>().join("; ")
}

impl From<contract::ActionError> for ActionError {
    fn from(error: contract::ActionError) -> Self {
        use contract::ActionError as Refused;
        match error {
            Refused::UnmetRequirements(unmet) => Self::UnmetRequirements(unmet),
            Refused::Forbidden(why) => Self::Forbidden(why),
            Refused::WrongPassphrase => Self::WrongPassphrase,
            Refused::Throttled(seconds) => Self::Throttled(seconds),
            Refused::NotFound(what) => Self::NotFound(what),
            Refused::Conflict(what) => Self::Conflict(what),
            Refused::Invalid(what) => Self::Invalid(what),
            Refused::NoFreeSeat => Self::NoFreeSeat,
            Refused::NotConfigured(what) => Self::NotConfigured(what),
            Refused::Unavailable(why) => Self::Unavailable(why),
            Refused::Other(why) => Self::Other(why),
        }
    }
}
