//! Members and teams: searchable, page by page.

use askama::Template;
use axum::response::Html;
use serde::Deserialize;

use super::overview::grouped;
use super::query::{Query, query, typed};
use super::refusal::Refusal;
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use crate::directory::{Listing, Member, Origin, Role, Team};

/// Rows of a page.
const ROWS: u32 = 50;

/// The query.
#[derive(Deserialize)]
pub(super) struct Asked {
    q: Option<String>,
    after: Option<String>,
}

impl Asked {
    fn listing(&self) -> Listing {
        Listing { prefix: typed(self.q.as_ref()).map(str::to_owned), after: self.after.clone(), limit: ROWS }
    }

    fn paging(&self, visit: &Visit, view: &str, next: Option<String>) -> Paging {
        let q = typed(self.q.as_ref());
        let path = visit.path(view);
        Paging {
            first: self.after.as_ref().map(|_| format!("{path}{}", query(&[("q", q)]))),
            next: next.map(|next| format!("{path}{}", query(&[("q", q), ("after", Some(&next))]))),
        }
    }
}

/// Links to other pages of a list.
pub(super) struct Paging {
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    shell: Shell,
    q: String,
    members: Vec<MemberRow>,
    paging: Paging,
}

struct MemberRow {
    member: Member,
    role: &'static str,
    scim: bool,
    created: When,
    changed: When,
}

#[derive(Template)]
#[template(path = "teams.html")]
struct TeamsPage {
    shell: Shell,
    q: String,
    teams: Vec<TeamRow>,
    paging: Paging,
}

struct TeamRow {
    team: Team,
    members: String,
    scim: bool,
    created: When,
    changed: When,
}

/// `GET …/members`.
pub(super) async fn members(Query(asked): Query<Asked>, visit: Visit) -> Result<Html<String>, Refusal> {
    let listed = visit.organization.members(asked.listing()).await?;
    let row = |member: Member| MemberRow {
        role: match member.role {
            Role::Owner => "Owner",
            Role::CoOwner => "Co-owner",
            Role::Member => "Member",
        },
        scim: member.origin == Origin::Scim,
        created: When::bare_minute(member.created),
        changed: When::bare_minute(member.last_modified),
        member,
    };
    let page = MembersPage {
        shell: visit.shell("Members", "members"),
        q: typed(asked.q.as_ref()).unwrap_or_default().to_owned(),
        members: listed.items.into_iter().map(row).collect(),
        paging: asked.paging(&visit, "members", listed.next),
    };
    Ok(Html(page.render()?))
}

/// `GET …/teams`.
pub(super) async fn teams(Query(asked): Query<Asked>, visit: Visit) -> Result<Html<String>, Refusal> {
    let listed = visit.organization.teams(asked.listing()).await?;
    let row = |team: Team| TeamRow {
        members: grouped(team.members),
        scim: team.origin == Origin::Scim,
        created: When::bare_minute(team.created),
        changed: When::bare_minute(team.last_modified),
        team,
    };
    let page = TeamsPage {
        shell: visit.shell("Teams", "teams"),
        q: typed(asked.q.as_ref()).unwrap_or_default().to_owned(),
        teams: listed.items.into_iter().map(row).collect(),
        paging: asked.paging(&visit, "teams", listed.next),
    };
    Ok(Html(page.render()?))
}
