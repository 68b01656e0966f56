//! The log of SCIM requests: searched, and exported.

use axum::response::Response;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::access::Access;
use super::input::{Query, cursor, page_limit};
use super::listed::ListOf;
use super::problem::Problem;
use super::shapes::LogEntry;
use crate::journal::{LogExport, LogFilter, LogFormat};
use crate::timestamp::LAST;

/// Parameters that filter the log, defined once for all operations that use them, and an operation's own parameters.
macro_rules! log_parameters {
    ($(#[$of_all:meta])* $name:ident { $($(#[$of_one:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$of_all])*
        #[derive(Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(super) struct $name {
            /// The earliest time, in milliseconds since the Unix epoch.
            #[param(nullable = false, maximum = 253_402_300_799_999_u64)]
            since: Option<u64>,
            /// The time before which entries are listed, in milliseconds since the Unix epoch.
            #[param(nullable = false, maximum = 253_402_300_799_999_u64)]
            until: Option<u64>,
            /// Only answers of this class: 2 (done), 4 (refused) or 5 (failed).
            #[param(nullable = false, minimum = 2, maximum = 5)]
            status_class: Option<u8>,
            /// Only requests with this method, in any case.
            #[param(nullable = false)]
            method: Option<String>,
            /// Only requests about `User`, `Group`, or another resource type, in any case.
            #[param(nullable = false)]
            resource_type: Option<String>,
            /// Only entries that contain this text, in any case.
            #[param(nullable = false)]
            text: Option<String>,
            $($(#[$of_one])* $own: $type,)*
        }

        impl $name {
            fn filter(&self) -> Result<LogFilter, Problem> {
                Ok(LogFilter {
                    since: moment("since", self.since)?,
                    until: moment("until", self.until)?,
                    status_class: class(self.status_class)?,
                    method: self.method.clone(),
                    resource_type: self.resource_type.clone(),
                    text: self.text.clone(),
                })
            }
        }
    };
}

log_parameters! {
    /// The filter of the log.
    LogSearch {
        /// The value of `next` on the previous page.
        #[param(nullable = false, min_length = 1, max_length = 100)]
        after: Option<String>,
        /// The number of entries on a page.
        #[param(nullable = false, minimum = 1, maximum = 500, default = 100)]
        limit: Option<u32>,
    }
}

log_parameters! {
    /// The filter of the log, and the format of the export.
    Export {
        /// CSV (RFC 4180) or JSON Lines. Default: `jsonl`.
        #[param(nullable = false, inline)]
        format: Option<LogFormat>,
    }
}

pub(super) fn moment(name: &str, time: Option<u64>) -> Result<Option<u64>, Problem> {
    match time {
        Some(time) if time > LAST => {
            let detail = format!("`{name}` must be milliseconds since the Unix epoch, not after the year 9999.");
            Err(Problem::parameter(Some(name), detail))
        }
        time => Ok(time),
    }
}

fn class(class: Option<u8>) -> Result<Option<u8>, Problem> {
    match class {
        None | Some(2..=5) => Ok(class),
        Some(_) => Err(Problem::parameter(Some("status_class"), "`status_class` must be 2 to 5.")),
    }
}

/// Search the log
///
/// The newest entries come first. A page may be short although there are more entries: continue until `next` is `null`.
#[utoipa::path(get, path = "/organizations/{organization}/logs", tag = "Logs", params(LogSearch),
    responses((status = 200, description = "A page of the log.", body = ListOf<LogEntry>)))]
pub(super) async fn search_logs(
    access: Access,
    Query(query): Query<LogSearch>,
) -> Result<ListOf<Box<RawValue>>, Problem> {
    let query = query.filter()?.page(cursor(query.after)?, page_limit(query.limit)?);
    let found = access.organization.search_log(query).await?;
    Ok(ListOf { items: raw(found.entries)?, next: found.next, previous: None })
}

/// The documents, unchanged.
pub(super) fn raw(documents: Vec<String>) -> Result<Vec<Box<RawValue>>, Problem> {
    documents.into_iter().map(one_raw).collect()
}

/// A document, unchanged.
pub(super) fn one_raw(document: String) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(document).map_err(|error| {
        tracing::error!("a document of the component is no JSON: {error}");
        Problem::internal()
    })
}

/// Export the log
///
/// The export holds all entries, newest first. If the log can't be read to its end, the connection is closed early, so
/// that a partial file is not taken for a complete one.
#[utoipa::path(get, path = "/organizations/{organization}/logs/export", tag = "Logs", params(Export),
    responses((status = 200, description = "The entries.",
        content((String = "text/csv"), (String = "application/jsonl")))))]
pub(super) async fn export_logs(access: Access, Query(query): Query<Export>) -> Result<Response, Problem> {
    let filter = query.filter()?;
    let stream = access.stream()?;
    let export = LogExport::new(access.organization, filter, query.format.unwrap_or_default());
    Ok(export.into_response(access.state.now(), stream).await?)
}
