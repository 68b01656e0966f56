//! Keys of teams, beside those that [`super::Kind`] has: memberships, which have two ends.

use crate::capability::{Key, KeyRange};

keys! {
    /// The counter of a team's members.
    pub fn team_size(team: &str) -> Key = "count/team/{team}";
    /// The team's end of a membership: the member's display name as JSON.
    pub fn team_member(team: &str, member: &str) -> Key = "team-member/{team}/{member}";
    /// A team's members.
    pub fn team_members(team: &str) -> KeyRange = "team-member/{team}/";
    /// The member's end of a membership. The value is empty.
    pub fn member_team(member: &str, team: &str) -> Key = "member-team/{member}/{team}";
    /// A member's teams.
    pub fn member_teams(member: &str) -> KeyRange = "member-team/{member}/";
}
