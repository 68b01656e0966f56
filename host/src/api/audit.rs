//! The audit trail of an organization, and the operator's own.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::access::{Access, Operator};
use super::input::{Query, cursor, page_limit};
use super::listed::ListOf;
use super::logs::{moment, raw};
use super::problem::Problem;
use super::shapes::EventSubject;
use crate::journal::{AuditPage, AuditQuery};

/// Which entries of the audit trail.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditSearch {
    /// Not before this time, in milliseconds since the Unix epoch.
    #[param(nullable = false, maximum = 253_402_300_799_999_u64)]
    since: Option<u64>,
    /// Before this time, in milliseconds since the Unix epoch.
    #[param(nullable = false, maximum = 253_402_300_799_999_u64)]
    until: Option<u64>,
    /// Only entries in which this text occurs, in any case: an act, an address, the id of a member or of a key.
    #[param(nullable = false)]
    text: Option<String>,
    /// `next` of the page before.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    after: Option<String>,
    /// How many entries.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

/// What a person, an API key or the operator did.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "a schema")]
pub(super) struct AuditEntry {
    /// A UUID.
    id: String,
    /// When it was done, in the form of RFC 3339.
    #[schema(format = DateTime)]
    time: String,
    /// What was done, such as `connector.enable`.
    act: String,
    /// Who did it.
    by: AuditPerson,
    /// By which face of the server it was done.
    face: AuditFace,
    /// The IP address that the request came from; behind a trusted proxy the one that the proxy names.
    #[schema(nullable = false)]
    address: Option<String>,
    /// The id of the API key that the request came with.
    #[schema(nullable = false)]
    credential: Option<String>,
    /// The id of the request, as in its answer's `X-Request-Id`.
    #[schema(nullable = false)]
    request_id: Option<String>,
    /// What it was done to.
    #[schema(nullable = false)]
    subject: Option<EventSubject>,
    /// What was there before, as far as it changed.
    #[schema(value_type = Object, nullable = false, required = false)]
    before: Option<Value>,
    /// What is there now, as far as it changed.
    #[schema(value_type = Object, nullable = false, required = false)]
    after: Option<Value>,
    /// Why it was refused. It is absent if it was done.
    #[schema(nullable = false)]
    refused: Option<String>,
}

/// Who acts.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "a schema")]
pub(super) struct AuditPerson {
    /// `member`; `owner`, for an API key of the organization; or `operator`.
    #[serde(rename = "type")]
    kind: String,
    /// The member's id, or what the request has called the member by.
    #[schema(nullable = false)]
    id: Option<String>,
}

/// By which face of the server somebody acts.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(dead_code, reason = "a schema")]
pub(super) enum AuditFace {
    /// The SCIM page.
    Page,
    /// This API.
    Api,
    /// The command line.
    CommandLine,
    /// The backend that embeds the server.
    Backend,
}

/// Search the audit trail
///
/// The audit trail has an entry for all that a person, an API key or the operator did to the organization, and for wrong
/// passphrases. The newest entries come first. They are kept for 400 days at the least. A page may be short although there
/// are more entries: go on until `next` is `null`.
#[utoipa::path(get, path = "/organizations/{organization}/audit", tag = "Logs", params(AuditSearch),
    responses((status = 200, description = "A page of the audit trail.", body = ListOf<AuditEntry>)))]
pub(super) async fn search_audit(
    access: Access,
    Query(query): Query<AuditSearch>,
) -> Result<ListOf<Box<RawValue>>, Problem> {
    listed(access.organization.audit(query.checked()?).await?)
}

/// Search the operator's own audit trail
///
/// It has what the operator did beyond single organizations, or what outlives them: deletions of organizations, the operator's own
/// API keys, components. The newest entries come first. They are kept for 400 days. A page may be short although there are more
/// entries: go on until `next` is `null`. Only the operator may use this.
#[utoipa::path(get, path = "/audit", tag = "Logs", params(AuditSearch),
    responses((status = 200, description = "A page of the audit trail.", body = ListOf<AuditEntry>)))]
pub(super) async fn search_operator_audit(
    operator: Operator,
    Query(query): Query<AuditSearch>,
) -> Result<ListOf<Box<RawValue>>, Problem> {
    listed(operator.state.provisioner.audit(query.checked()?).await?)
}

impl AuditSearch {
    fn checked(self) -> Result<AuditQuery, Problem> {
        Ok(AuditQuery {
            since: moment("since", self.since)?,
            until: moment("until", self.until)?,
            text: self.text,
            after: cursor(self.after)?,
            limit: page_limit(self.limit)?,
        })
    }
}

fn listed(found: AuditPage) -> Result<ListOf<Box<RawValue>>, Problem> {
    Ok(ListOf { items: raw(found.entries)?, next: found.next, previous: None })
}
