//! A member as a row of a table.

use insomnia_scim_contract::Mark;

use super::when::When;
use crate::directory::{Member, OrganizationRecord, Origin, Role};

/// A row of `member_table.html`.
pub(super) struct MemberRow {
    pub(super) member: Member,
    pub(super) role: &'static str,
    pub(super) scim: bool,
    pub(super) mark: Option<Mark>,
    pub(super) created: When,
    pub(super) changed: When,
}

impl MemberRow {
    /// The row of a member of this organization.
    pub(super) fn new(member: Member, organization: &OrganizationRecord) -> Self {
        Self {
            role: match member.role {
                Role::Owner => "Owner",
                Role::CoOwner => "Co-owner",
                Role::Member => "Member",
            },
            scim: member.origin == Origin::Scim,
            mark: organization.mark(&member.email, &member.user_name),
            created: When::bare_minute(member.created),
            changed: When::bare_minute(member.last_modified),
            member,
        }
    }
}
