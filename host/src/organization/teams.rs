//! An organization's teams and their members. A team is given by its id or its name.

use super::Organization;
use crate::directory::{Listed, Listing, Member, Team};
use crate::error::ActionError;

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// Adds a team by hand, with these members.
    pub async fn add_team(&self, name: &str, members: &[String]) -> Result<Team, ActionError> {
        let (by, name, members) = (self.by.clone(), name.to_owned(), members.to_vec());
        act!(self.insomnia_scim_directory.call_add_team(&by, &name, &members))
    }

    /// Teams of either origin.
    pub async fn teams(&self, listing: Listing) -> Result<Listed<Team>, ActionError> {
        act!(self.insomnia_scim_directory.call_list_teams(&listing))
    }

    /// The team.
    pub async fn team(&self, team: &str) -> Result<Team, ActionError> {
        let team = team.to_owned();
        act!(self.insomnia_scim_directory.call_get_team(&team))
    }

    /// The members of a team.
    pub async fn team_members(&self, team: &str, listing: Listing) -> Result<Listed<Member>, ActionError> {
        let team = team.to_owned();
        act!(self.insomnia_scim_directory.call_list_team_members(&team, &listing))
    }

    /// Adds members to a team and removes others from it, by hand, whoever manages the team. Members to add who are in the
    /// team already, and members to remove who are not in it, stay as they are.
    pub async fn change_team_members(
        &self,
        team: &str,
        add: &[String],
        remove: &[String],
    ) -> Result<Team, ActionError> {
        let (by, team, add, remove) = (self.by.clone(), team.to_owned(), add.to_vec(), remove.to_vec());
        act!(self.insomnia_scim_directory.call_change_team_members(&by, &team, &add, &remove))
    }

    /// Removes a team and its memberships. Its members stay in the organization.
    pub async fn remove_team(&self, team: &str) -> Result<(), ActionError> {
        let (by, team) = (self.by.clone(), team.to_owned());
        act!(self.insomnia_scim_directory.call_remove_team(&by, &team))
    }
}
