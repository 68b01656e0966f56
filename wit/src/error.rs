//! Why an action was refused.

#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

enumeration! {
    /// A requirement for enabling SCIM.
    pub enum Requirement {
        /// The organization is on the Enterprise plan.
        EnterprisePlan = "enterprise-plan",
        /// The actor is the organization's owner or a co-owner.
        OwnerOrCoOwner = "owner-or-co-owner",
        /// At least one domain is verified.
        VerifiedDomain = "verified-domain",
        /// Single sign-on is configured for an identity provider.
        SingleSignOn = "single-sign-on",
    }
}

impl Requirement {
    /// The requirement as a sentence without a full stop.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::EnterprisePlan => "the organization must be on the Enterprise plan",
            Self::OwnerOrCoOwner => "the actor must be its owner or a co-owner",
            Self::VerifiedDomain => "at least one domain must be verified",
            Self::SingleSignOn => "single sign-on must be configured for an identity provider",
        }
    }
}

/// Why an action was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(variant))]
pub enum ActionError {
    /// All the requirements for SCIM that are not met, at once.
    #[error("SCIM can't be enabled yet: {}", sentences(.0))]
    #[cfg_attr(feature = "host", component(name = "unmet-requirements"))]
    UnmetRequirements(Vec<Requirement>),
    /// The actor may not do this; the text says why.
    #[error("not allowed: {0}")]
    #[cfg_attr(feature = "host", component(name = "forbidden"))]
    Forbidden(String),
    /// The actor's passphrase is wrong.
    #[error("the passphrase is wrong")]
    #[cfg_attr(feature = "host", component(name = "wrong-passphrase"))]
    WrongPassphrase,
    /// There were too many tries. The number is the seconds to wait.
    #[error("too many tries; wait {0} seconds")]
    #[cfg_attr(feature = "host", component(name = "throttled"))]
    Throttled(u32),
    /// There is no such member, team, or entry.
    #[error("not found: {0}")]
    #[cfg_attr(feature = "host", component(name = "not-found"))]
    NotFound(String),
    /// The action contradicts the present state. The text says how.
    #[error("conflict: {0}")]
    #[cfg_attr(feature = "host", component(name = "conflict"))]
    Conflict(String),
    /// An argument is not valid. The text says which one, and why.
    #[error("not valid: {0}")]
    #[cfg_attr(feature = "host", component(name = "invalid"))]
    Invalid(String),
    /// Every seat is taken.
    #[error("every seat is taken: free one, or raise the number of seats")]
    #[cfg_attr(feature = "host", component(name = "no-free-seat"))]
    NoFreeSeat,
    /// The host does not offer something that this needs. The text says what.
    #[error("not configured: {0}")]
    #[cfg_attr(feature = "host", component(name = "not-configured"))]
    NotConfigured(String),
    /// The storage can't be reached or is contended. The same call may succeed later.
    #[error("unavailable for the moment: {0}")]
    #[cfg_attr(feature = "host", component(name = "unavailable"))]
    Unavailable(String),
    /// Any other error. The text is for the log.
    #[error("failed: {0}")]
    #[cfg_attr(feature = "host", component(name = "other"))]
    Other(String),
}

fn sentences(unmet: &[Requirement]) -> String {
    unmet.iter().map(|requirement| requirement.sentence()).collect::<Vec<_>>().join("; ")
}
