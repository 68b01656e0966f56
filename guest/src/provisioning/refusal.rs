//! The reasons for which a change is refused.

use insomnia_scim_contract::Removal;
use thiserror::Error;

use crate::protocol::error::ScimError;
use crate::sentence::Sentence;
use crate::store::{Retry, StoreError, keys};

/// The reason why a change was refused. Nothing has changed.
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
    /// Another member or team has this value, which is unique in the organization.
    #[error("{attribute} '{value}' is taken by {id}")]
    Taken {
        /// The attribute, such as `userName`.
        attribute: &'static str,
        /// The value.
        value: String,
        /// The id of the member or team that has the value.
        id: String,
    },
    /// Every seat is taken.
    #[error("all {seats} seats of the organization are taken: free one or buy more, then provision again")]
    NoFreeSeat {
        /// How many seats there are.
        seats: u32,
    },
    /// The last active owner can't be deactivated, deleted or demoted.
    #[error("this is the last active owner of the organization, who can't be deactivated, deleted or demoted")]
    LastOwner,
    /// Only users with an email address may be provisioned.
    #[error(
        "the user has no email address and could not sign in; only users with an email address may be \
        provisioned"
    )]
    NoAddress,
    /// Only users of verified domains may be provisioned.
    #[error("the domain of '{address}' is not verified, and only users of verified domains may be provisioned")]
    ForeignDomain {
        /// The email address.
        address: String,
    },
    /// The mass-deprovisioning guard holds the removal until an owner decides.
    #[error(
        "too many members are deactivated or deleted at once: this waits until an owner of the organization decides"
    )]
    Held {
        /// The id of the member.
        member: String,
        /// Whether the member was to be deactivated or deleted.
        removal: Removal,
    },
    /// An owner refused the removal that the guard had held.
    #[error("an owner of the organization has refused to deactivate or delete this member")]
    RemovalRefused,
    /// No member has these ids.
    #[error("unknown members: {}", named(.0))]
    UnknownMembers(Vec<String>),
    /// The members were to be replaced by these ids, and no member has any of them.
    #[error("no member has any of these ids, so the members were not replaced: {}", named(.0))]
    NobodyKnown(Vec<String>),
    /// The members who match a filter were to be replaced, and no member matches.
    #[error("no member matches the path")]
    NobodyMatches,
    /// A team can't be a member of a team.
    #[error("'{0}' can't be a member: groups hold users only, no groups")]
    NestedTeam(String),
    /// The resource has another version than the client's precondition requires.
    #[error("the resource's version is not one that the If-Match and If-None-Match headers allow")]
    PreconditionFailed,
    /// The change itself breaks a rule of the protocol.
    #[error(transparent)]
    Protocol(#[from] ScimError),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// The rule that has refused the change, for the SCIM log; `None` if the error's detail already says everything.
    #[must_use]
    pub fn rule(&self) -> Option<String> {
        let sentence = match self {
            Self::Taken { attribute, id, .. } => Sentence::Taken { attribute, id: id.clone() },
            Self::NoFreeSeat { seats } => Sentence::NoSeatFree { seats: *seats },
            Self::LastOwner => Sentence::LastOwner,
            Self::ForeignDomain { address } => {
                Sentence::ForeignDomain { domain: address.rsplit('@').next().unwrap_or_default().to_owned() }
            }
            Self::NoAddress => Sentence::NoAddress,
            Self::Held { .. } => Sentence::Held,
            Self::RemovalRefused => Sentence::RemovalRefused,
            Self::UnknownMembers(ids) => Sentence::UnknownMembers { count: ids.len() },
            Self::NobodyKnown(ids) => Sentence::NobodyKnown { count: ids.len() },
            Self::NestedTeam(_) => Sentence::NestedTeam,
            Self::PreconditionFailed => Sentence::OtherVersion,
            Self::NotFound { .. } | Self::NobodyMatches | Self::Protocol(_) | Self::Store(_) => return None,
        };
        Some(sentence.into())
    }

    /// The refusal for a failed commit, in an organization with this many seats.
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
