//! Searches, describes and counts an organization's members and teams, and lists the people who got no seat.

use super::Organization;
use crate::directory::{
    Census, DescribedMember, DescribedTeam, Found, Member, MemberQuery, Team, TeamQuery, WithoutSeat,
};
use crate::error::ActionError;

#[allow(clippy::missing_errors_doc, reason = "see the type")]
impl Organization {
    /// Searches members of either origin, page by page, forwards and backwards.
    pub async fn find_members(&self, query: MemberQuery) -> Result<Found<Member>, ActionError> {
        act!(self.insomnia_scim_directory.call_find_members(&query))
    }

    /// Searches teams of either origin, page by page, forwards and backwards.
    pub async fn find_teams(&self, query: TeamQuery) -> Result<Found<Team>, ActionError> {
        act!(self.insomnia_scim_directory.call_find_teams(&query))
    }

    /// The member, and everything that is known about the person.
    pub async fn describe_member(&self, member: &str) -> Result<DescribedMember, ActionError> {
        let member = member.to_owned();
        act!(self.insomnia_scim_directory.call_describe_member(&member))
    }

    /// The team, and everything that is known about it.
    pub async fn describe_team(&self, team: &str) -> Result<DescribedTeam, ActionError> {
        let team = team.to_owned();
        act!(self.insomnia_scim_directory.call_describe_team(&team))
    }

    /// How many members and teams there are.
    pub async fn census(&self) -> Result<Census, ActionError> {
        act!(self.insomnia_scim_directory.call_get_census())
    }

    /// The people who should be active by the identity provider, and have no seat at this moment.
    pub async fn without_seat(&self) -> Result<WithoutSeat, ActionError> {
        act!(self.insomnia_scim_directory.call_list_without_seat())
    }
}
