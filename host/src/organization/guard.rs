//! An organization's mass-deprovisioning guard, and the preview of provisioning.

use insomnia_scim_contract::Actor;

use super::Organization;
use crate::error::ActionError;
use crate::guard::{Decision, Guard, GuardStatus, HeldPage, Preview};

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// Switches the mass-deprovisioning guard on, or off. Switching it off forgets what it holds.
    pub async fn set_guard(&self, guard: Option<Guard>) -> Result<(), ActionError> {
        let by = self.by.clone();
        act!(self.insomnia_scim_directory.call_set_guard(&by, guard))
    }

    /// The guard, and a page of at most 500 removals that it holds.
    pub async fn guard(&self, after: Option<&str>, limit: u32) -> Result<GuardStatus, ActionError> {
        let after = after.map(str::to_owned);
        act!(self.insomnia_scim_directory.call_get_guard(after.as_deref(), limit))
    }

    /// A page of at most 500 removals that the guard holds, with their members, and the number of all.
    pub async fn held(&self, after: Option<&str>, limit: u32) -> Result<HeldPage, ActionError> {
        let after = after.map(str::to_owned);
        act!(self.insomnia_scim_directory.call_list_held(after.as_deref(), limit))
    }

    /// Lets held removals through or refuses them: those of these members (ids), or all that wait if there are none. Returns
    /// how many. The actor must be the owner or a co-owner.
    pub async fn decide_held(
        &self,
        actor: impl Into<Actor>,
        decision: Decision,
        members: &[String],
    ) -> Result<u32, ActionError> {
        let (by, members) = (self.by(actor), members.to_vec());
        act!(self.insomnia_scim_directory.call_decide_held(&by, decision, &members))
    }

    /// Shows what provisioning these users would do, and changes nothing. `users` is a JSON array of at most 10,000 SCIM
    /// Users, or an object with such an array `Resources`.
    pub async fn preview(&self, users: String) -> Result<Preview, ActionError> {
        act!(self.insomnia_scim_directory.call_preview_users(&users))
    }
}
