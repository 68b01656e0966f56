//! Why a change was refused.

use thiserror::Error;

use super::guard::Removal;
use crate::protocol::error::ScimError;
use crate::store::{Retry, StoreError, keys};

/// Why a change was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such member or team.
    #[error("{kind} {id} does not exist")]
    NotFound {
        /// `User`, `Group`, or a declared resource type.
        kind: String,
        /// The id that was asked for.
        id: String,
    },
    /// Another one has this value, which is unique in the organization.
    #[error("{attribute} '{value}' is taken by {id}")]
    Taken {
        /// Such as `userName`.
        attribute: &'static str,
        /// The value.
        value: String,
        /// Who has it.
        id: String,
    },
    /// Every seat is taken.
    #[error("all {seats} seats of the organization are taken: free one or buy more, then provision again")]
    NoFreeSeat {
        /// How many there are.
        seats: u32,
    },
    /// The last active owner can't be deactivated, deleted or demoted.
    #[error("this is the last active owner of the organization, who can't be deactivated, deleted or demoted")]
    LastOwner,
    /// Only users with an email address may be provisioned.
    #[error("the user has no email address, so could never sign in, and only users with one may be provisioned")]
    NoAddress,
    /// Only users of verified domains may be provisioned.
    #[error("'{address}' is not of a verified domain of the organization, and only those may be provisioned")]
    ForeignDomain {
        /// The email address.
        address: String,
    },
    /// The mass-deprovisioning guard holds it until an owner decides.
    #[error(
        "too many members are deactivated or deleted at once: this waits until an owner of the organization decides"
    )]
    Held {
        /// The id of the member.
        member: String,
        /// What was to be done.
        removal: Removal,
    },
    /// An owner refused what the guard had held.
    #[error("an owner of the organization has refused to deactivate or delete this member")]
    RemovalRefused,
    /// These ids are of nobody.
    #[error("unknown members: {}", named(.0))]
    UnknownMembers(Vec<String>),
    /// These ids, which were to take the place of others, are all of nobody.
    #[error("none of the members is known, and to replace members by nobody is refused: {}", named(.0))]
    NobodyKnown(Vec<String>),
    /// A team can't be a member of a team.
    #[error("'{0}' can't be a member: groups hold users only, no groups")]
    NestedTeam(String),
    /// The resource is not of the version that the client knows.
    #[error("the resource has changed: its version is not the one of the If-Match header")]
    PreconditionFailed,
    /// The protocol refuses the change itself.
    #[error(transparent)]
    Protocol(#[from] ScimError),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// The rule that refuses, in words for the SCIM log; `None` where the error's detail says all there is.
    #[must_use]
    pub fn rule(&self) -> Option<String> {
        Some(match self {
            Self::Taken { attribute, id, .. } => format!("uniqueness: {attribute} belongs to {id}"),
            Self::NoFreeSeat { seats } => format!("no seat free: all {seats} are taken"),
            Self::LastOwner => "last active owner: stays active and owner".to_owned(),
            Self::ForeignDomain { address } => {
                let domain = address.rsplit('@').next().unwrap_or_default();
                format!("domain rule: '{domain}' is not a verified domain")
            }
            Self::NoAddress => "no email address, which an option requires".to_owned(),
            Self::Held { .. } => "held by the mass-deprovisioning guard until an owner decides".to_owned(),
            Self::RemovalRefused => "an owner has refused this removal".to_owned(),
            Self::UnknownMembers(ids) => format!("unknown members: {}", ids.len()),
            Self::NobodyKnown(ids) => format!("a replacement of whom nobody is known: {}", ids.len()),
            Self::NestedTeam(_) => "teams hold members only, no teams".to_owned(),
            Self::PreconditionFailed => "If-Match names another version".to_owned(),
            Self::NotFound { .. } | Self::Protocol(_) | Self::Store(_) => return None,
        })
    }

    /// What a failed commit means to an organization with so many seats.
    pub fn at_commit(error: StoreError, seats: u32) -> Self {
        match error {
            StoreError::Limit(key) if key == keys::SEATS => Self::NoFreeSeat { seats },
            StoreError::Limit(key) if key == keys::OWNERS => Self::LastOwner,
            other => other.into(),
        }
    }
}

/// Some of the ids that a client sent, short enough for an error and for the log.
pub(super) fn named(ids: &[String]) -> String {
    const MOST: usize = 10;
    let short = |id: &String| id.chars().take(64).filter(|character| !character.is_control()).collect();
    let mut names: Vec<String> = ids.iter().take(MOST).map(short).collect();
    if ids.len() > MOST {
        names.push("…".to_owned());
    }
    names.join(", ")
}

impl Retry for Refusal {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}
