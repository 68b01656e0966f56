//! Members: searchable, page by page.

use askama::Template;
use axum::response::Html;

use super::member_row::MemberRow;
use super::paging::Paging;
use super::query::{Query, typed};
use super::refusal::Refusal;
use super::search::Search;
use super::shell::Shell;
use super::visit::Visit;

#[derive(Template)]
#[template(path = "members.html")]
struct MembersPage {
    shell: Shell,
    q: String,
    members: Vec<MemberRow>,
    paging: Paging,
}

/// `GET …/members`.
pub(super) async fn list(Query(search): Query<Search>, visit: Visit) -> Result<Html<String>, Refusal> {
    let listed = visit.organization.members(search.listing()).await?;
    let page = MembersPage {
        shell: visit.shell("Members", "members"),
        q: typed(search.q.as_ref()).unwrap_or_default().to_owned(),
        members: listed.items.into_iter().map(|member| MemberRow::new(member, &visit.record)).collect(),
        paging: search.paging(&visit, "members", listed.next),
    };
    Ok(Html(page.render()?))
}
