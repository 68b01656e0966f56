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

/// The filter of the audit trail.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditSearch {
    /// The earliest time, in milliseconds since the Unix epoch.
    #[param(nullable = false, maximum = 253_402_300_799_999_u64)]
    since: Option<u64>,
    /// The time before which entries are listed, in milliseconds since the Unix epoch.
    #[param(nullable = false, maximum = 253_402_300_799_999_u64)]
    until: Option<u64>,
    /// Only entries that contain this text, in any case: an act, an address, the id of a member or of a key.
    #[param(nullable = false)]
    text: Option<String>,
    /// The value of `next` on the previous page.
    #[param(nullable = false, min_length = 1, max_length = 100)]
    after: Option<String>,
    /// The number of entries on a page.
    #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

/// An act of a person, an API key or the operator.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "a schema")]
pub(super) struct AuditEntry {
    /// A UUID.
    id: String,
    /// When it was done, in the form of RFC 3339.
    #[schema(format = DateTime)]
    time: String,
    /// The name of the act, such as `connector.enable`.
    act: String,
    /// The person or program that acted.
    by: AuditPerson,
    /// The interface of the server by which it was done.
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
    /// The object of the act.
    #[schema(nullable = false)]
    subject: Option<EventSubject>,
    /// The old values of what changed.
    #[schema(value_type = Object, nullable = false, required = false)]
    before: Option<Value>,
    /// The new values of what changed.
    #[schema(value_type = Object, nullable = false, required = false)]
    after: Option<Value>,
    /// The reason of the refusal. It is absent if the act was done.
    #[schema(nullable = false)]
    refused: Option<String>,
}

/// The actor.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code, reason = "a schema")]
pub(super) struct AuditPerson {
    /// `member`; `owner`, for an API key of the organization; or `operator`.
    #[serde(rename = "type")]
    kind: String,
    /// The member's id, or the name that the request used for the member.
    #[schema(nullable = false)]
    id: Option<String>,
}

/// An interface of the server.
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
/// The audit trail has an entry for each act of a person, an API key or the operator on the organization, and for each
/// wrong passphrase. The newest entries come first. They are kept for at least 400 days. A page may be short although
/// there are more entries: continue until `next` is `null`.
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
/// It has the operator's acts that concern no single organization, or whose traces must outlive it: deletions of
/// organizations, the operator's own API keys, components. The newest entries come first. They are kept for 400 days. A
/// page may be short although there are more entries: continue until `next` is `null`. Only the operator may use this.
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
