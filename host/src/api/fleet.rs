//! All organizations, each with its state.

use serde::Deserialize;

use super::access::Operator;
use super::input::{Query, organization_cursor};
use super::listed::ListOf;
use super::problem::Problem;
use crate::connector::TokenStatus;
use crate::fleet::{FleetFilter, Standing};

/// The most organizations that one request examines.
const MOST: u32 = 100;

/// The filter of organizations.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FleetSearch {
    /// Only organizations whose token has this state.
    #[param(nullable = false, inline)]
    token: Option<TokenStatus>,
    /// `true` for organizations with a current alert, `false` for the others.
    #[param(nullable = false)]
    trouble: Option<bool>,
    /// The value of `next` on the previous page.
    #[param(nullable = false, min_length = 1, max_length = 63)]
    after: Option<String>,
    /// The number of organizations to examine.
    #[param(nullable = false, minimum = 1, maximum = 100, default = 100)]
    limit: Option<u32>,
}

/// List how organizations stand
///
/// Each organization is listed with its seats, the state of its token, the time of the last accepted request, and its
/// current alerts. The list is in the order of the ids. A page holds those of the examined organizations that match the
/// parameters, so it may be short or empty although there are more: continue until `next` is `null`. Only the operator
/// may use this.
#[utoipa::path(get, path = "/fleet", tag = "Organizations", params(FleetSearch),
    responses((status = 200, description = "A page of organizations.", body = ListOf<Standing>)))]
pub(super) async fn list_fleet(
    operator: Operator,
    Query(query): Query<FleetSearch>,
) -> Result<ListOf<Standing>, Problem> {
    let limit = query.limit.unwrap_or(MOST);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::parameter(Some("limit"), format!("`limit` must be 1 to {MOST}.")));
    }
    let after = organization_cursor(query.after.as_deref())?;
    let found = operator.state.provisioner.fleet(after.as_ref(), limit + 1).await?;
    let mut page = ListOf::page(found, limit, |last| last.id.clone());
    let filter = FleetFilter { token: query.token, in_trouble: query.trouble, ..FleetFilter::default() };
    page.items.retain(|standing| filter.lets_through(standing));
    Ok(page)
}
