//! The filter of the log: for the list, for exports, and for the live log.

use serde::Deserialize;

use super::query::{query, typed};
use super::when::parse;
use crate::journal::{LogFilter, LogQuery};

/// The filter of the list, as the query has it.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Filter {
    pub(super) q: Option<String>,
    pub(super) status: Option<String>,
    pub(super) method: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
    pub(super) after: Option<String>,
}

impl Filter {
    /// The filter for the component, on every page of the list. Invalid values are ignored.
    pub(super) fn entries(&self) -> LogFilter {
        let class = typed(self.status.as_ref()).and_then(|class| class.parse().ok());
        let text = |field: &Option<String>| typed(field.as_ref()).map(str::to_owned);
        let time = |field: &Option<String>| typed(field.as_ref()).and_then(parse);
        LogFilter {
            since: time(&self.since),
            until: time(&self.until),
            status_class: class.filter(|class| matches!(class, 2 | 4 | 5)),
            method: text(&self.method),
            resource_type: text(&self.kind),
            text: text(&self.q),
        }
    }

    /// The query for a page of this many entries.
    pub(super) fn search(&self, limit: u32) -> LogQuery {
        self.entries().page(typed(self.after.as_ref()).map(str::to_owned), limit)
    }

    /// The filter as the query of a link, with this position in the list.
    pub(super) fn link(&self, after: Option<&str>) -> String {
        query(&[
            ("q", typed(self.q.as_ref())),
            ("status", typed(self.status.as_ref())),
            ("method", typed(self.method.as_ref())),
            ("kind", typed(self.kind.as_ref())),
            ("since", typed(self.since.as_ref())),
            ("until", typed(self.until.as_ref())),
            ("after", after),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_asks_for_what_was_typed_and_ignores_nonsense() {
        let some = |text: &str| Some(text.to_owned());
        let filter =
            Filter { q: some("  ada "), status: some("7"), since: some("x"), method: some(""), ..Filter::default() };
        let expected = LogQuery { text: some("ada"), limit: 5, ..LogQuery::default() };
        assert_eq!(filter.search(5), expected);
        assert_eq!(filter.link(Some("n")), "?q=ada&status=7&since=x&after=n");
    }
}
