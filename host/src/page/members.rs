//! Members: a list that can be searched, one member in full, an export, and the people who got no seat.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, Redirect, Response};

use super::attributes::{Attribute, attributes};
use super::export::stream;
use super::form::Posted;
use super::history::History;
use super::member_row::MemberRow;
use super::paging::Paging;
use super::query::{Query, query};
use super::refusal::Refusal;
use super::search::{Search, Shown};
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use super::words::grouped;
use crate::directory::{Census, DescribedMember, Member, Origin, PersonWithoutSeat, Role, TeamQuery};
use crate::organization::Organization;
use crate::organization::export::DirectoryExport;

/// How many of a member's teams are shown.
const TEAMS: u32 = 50;

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    shell: Shell,
    search: Shown,
    /// The name and the number of each group of members.
    counts: Vec<(&'static str, String)>,
    /// How many members match the filter, if that is known.
    matching: Option<String>,
    members: Vec<MemberRow>,
    paging: Paging,
    /// The notice about what was done before.
    notice: Option<&'static str>,
}

/// `GET …/members`.
pub(super) async fn list(Query(search): Query<Search>, visit: Visit) -> Result<Html<String>, Refusal> {
    let found = visit.organization.find_members(search.members(None)).await?;
    let census = visit.organization.census().await?;
    let (active, origin) = (search.active(), search.origin());
    let is_counted = search.text().is_none() && (active.is_some() || origin.is_some());
    let page = MembersPage {
        shell: visit.shell("Members", "members"),
        search: search.shown(),
        counts: counts(&census),
        matching: is_counted.then(|| grouped(census.members(active, origin))),
        paging: search.paging(&visit, "members", found.previous, found.next),
        members: found.items.into_iter().map(|member| MemberRow::new(member, &visit.record)).collect(),
        notice: match search.done.as_deref() {
            Some("erased") => Some("The person is erased. The history stays, under the member’s id."),
            Some("erasing") => Some("The member is removed. The rest of the erasure continues in the background."),
            _ => None,
        },
    };
    Ok(Html(page.render()?))
}

/// `POST …/members/erase`.
pub(super) async fn erase(Posted { visit, fields }: Posted) -> Result<Redirect, Refusal> {
    let member = fields.typed("member").unwrap_or_default();
    // If the form is sent again, the member no longer exists. The id must not be taken for another name then.
    let member = visit.organization.member(member).await?;
    may_erase(&visit.member, &member)?;
    let erased = visit.organization.erase_person(&member.id, &[]).await?;
    let done = if erased.done { "erased" } else { "erasing" };
    Ok(Redirect::to(&visit.path(&format!("members?done={done}"))))
}

/// Refuses an erasure that this visitor may not do on the page: erasing also removes names from the audit trail.
pub(super) fn may_erase(by: &Member, member: &Member) -> Result<(), Refusal> {
    let refused = |text: &str| Err(Refusal::new(StatusCode::FORBIDDEN, "Not allowed", text));
    if by.id == member.id {
        return refused("You can’t erase yourself. Ask another owner.");
    }
    if member.role != Role::Member && by.role != Role::Owner {
        return refused("Only an owner can erase an owner or a co-owner: ask an owner, or change the role first.");
    }
    Ok(())
}

fn counts(census: &Census) -> Vec<(&'static str, String)> {
    vec![
        ("Members", grouped(census.members(None, None))),
        ("Active", grouped(census.members(Some(true), None))),
        ("Deactivated", grouped(census.members(Some(false), None))),
        ("Managed by SCIM", grouped(census.members(None, Some(Origin::Scim)))),
        ("Managed by people", grouped(census.members(None, Some(Origin::Manual)))),
    ]
}

/// `GET …/members/export.csv`.
pub(super) async fn csv(Query(search): Query<Search>, visit: Visit) -> Result<Response, Refusal> {
    let query = search.members(None);
    export(visit, |organization| DirectoryExport::members(organization, query)).await
}

/// An export, unless too many of the organization are running.
pub(super) async fn export(
    visit: Visit,
    begin: impl FnOnce(Organization) -> DirectoryExport,
) -> Result<Response, Refusal> {
    let stream = stream(&visit)?;
    let now = visit.state.now();
    Ok(begin(visit.organization).into_response(now, stream).await?)
}

#[derive(Template)]
#[template(path = "member.html")]
struct MemberPage {
    shell: Shell,
    row: MemberRow,
    attributes: Vec<Attribute>,
    /// The id and the name of each team.
    teams: Vec<(String, String)>,
    /// Whether the member has more teams than are shown.
    more_teams: bool,
    history: History,
}

/// `GET …/members/{member}`.
pub(super) async fn show(Path((_, member)): Path<(String, String)>, visit: Visit) -> Result<Html<String>, Refusal> {
    let DescribedMember { member, attributes: json } = visit.organization.describe_member(&member).await?;
    let wanted = TeamQuery { member: Some(member.id.clone()), limit: TEAMS, ..TeamQuery::default() };
    let teams = visit.organization.find_teams(wanted).await?;
    let page = MemberPage {
        shell: visit.shell(&member.display_name, "members"),
        attributes: attributes(&json),
        teams: teams.items.into_iter().map(|team| (team.id, team.name)).collect(),
        more_teams: teams.next.is_some(),
        history: History::of(&visit, &member.id, member.created).await?,
        row: MemberRow::new(member, &visit.record),
    };
    Ok(Html(page.render()?))
}

#[derive(Template)]
#[template(path = "without_seat.html")]
struct WithoutSeatPage {
    shell: Shell,
    people: Vec<Waiting>,
    is_full: bool,
}

struct Waiting {
    person: PersonWithoutSeat,
    since: When,
    last: When,
    /// The path of the log entry about the last refusal.
    log: String,
}

/// `GET …/members/without-seat`.
pub(super) async fn without_seat(visit: Visit) -> Result<Html<String>, Refusal> {
    let found = visit.organization.without_seat().await?;
    let row = |person: PersonWithoutSeat| Waiting {
        since: When::minute(person.since),
        last: When::minute(person.last),
        log: format!("{}{}", visit.path("logs"), query(&[("q", Some(&person.request_id))])),
        person,
    };
    let people = found.people.into_iter().map(row).collect();
    let page =
        WithoutSeatPage { shell: visit.shell("People without a seat", "members"), people, is_full: found.is_full };
    Ok(Html(page.render()?))
}
