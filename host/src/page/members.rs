//! Members: searchable, page by page.

use askama::Template;
use axum::response::Html;
use insomnia_scim_contract::Mark;

use super::paging::Paging;
use super::query::{Query, typed};
use super::refusal::Refusal;
use super::search::Search;
use super::shell::Shell;
use super::visit::Visit;
use super::when::When;
use crate::directory::{Member, Origin, Role};

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
    mark: Option<Mark>,
    created: When,
    changed: When,
}

/// `GET …/members`.
pub(super) async fn list(Query(search): Query<Search>, visit: Visit) -> Result<Html<String>, Refusal> {
    let listed = visit.organization.members(search.listing()).await?;
    let row = |member: Member| MemberRow {
        role: match member.role {
            Role::Owner => "Owner",
            Role::CoOwner => "Co-owner",
            Role::Member => "Member",
        },
        scim: member.origin == Origin::Scim,
        mark: visit.record.mark(&member.email, &member.user_name),
        created: When::bare_minute(member.created),
        changed: When::bare_minute(member.last_modified),
        member,
    };
    let page = MembersPage {
        shell: visit.shell("Members", "members"),
        q: typed(search.q.as_ref()).unwrap_or_default().to_owned(),
        members: listed.items.into_iter().map(row).collect(),
        paging: search.paging(&visit, "members", listed.next),
    };
    Ok(Html(page.render()?))
}
