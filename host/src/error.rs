//! Why an action on an organization was refused, and who reads about it.
//!
//! # Who sees which message
//!
//! A refusal is decided once, where the rule is. Its text is not changed on the way to the reader:
//!
//! 1. **The component decides.** Each of its layers has an error of its own (`StoreError`, `Refusal`, `ConnectorError`,
//!    `DirectoryError`, `PassphraseError`), because each layer has other reasons. At the component's border they become the
//!    `error` of `wit/types.wit`: a closed list of *kinds*, and a text that says what is wrong in this case.
//! 2. **[`ActionError`] is that list in Rust**, with one kind more: [`ActionError::Call`], if the component gave no answer.
//!    All actions of [`crate::Organization`] return it.
//! 3. **The faces translate kinds, not texts.** The admin API makes a problem (RFC 9457) of an error, the SCIM page makes a
//!    view or a line beside the form, and the command line makes a message and an exit code. SCIM requests are an exception:
//!    the component itself answers them with a SCIM error. For them only [`ActionError::Call`] has a counterpart, which
//!    [`crate::Organization::scim`] writes.
//!
//! The kind says who reads the text, the person who acted or the operator:
//!
//! | kind | its text is for | what a face does |
//! |---|---|---|
//! | `UnmetRequirements`, `Forbidden`, `NotFound`, `Conflict`, `Invalid`, `NoFreeSeat`, `NotConfigured` | the person who acted: it says what to do, and reveals nothing that this person may not know | shows the text |
//! | `WrongPassphrase`, `Throttled` | the same person, but it contains nothing of use | shows a sentence of its own |
//! | `Unavailable`, `Other`, `Call` | the operator: it may name files, hosts and versions | logs the text; tells the person that the server failed or is busy, and the id by which the log has it |
//!
//! # Why the enumerations are as they are
//!
//! - There are few kinds, because a program must decide by the kind what to do: correct the request, ask another person, wait,
//!   or call somebody. Differences that do not matter for this are in the text. `NotFound`, for example, does not say of which
//!   type the missing thing is.
//! - `WrongPassphrase` and `Throttled` are kinds of their own because the page answers them beside the form, and because the
//!   API must not confuse them with a caller who may not act at all.
//! - All kinds except `Call` promise that *nothing has changed*. `Call` can't promise this: the component may have been
//!   stopped after it had written. The API then says that the outcome is not known, and keeps the idempotency key
//!   (`api/idempotency.rs`).
//! - A declaration of schemas is a document, so [`SchemasError`] says where in the document the mistake is.
//! - Failures that concern no organization have types of their own: [`crate::RegistryError`],
//!   [`crate::api_keys::ApiKeyError`], [`crate::BuildError`]. In `cli/`, at the edge of the process, all of them become
//!   `anyhow` errors, because nothing there distinguishes them any more.
//! - All are `non_exhaustive`: a later version may add reasons.

mod plain_words;

use insomnia_scim_contract as contract;

use crate::component::CallError;
use crate::directory::Requirement;

pub(crate) use plain_words::plain;

/// Why an action was refused. Nothing has changed, unless it is [`ActionError::Call`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// All the requirements for SCIM that are not met, at once.
    #[error("SCIM can't be enabled yet: {}", requirements(.0))]
    UnmetRequirements(Vec<Requirement>),
    /// The actor may not do this; the text says why.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// The actor's passphrase is wrong.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// There were too many tries. The number is the seconds to wait.
    #[error("too many tries; wait {0} seconds")]
    Throttled(u32),
    /// There is no such member, team, or entry.
    #[error("not found: {0}")]
    NotFound(String),
    /// The action contradicts the present state. The text says how.
    #[error("conflict: {0}")]
    Conflict(String),
    /// An argument is not valid. The text says which one, and why.
    #[error("not valid: {0}")]
    Invalid(String),
    /// Every seat is taken.
    #[error("every seat is taken: free one, or raise the number of seats")]
    NoFreeSeat,
    /// The host does not offer something that this needs. The text says what.
    #[error("not configured: {0}")]
    NotConfigured(String),
    /// The storage can't be reached or is contended. The same call may succeed later.
    #[error("unavailable for the moment: {0}")]
    Unavailable(String),
    /// Any other error. The text is for the log.
    #[error("failed: {0}")]
    Other(String),
    /// The component gave no answer. Unlike the others, this call may have changed something.
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
        /// The mistake, in a sentence.
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
