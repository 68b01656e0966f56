//! An organization's owner, for who acts without naming anybody.

use super::Organization;
use crate::directory::{Listing, Member, Role};
use crate::error::ActionError;

impl Organization {
    /// The first active owner; `None` if there is none.
    pub(crate) async fn active_owner(&self) -> Result<Option<Member>, ActionError> {
        let mut listing = Listing { limit: 500, ..Listing::default() };
        loop {
            let page = self.members(listing.clone()).await?;
            let owner = page.items.into_iter().find(|member| member.active && member.role == Role::Owner);
            if owner.is_some() || page.next.is_none() {
                return Ok(owner);
            }
            listing.after = page.next;
        }
    }
}
