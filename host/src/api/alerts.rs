//! Current alerts in all organizations.

use serde::Deserialize;

use super::access::Operator;
use super::input::{Query, page_limit};
use super::listed::ListOf;
use super::problem::Problem;
use crate::alerts::Alert;

/// The longest cursor, in bytes: a name of 63 and a cause.
const LONGEST_CURSOR: usize = 160;

/// The part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertPaging {
    /// The value of `next` on the previous page.
    #[param(nullable = false, min_length = 1, max_length = 160)]
    after: Option<String>,
    /// The number of alerts on a page.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

/// List what needs a person
///
/// The list holds what servers on this data have found in their last look, in all organizations and at all hosts. The
/// operator gets a message about each alert when it begins and when it is over. Servers look every five minutes by
/// default. A page may be short although there are more alerts: continue until `next` is `null`. Only the operator may
/// use this.
#[utoipa::path(get, path = "/alerts", tag = "Organizations", params(AlertPaging),
    responses((status = 200, description = "A page of alerts.", body = ListOf<Alert>)))]
pub(super) async fn list_alerts(
    operator: Operator,
    Query(query): Query<AlertPaging>,
) -> Result<ListOf<Alert>, Problem> {
    let limit = page_limit(query.limit)?;
    if query.after.as_ref().is_some_and(|after| !(1..=LONGEST_CURSOR).contains(&after.len())) {
        return Err(Problem::parameter(Some("after"), "`after` must be the value of `next` on another page."));
    }
    let (items, next) = operator.state.provisioner.alerts(query.after.as_deref(), limit).await?;
    Ok(ListOf { items, next, previous: None })
}
