//! Further keys of teams, beside those of [`super::Kind`]. Each membership is stored twice: under the team and under
//! the member.

use crate::capability::{Key, KeyRange};

keys! {
    /// The counter of a team's members.
    pub fn team_size(team: &str) -> Key = "count/team/{team}";
    /// A membership under its team; the value is the member's display name as JSON.
    pub fn team_member(team: &str, member: &str) -> Key = "team-member/{team}/{member}";
    /// A team's members.
    pub fn team_members(team: &str) -> KeyRange = "team-member/{team}/";
    /// A membership under its member. The value is empty.
    pub fn member_team(member: &str, team: &str) -> Key = "member-team/{member}/{team}";
    /// A member's teams.
    pub fn member_teams(member: &str) -> KeyRange = "member-team/{member}/";
}
