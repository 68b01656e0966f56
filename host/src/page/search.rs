//! Lists of members and teams: what was searched for, and where the other pages are.

use serde::Deserialize;

use super::paging::Paging;
use super::query::{query, typed};
use super::visit::Visit;
use crate::directory::Listing;

/// Rows of a page.
const ROWS: u32 = 50;

/// The query of a view with a list that can be searched.
#[derive(Deserialize)]
pub(super) struct Search {
    pub(super) q: Option<String>,
    pub(super) after: Option<String>,
}

impl Search {
    pub(super) fn listing(&self) -> Listing {
        Listing { prefix: typed(self.q.as_ref()).map(str::to_owned), after: self.after.clone(), limit: ROWS }
    }

    pub(super) fn paging(&self, visit: &Visit, view: &str, next: Option<String>) -> Paging {
        let q = typed(self.q.as_ref());
        let path = visit.path(view);
        Paging {
            first: self.after.as_ref().map(|_| format!("{path}{}", query(&[("q", q)]))),
            next: next.map(|next| format!("{path}{}", query(&[("q", q), ("after", Some(&next))]))),
        }
    }
}
