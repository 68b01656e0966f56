//! Teams: searchable, page by page.

use askama::Template;
use axum::response::Html;

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
