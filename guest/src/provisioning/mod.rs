//! Insomnia's rules: matching and adoption, lifecycle, licences, teams (rules P3 and P4). Knows no HTTP.
//!
//! | question | file |
//! |---|---|
//! | whom does the identity provider mean? | `matching` |
//! | what becomes of a member or a team, and why? | [`decide`] |
//! | who takes a seat, and what if none is free? | [`licences`] |
//! | who got no seat? | [`without_seat`] |
//! | who may administer, and who is the last owner? | [`administrators`] |
//! | who has no email address, or one of a domain that is not verified? | [`domains`] |
//! | who gets which email? | [`letters`] |
//! | what do events say? | `events` |
//! | what do streams of SCIM events say? | `sets` |
//! | how is it written, all in one commit? | `write`, [`Members`], [`Teams`], [`Resources`] |

pub mod administrators;
pub mod census;
pub mod decide;
pub mod domains;
pub(crate) mod events;
pub mod guard;
pub mod intake;
pub mod known;
pub mod letters;
pub mod licences;
pub mod passphrase;
pub mod reset;
pub mod without_seat;
pub(crate) mod write;

mod changed;
mod matching;
mod members;
mod refusal;
mod resources;
mod sets;
mod teams;
#[cfg(test)]
mod tests;

pub use members::Members;
pub use refusal::Refusal;
pub use resources::Resources;
pub use teams::Teams;

use crate::store::{StoreError, Stored};

/// An action on a member or a team, as the SCIM log names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was added.
    Created,
    /// It existed and people managed it; now SCIM manages it.
    Adopted,
    /// It was changed.
    Updated,
    /// Nothing was changed.
    Unchanged,
    /// The member has lost access, and the seat is free.
    Deactivated,
    /// The member has access again, and takes a seat.
    Reactivated,
    /// It was deleted.
    Deleted,
}

impl Action {
    /// The word in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Adopted => "adopted",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Deactivated => "deactivated",
            Self::Reactivated => "reactivated",
            Self::Deleted => "deleted",
        }
    }
}

/// A member or a team after a change.
#[derive(Clone, Debug)]
pub struct Provisioned<T> {
    /// The stored record after the change.
    pub stored: Stored<T>,
    /// The action.
    pub action: Action,
    /// The reasons for the SCIM log: what the match was, and what happened to the seat.
    pub because: Vec<String>,
    /// How many members of a team were left out because no member has their ids.
    pub left_out: usize,
}

/// A condition that a resource's version must meet before the resource is changed (RFC 7644 §3.14). It fails where the
/// storage can't tell whether it is met.
pub type Precondition<'p> = &'p dyn Fn(u64) -> Result<bool, StoreError>;

/// The resource that is to be changed, if it exists and its version meets the precondition.
fn existing<T>(
    found: Option<Stored<T>>,
    kind: &str,
    id: &str,
    precondition: Precondition<'_>,
) -> Result<Stored<T>, Refusal> {
    let stored = found.ok_or_else(|| Refusal::NotFound { kind: kind.to_owned(), id: id.to_owned() })?;
    if precondition(stored.resource_version())? { Ok(stored) } else { Err(Refusal::PreconditionFailed) }
}
