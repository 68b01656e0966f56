//! The mass-deprovisioning guard.

use serde::{Deserialize, Serialize};
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::enumeration::enumeration;

/// The thresholds of the guard. It holds the identity provider's deactivations and deletions that exceed either of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// The number of removals that pass within an hour: 1 or more. Further ones are held.
    #[cfg_attr(feature = "openapi", schema(minimum = 1))]
    pub number: Option<u32>,
    /// The percentage of the active members managed by SCIM whose removals pass within an hour: 1 to 99. Further ones are held.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 99))]
    pub share: Option<u8>,
}

enumeration! {
    /// The removal that the identity provider wants.
    pub enum Removal {
        /// The member is to lose access.
        Deactivate = "deactivate",
        /// The member is to be removed from the organization.
        Delete = "delete",
    }
}

enumeration! {
    /// An owner's decision about a removal. It is valid for a week.
    pub enum Decision {
        /// The identity provider's next try succeeds.
        Allowed = "allowed",
        /// The identity provider's tries are answered 403.
        Refused = "refused",
    }
}

/// A removal that was answered 503. It waits for an owner's decision, or has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct HeldRemoval {
    /// The member's id.
    pub member: String,
    /// The member's name.
    pub name: String,
    /// The removal that the identity provider wants.
    pub removal: Removal,
    /// When the identity provider last tried, or when the decision was made.
    pub time: u64,
    /// `None` while it waits.
    pub decision: Option<Decision>,
}

/// The state of the guard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct GuardStatus {
    /// The thresholds; `None` if the guard is off.
    pub guard: Option<Guard>,
    /// Since when removals are held and owners know about it.
    #[cfg_attr(feature = "host", component(name = "holding-since"))]
    pub holding_since: Option<u64>,
    /// A page of the removals that it holds.
    pub held: Vec<HeldRemoval>,
    /// For `after`; `None` on the last page.
    pub next: Option<String>,
}

/// A held removal and its member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct HeldMember {
    /// The removal.
    pub removal: HeldRemoval,
    /// The member's email address; empty if there is none.
    pub email: String,
    /// The member's SCIM `userName`.
    #[cfg_attr(feature = "host", component(name = "user-name"))]
    pub user_name: String,
}

/// How many removals the guard holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct HeldCounts {
    /// Deactivations that wait for an owner.
    pub deactivations: u32,
    /// Deletions that wait for an owner.
    pub deletions: u32,
    /// Removals that an owner has let through, and that the identity provider has not tried again yet.
    pub allowed: u32,
    /// Removals that an owner has refused within the last week.
    pub refused: u32,
    /// Whether there are more, because only 20,000 are counted.
    #[cfg_attr(feature = "host", component(name = "at-least"))]
    pub at_least: bool,
}

/// A page of what the guard holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct HeldPage {
    /// The removals, waiting and decided ones.
    pub items: Vec<HeldMember>,
    /// For `after`; `None` on the last page.
    pub next: Option<String>,
    /// The counts of everything that is held, not of this page.
    pub counts: HeldCounts,
}
