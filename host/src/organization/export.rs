//! Exports of an organization's members and teams as comma-separated values, read part by part.

use axum::response::Response;

use super::Organization;
use crate::directory::{Found, Member, MemberQuery, OrganizationRecord, Team, TeamQuery};
use crate::download::{CSV, Parts, csv_line, download};
use crate::error::ActionError;
use crate::timestamp::{date, iso};

/// Members or teams of one part.
const PART: u32 = 500;

/// The query, and the form in which its results are written.
#[derive(Clone)]
enum What {
    Members(MemberQuery),
    Teams(TeamQuery),
}

/// A running export.
pub(crate) struct DirectoryExport {
    organization: Organization,
    /// `None` at the end.
    what: Option<What>,
    /// The data for marks of members; `None` before the first part.
    record: Option<OrganizationRecord>,
}

impl DirectoryExport {
    /// Exports the members that the query finds, on all pages.
    pub(crate) fn members(organization: Organization, query: MemberQuery) -> Self {
        let what = What::Members(MemberQuery { cursor: None, limit: PART, ..query });
        Self { organization, what: Some(what), record: None }
    }

    /// Exports the teams that the query finds, on all pages.
    pub(crate) fn teams(organization: Organization, query: TeamQuery) -> Self {
        let what = What::Teams(TeamQuery { cursor: None, limit: PART, ..query });
        Self { organization, what: Some(what), record: None }
    }

    /// The export as a file to download, named after the organization and the day; see [`download`].
    ///
    /// # Errors
    /// Those of the search, for the first part.
    pub(crate) async fn into_response(
        self,
        now: u64,
        while_open: impl Send + 'static,
    ) -> Result<Response, ActionError> {
        let kind = if matches!(self.what, Some(What::Teams(_))) { "teams" } else { "members" };
        let name = format!("scim-{kind}-{}-{}.csv", self.organization.id(), date(now));
        download(self, &name, CSV, while_open).await
    }
}

impl Parts for DirectoryExport {
    type Error = ActionError;

    async fn next(&mut self) -> Result<Option<Vec<u8>>, ActionError> {
        let Some(what) = self.what.clone() else { return Ok(None) };
        let is_first = self.record.is_none();
        if is_first {
            self.record = Some(self.organization.get().await?.unwrap_or_default());
        }
        let record = self.record.clone().unwrap_or_default();
        let mut part = String::new();
        self.what = match what {
            What::Members(query) => {
                part.push_str(if is_first { MEMBERS } else { "" });
                let Found { items, next, .. } = self.organization.find_members(query.clone()).await?;
                part.extend(items.into_iter().map(|member| member_line(member, &record)));
                next.map(|next| What::Members(MemberQuery { cursor: Some(next), ..query }))
            }
            What::Teams(query) => {
                part.push_str(if is_first { TEAMS } else { "" });
                let Found { items, next, .. } = self.organization.find_teams(query.clone()).await?;
                part.extend(items.into_iter().map(team_line));
                next.map(|next| What::Teams(TeamQuery { cursor: Some(next), ..query }))
            }
        };
        Ok(Some(part.into_bytes()))
    }
}

/// The first line of an export of members.
const MEMBERS: &str = "id,user_name,display_name,email,role,origin,active,mark,created,last_modified\r\n";
/// The first line of an export of teams.
const TEAMS: &str = "id,name,origin,members,created,last_modified\r\n";

fn member_line(member: Member, record: &OrganizationRecord) -> String {
    let mark = record.mark(&member.email, &member.user_name).map(|mark| mark.to_string()).unwrap_or_default();
    let Member { id, email, user_name, display_name, role, origin, active, created, last_modified } = member;
    let (role, origin) = (role.name().to_owned(), origin.name().to_owned());
    let (active, created, last_modified) = (active.to_string(), iso(created), iso(last_modified));
    csv_line([id, user_name, display_name, email, role, origin, active, mark, created, last_modified])
}

fn team_line(team: Team) -> String {
    let Team { id, name, origin, members, created, last_modified } = team;
    csv_line([id, name, origin.name().to_owned(), members.to_string(), iso(created), iso(last_modified)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Origin, Role};

    #[test]
    fn c24_a_line_has_as_many_cells_as_the_first_one_and_says_the_mark() {
        let (id, user_name, display_name) = ("1".to_owned(), "ada".to_owned(), "=Ada()".to_owned());
        let (role, origin) = (Role::CoOwner, Origin::Scim);
        let member = Member {
            id,
            user_name,
            display_name,
            email: String::new(),
            role,
            origin,
            active: true,
            created: 0,
            last_modified: 1,
        };
        let line = member_line(member, &OrganizationRecord::default());
        let expected = "1,ada,'=Ada(),,co-owner,scim,true,can't sign in: no email address,\
                        1970-01-01T00:00:00.000Z,1970-01-01T00:00:00.001Z\r\n";
        assert_eq!(line, expected);
        let commas = |line: &str| line.matches(',').count();
        assert_eq!(commas(&line), commas(MEMBERS));
        let team = Team { id: "1".into(), name: "Design".into(), origin, members: 3, created: 0, last_modified: 1 };
        assert_eq!(commas(&team_line(team)), commas(TEAMS));
    }
}
