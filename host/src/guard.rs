//! The types of the mass-deprovisioning guard and of the preview. Times are milliseconds since the Unix epoch.

use serde::Serialize;
use utoipa::ToSchema;

use crate::directory::Member;

pub use insomnia_scim_contract::{Decision, Guard, GuardStatus, HeldRemoval, Removal};

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
