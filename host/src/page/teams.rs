//! Teams, and one team with its members: lists that can be searched, and exports.

use askama::Template;
use axum::extract::Path;
use axum::response::{Html, Response};

use super::attributes::{Attribute, attributes};
use super::history::History;
use super::member_row::MemberRow;
use super::members::export;
use super::paging::Paging;
use super::query::Query;
use super::refusal::Refusal;
use super::search::{Search, Shown};
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use super::words::grouped;
use crate::directory::{DescribedTeam, Origin, Team};
use crate::organization::export::DirectoryExport;

#[derive(Template)]
#[template(path = "teams.html")]
struct TeamsPage {
    shell: Shell,
    search: Shown,
    /// The name and the number of each group of teams.
    counts: Vec<(&'static str, String)>,
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
    /// The number of the team's members, as a text.
    count: String,
    created: When,
    changed: When,
    attributes: Vec<Attribute>,
    search: Shown,
    /// The path to which a search is sent, below the page.
    search_at: String,
    members: Vec<MemberRow>,
    paging: Paging,
    history: History,
}

/// `GET …/teams`.
pub(super) async fn list(Query(search): Query<Search>, visit: Visit) -> Result<Html<String>, Refusal> {
    let found = visit.organization.find_teams(search.teams()).await?;
    let census = visit.organization.census().await?;
    let row = |team: Team| TeamRow {
        members: grouped(team.members),
        scim: team.origin == Origin::Scim,
        created: When::bare_minute(team.created),
        changed: When::bare_minute(team.last_modified),
        team,
    };
    let page = TeamsPage {
        shell: visit.shell("Teams", "teams"),
        search: search.shown(),
        counts: vec![
            ("Teams", grouped(census.teams(None))),
            ("Managed by SCIM", grouped(census.teams(Some(Origin::Scim)))),
            ("Managed by people", grouped(census.teams(Some(Origin::Manual)))),
        ],
        paging: search.paging(&visit, "teams", found.previous, found.next),
        teams: found.items.into_iter().map(row).collect(),
    };
    Ok(Html(page.render()?))
}

/// `GET …/teams/export.csv`.
pub(super) async fn csv(Query(search): Query<Search>, visit: Visit) -> Result<Response, Refusal> {
    let query = search.teams();
    export(visit, |organization| DirectoryExport::teams(organization, query)).await
}

/// `GET …/teams/{team}/members.csv`.
pub(super) async fn members_csv(
    Path((_, team)): Path<(String, String)>,
    Query(search): Query<Search>,
    visit: Visit,
) -> Result<Response, Refusal> {
    let query = search.members(Some(team));
    export(visit, |organization| DirectoryExport::members(organization, query)).await
}

/// `GET …/teams/{team}`.
pub(super) async fn show(
    Path((_, team)): Path<(String, String)>,
    Query(search): Query<Search>,
    visit: Visit,
) -> Result<Html<String>, Refusal> {
    let DescribedTeam { team, attributes: json } = visit.organization.describe_team(&team).await?;
    let found = visit.organization.find_members(search.members(Some(team.id.clone()))).await?;
    let search_at = format!("teams/{}", team.id);
    let page = TeamPage {
        shell: visit.shell(&team.name, "teams"),
        scim: team.origin == Origin::Scim,
        count: match team.members {
            1 => "1 member is".into(),
            members => format!("{} members are", grouped(members)),
        },
        created: When::minute(team.created),
        changed: When::minute(team.last_modified),
        attributes: attributes(&json),
        search: search.shown(),
        members: found.items.into_iter().map(|member| MemberRow::new(member, &visit.record)).collect(),
        paging: search.paging(&visit, &search_at, found.previous, found.next),
        history: History::of(&visit, &team.id, team.created).await?,
        search_at,
        team,
    };
    Ok(Html(page.render()?))
}
