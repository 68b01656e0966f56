//! Why an action on an organization was refused, and who reads about it.
//!
//! # Who sees which message
//!
//! A refusal is decided once, where the rule is, and travels up without being worded anew:
//!
//! 1. **The component decides.** Its layers have an error of their own each (`StoreError`, `Refusal`, `ConnectorError`,
//!    `DirectoryError`, `PassphraseError`), because each layer knows other reasons. At its border they become the `error` of
//!    `wit/types.wit`: a closed list of *kinds*, and a text that says what is wrong in this case.
//! 2. **[`ActionError`] is that list in Rust**, and one kind more: [`ActionError::Call`], when the component gave no answer at
//!    all. All acts of [`crate::Organization`] return it.
//! 3. **The faces translate kinds, not texts.** The admin API makes a problem (RFC 9457) of it, the SCIM page a view or a line
//!    beside the form, the command line a message and an exit code. A SCIM request never gets here: the component answers it
//!    with a SCIM error by itself, and only [`ActionError::Call`] has a counterpart there, written in
//!    [`crate::Organization::scim`].
//!
//! A text has one of two readers, and the kind says which:
//!
//! | kind | its text is for | what a face does |
//! |---|---|---|
//! | `UnmetRequirements`, `Forbidden`, `NotFound`, `Conflict`, `Invalid`, `NoFreeSeat`, `NotConfigured` | the person who acted: it says what to do, and names nothing that this person may not know | shows it |
//! | `WrongPassphrase`, `Throttled` | the same person, but nothing is to be learnt from it | says its own sentence |
//! | `Unavailable`, `Other`, `Call` | the operator: it may name files, hosts and versions | logs it, and tells the person that the server failed or is busy, and under which id that is in the log |
//!
//! # Why the enumerations are as they are
//!
//! - The kinds are few, since a program that gets one must decide what to do: correct the request, ask another person, wait,
//!   or call somebody. What would make no difference to that is in the text. `NotFound` therefore does not say of which type
//!   the missing thing is.
//! - `WrongPassphrase` and `Throttled` are kinds of their own because the page answers them beside the form, and because the
//!   API must not confuse them with a caller who may not act at all.
//! - Everything but `Call` promises that *nothing has changed*. `Call` can't: the component may have been stopped after it had
//!   written. The API then says that the outcome is not known, and keeps the idempotency key (`api/idempotency.rs`).
//! - A declaration of schemas is a document, so [`SchemasError`] says where in it the mistake is.
//! - What fails without an organization has its own types as well: [`crate::RegistryError`], [`crate::api_keys::ApiKeyError`],
//!   [`crate::BuildError`]. At the edge of the process, in `cli/`, all of them become `anyhow` errors: there is nobody left who
//!   would tell them apart.
//! - All are `non_exhaustive`: a later version may know more reasons.

mod plain_words;

use insomnia_scim_contract as contract;

use crate::component::CallError;
use crate::directory::Requirement;

pub(crate) use plain_words::plain;

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

/// Why a declaration of schemas was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemasError {
    /// The declaration is not valid.
    #[error("{}", at(.pointer, .detail))]
    Invalid {
        /// A JSON Pointer (RFC 6901) to the mistake, such as `/schemas/0/attributes/2/type`; empty for the whole declaration.
        pointer: String,
        /// What is wrong there.
        detail: String,
    },
    /// It was refused for another reason.
    #[error(transparent)]
    Refused(#[from] ActionError),
}

/// A mistake and its place, if it has one.
fn at(pointer: &str, detail: &str) -> String {
    if pointer.is_empty() { detail.to_owned() } else { format!("{pointer}: {detail}") }
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
