//! What provisioning a list of users would do.

use serde::Serialize;
#[cfg(feature = "openapi")]
use utoipa::ToSchema;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

use crate::Member;
use crate::enumeration::enumeration;

enumeration! {
    /// What provisioning would do with a user.
    pub enum PreviewOutcome {
        /// A member would be added.
        Creates = "creates",
        /// A manual member with the same userName or email address would be managed by SCIM.
        Adopts = "adopts",
        /// The member is managed by SCIM already.
        Exists = "exists",
        /// The user would be refused.
        Refuses = "refuses",
    }
}

/// One user of a preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct PreviewedUser {
    /// The `userName` as sent.
    #[cfg_attr(feature = "host", component(name = "user-name"))]
    pub user_name: String,
    /// What provisioning would do with this user.
    pub outcome: PreviewOutcome,
    /// The id of the member that it matches.
    pub member: Option<String>,
    /// The attribute by which it matches, or the reason why it is refused. After a semicolon follows what administrators
    /// should know about the user, for example that the user could never sign in.
    pub reason: String,
}

/// What provisioning a list of users would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
#[cfg_attr(feature = "openapi", derive(ToSchema))]
pub struct Preview {
    /// In the order of the list.
    pub users: Vec<PreviewedUser>,
    /// Active members who stay manual and keep their seats; the first 500 of them.
    #[cfg_attr(feature = "host", component(name = "left-manual"))]
    pub left_manual: Vec<Member>,
    /// How many such members there are.
    #[cfg_attr(feature = "host", component(name = "left-manual-count"))]
    pub left_manual_count: u64,
    /// How many seats the plan has.
    pub seats: u32,
    /// How many seats are taken now.
    pub taken: u64,
    /// How many seats would be taken afterwards.
    #[cfg_attr(feature = "host", component(name = "taken-after"))]
    pub taken_after: u64,
    /// How many users of the list would be refused because no seat is free for them.
    #[cfg_attr(feature = "host", component(name = "seats-missing"))]
    pub seats_missing: u64,
}
