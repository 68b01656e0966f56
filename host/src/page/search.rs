//! Lists of members and teams: the search, the filters, and the links to other pages.

use serde::Deserialize;

use super::paging::Paging;
use super::query::{query, typed};
use super::visit::Visit;
use crate::directory::{MemberQuery, Origin, TeamQuery};

/// How many rows a page has.
const ROWS: u32 = 50;

/// The query of a view with a list that can be searched. Invalid values are ignored.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Search {
    q: Option<String>,
    state: Option<String>,
    origin: Option<String>,
    /// The cursor of the page.
    at: Option<String>,
    /// The action that was done before. It is reported once, and is no part of the filter.
    pub(super) done: Option<String>,
}

/// The values that the list's form shows.
pub(super) struct Shown {
    pub(super) q: String,
    pub(super) state: String,
    pub(super) origin: String,
    /// Whether a search or a filter is set.
    pub(super) filtered: bool,
    /// The filter as the query of a link.
    pub(super) link: String,
}

impl Search {
    /// The filter by whether members are active.
    pub(super) fn active(&self) -> Option<bool> {
        match typed(self.state.as_ref()) {
            Some("active") => Some(true),
            Some("deactivated") => Some(false),
            _ => None,
        }
    }

    /// The filter by who manages the members or teams.
    pub(super) fn origin(&self) -> Option<Origin> {
        typed(self.origin.as_ref()).and_then(|name| name.parse().ok())
    }

    /// The text that was typed.
    pub(super) fn text(&self) -> Option<String> {
        typed(self.q.as_ref()).map(str::to_owned)
    }

    /// The query for members, or for those of a team.
    pub(super) fn members(&self, team: Option<String>) -> MemberQuery {
        let (text, cursor) = (self.text(), typed(self.at.as_ref()).map(str::to_owned));
        MemberQuery { text, prefix: None, origin: self.origin(), active: self.active(), team, cursor, limit: ROWS }
    }

    /// The query for teams.
    pub(super) fn teams(&self) -> TeamQuery {
        let (text, cursor) = (self.text(), typed(self.at.as_ref()).map(str::to_owned));
        TeamQuery { text, prefix: None, origin: self.origin(), member: None, cursor, limit: ROWS }
    }

    pub(super) fn shown(&self) -> Shown {
        let text = |field: &Option<String>| typed(field.as_ref()).unwrap_or_default().to_owned();
        let link = self.link(None);
        Shown {
            q: text(&self.q),
            state: text(&self.state),
            origin: text(&self.origin),
            filtered: !link.is_empty(),
            link,
        }
    }

    fn link(&self, at: Option<&str>) -> String {
        let (state, origin) = (typed(self.state.as_ref()), typed(self.origin.as_ref()));
        query(&[("q", typed(self.q.as_ref())), ("state", state), ("origin", origin), ("at", at)])
    }

    /// Links to the pages with these cursors, for the list in this view.
    pub(super) fn paging(&self, visit: &Visit, view: &str, previous: Option<String>, next: Option<String>) -> Paging {
        let to = |at: Option<&str>| format!("{}{}", visit.path(view), self.link(at));
        Paging {
            first: self.at.as_ref().map(|_| to(None)),
            previous: previous.map(|previous| to(Some(&previous))),
            next: next.map(|next| to(Some(&next))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c24_a_list_is_filtered_by_what_can_be_read_and_links_keep_the_filter() {
        let some = |text: &str| Some(text.to_owned());
        let search =
            Search { q: some(" ada "), state: some("deactivated"), origin: some("scim"), at: some("x"), done: None };
        let query = search.members(None);
        assert_eq!((query.text.as_deref(), query.active, query.origin), (Some("ada"), Some(false), Some(Origin::Scim)));
        assert_eq!(search.link(Some("a1")), "?q=ada&state=deactivated&origin=scim&at=a1");
        let nonsense = Search { state: some("asleep"), origin: some("elsewhere"), ..Search::default() };
        assert_eq!((nonsense.members(None).active, nonsense.teams().origin), (None, None));
    }
}
