//! What needs a person now, in all organizations.

use serde::Deserialize;

use super::access::Operator;
use super::input::{Query, page_limit};
use super::listed::ListOf;
use super::problem::Problem;
use crate::alerts::Alert;

/// The longest cursor, in bytes: a name of 63 and a cause.
const LONGEST_CURSOR: usize = 160;

/// Which part of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertPaging {
    /// `next` of the page before.
    #[param(nullable = false, min_length = 1, max_length = 160)]
    after: Option<String>,
    /// How many alerts are read.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

/// List what needs a person
///
/// What servers on this data have found last, in all organizations and at all hosts: what is mailed and posted to the operator
/// when it begins and when it is over. Servers look every five minutes unless they are set up otherwise. A page may be short
/// although there are more: go on until `next` is `null`. Only the operator may use this.
#[utoipa::path(get, path = "/alerts", tag = "Organizations", params(AlertPaging),
    responses((status = 200, description = "A page of alerts.", body = ListOf<Alert>)))]
pub(super) async fn list_alerts(
    operator: Operator,
    Query(query): Query<AlertPaging>,
) -> Result<ListOf<Alert>, Problem> {
    let limit = page_limit(query.limit)?;
    if query.after.as_ref().is_some_and(|after| !(1..=LONGEST_CURSOR).contains(&after.len())) {
        return Err(Problem::parameter(Some("after"), "`after` is `next` of the page before."));
    }
    let (items, next) = operator.state.provisioner.alerts(query.after.as_deref(), limit).await?;
    Ok(ListOf { items, next, previous: None })
}
