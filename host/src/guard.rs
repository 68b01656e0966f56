//! The types of the mass-deprovisioning guard and of the preview. Times are milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::Member;

/// From where on deactivations and deletions by the identity provider are held: beyond either threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// The number of removals that pass within an hour: 1 or more. Further ones are held.
    #[schema(minimum = 1)]
    pub number: Option<u32>,
    /// The percentage of the active members managed by SCIM whose removals pass within an hour: 1 to 99. Further ones are held.
    #[schema(minimum = 1, maximum = 99)]
    pub share: Option<u8>,
}

/// What the identity provider wants to do to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Take away access.
    Deactivate,
    /// Remove from the organization.
    Delete,
}

/// What an owner decided about a removal; it holds for a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// The identity provider's next try succeeds.
    Allowed,
    /// It is answered 403.
    Refused,
}

/// A removal that was answered 503, and waits for an owner or was decided upon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeldRemoval {
    /// The member's id.
    pub member: String,
    /// The member's name.
    pub name: String,
    /// What the identity provider wants.
    pub removal: Removal,
    /// When it last tried, or when it was decided.
    pub time: u64,
    /// `None` while it waits.
    pub decision: Option<Decision>,
}

/// The guard as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct GuardStatus {
    /// `None` if it is off.
    pub guard: Option<Guard>,
    /// Since when removals are held and the owners know.
    pub holding_since: Option<u64>,
    /// A page of what it holds.
    pub held: Vec<HeldRemoval>,
    /// For `after`; `None` on the last page.
    pub next: Option<String>,
}

/// What would become of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PreviewOutcome {
    /// A member would be added.
    Creates,
    /// A manual member with the same userName or email address would be managed by SCIM.
    Adopts,
    /// The member is managed by SCIM already.
    Exists,
    /// It would be refused.
    Refuses,
}

/// One user of a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PreviewedUser {
    /// As sent.
    pub user_name: String,
    /// What would become of it.
    pub outcome: PreviewOutcome,
    /// The id of the member that it matches.
    pub member: Option<String>,
    /// By what it matches, or why it is refused.
    pub reason: String,
}

/// What provisioning a list of users would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preview {
    /// In the order of the list.
    pub users: Vec<PreviewedUser>,
    /// Active members who stay manual and keep their seats; the first 500 of them.
    pub left_manual: Vec<Member>,
    /// How many there are.
    pub left_manual_count: u64,
    /// How many seats the plan has.
    pub seats: u32,
    /// How many are taken now.
    pub taken: u64,
    /// How many would be taken.
    pub taken_after: u64,
}
