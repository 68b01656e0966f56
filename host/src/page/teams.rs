//! Teams, and the members of one: searchable, page by page.

use askama::Template;
use axum::extract::Path;
use axum::response::Html;

use super::member_row::MemberRow;
use super::paging::Paging;
use super::query::{Query, typed};
use super::refusal::Refusal;
use super::search::Search;
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use super::words::grouped;
use crate::directory::{Origin, Team};

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

#[derive(Template)]
#[template(path = "team.html")]
struct TeamPage {
    shell: Shell,
    team: Team,
    scim: bool,
    /// How many members the team has, as people say it.
    count: String,
    q: String,
    /// The view's path below the page: searches go there.
    search_at: String,
    members: Vec<MemberRow>,
    paging: Paging,
}

/// `GET …/teams`.
pub(super) async fn list(Query(search): Query<Search>, visit: Visit) -> Result<Html<String>, Refusal> {
    let listed = visit.organization.teams(search.listing()).await?;
    let row = |team: Team| TeamRow {
        members: grouped(team.members),
        scim: team.origin == Origin::Scim,
        created: When::bare_minute(team.created),
        changed: When::bare_minute(team.last_modified),
        team,
    };
    let page = TeamsPage {
        shell: visit.shell("Teams", "teams"),
        q: typed(search.q.as_ref()).unwrap_or_default().to_owned(),
        teams: listed.items.into_iter().map(row).collect(),
        paging: search.paging(&visit, "teams", listed.next),
    };
    Ok(Html(page.render()?))
}

/// `GET …/teams/{team}`.
pub(super) async fn show(
    Path((_, team)): Path<(String, String)>,
    Query(search): Query<Search>,
    visit: Visit,
) -> Result<Html<String>, Refusal> {
    let team = visit.organization.team(&team).await?;
    let listed = visit.organization.team_members(&team.id, search.listing()).await?;
    let search_at = format!("teams/{}", team.id);
    let page = TeamPage {
        shell: visit.shell(&team.name, "teams"),
        scim: team.origin == Origin::Scim,
        count: match team.members {
            1 => "1 member is".into(),
            members => format!("{} members are", grouped(members)),
        },
        q: typed(search.q.as_ref()).unwrap_or_default().to_owned(),
        members: listed.items.into_iter().map(|member| MemberRow::new(member, &visit.record)).collect(),
        paging: search.paging(&visit, &search_at, listed.next),
        search_at,
        team,
    };
    Ok(Html(page.render()?))
}
