//! The entries about one member or team in the log of SCIM requests.

use askama::Template;

use super::entry::LogRow;
use super::query::query;
use super::refusal::Refusal;
use super::visit::Visit;
use crate::journal::LogQuery;

/// How many entries are shown.
const ROWS: u32 = 10;

/// The newest entries about a resource.
pub(super) struct History {
    /// The rows of `log_table.html`.
    pub(super) rows: Vec<String>,
    /// The path of all these entries in the log.
    pub(super) all: String,
}

impl History {
    /// The history of the resource with this id. It begins at the time when the resource was added.
    pub(super) async fn of(visit: &Visit, id: &str, created: u64) -> Result<Self, Refusal> {
        let text = Some(id.to_owned());
        // The request that adds the resource has a slightly earlier time.
        let since = Some(created.saturating_sub(60_000));
        let found = visit.organization.search_log(LogQuery { text, since, limit: ROWS, ..LogQuery::default() }).await?;
        let home = visit.home();
        let rows = LogRow::all(&home, &found.entries).iter().map(Template::render).collect::<Result<_, _>>()?;
        Ok(Self { rows, all: format!("{}{}", visit.path("logs"), query(&[("q", Some(id))])) })
    }
}
