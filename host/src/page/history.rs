//! What the log of SCIM requests has about one member or team.

use askama::Template;

use super::entry::LogRow;
use super::query::query;
use super::refusal::Refusal;
use super::visit::Visit;
use crate::journal::LogQuery;

/// Entries that are shown.
const ROWS: u32 = 10;

/// The newest entries about a resource.
pub(super) struct History {
    /// Rows of `log_table.html`.
    pub(super) rows: Vec<String>,
    /// Where all of them are.
    pub(super) all: String,
}

impl History {
    /// Of the resource with this id, which was added then: before that nothing is about it.
    pub(super) async fn of(visit: &Visit, id: &str, created: u64) -> Result<Self, Refusal> {
        let text = Some(id.to_owned());
        // The request that adds it came a moment before.
        let since = Some(created.saturating_sub(60_000));
        let found = visit.organization.search_log(LogQuery { text, since, limit: ROWS, ..LogQuery::default() }).await?;
        let home = visit.home();
        let rows = LogRow::all(&home, &found.entries).iter().map(Template::render).collect::<Result<_, _>>()?;
        Ok(Self { rows, all: format!("{}{}", visit.path("logs"), query(&[("q", Some(id))])) })
    }
}
