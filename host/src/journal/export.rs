//! The log as a file, read part by part, so that no log is too long for it.

use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::csv;
use super::{LogEntry, LogFilter, LogQuery};
use crate::download::{CSV, Parts, download};
use crate::error::ActionError;
use crate::organization::Organization;
use crate::timestamp::date;

/// Entries of one part.
const PART: u32 = 500;

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Comma-separated values (RFC 4180), with a first line of names.
    Csv,
    /// JSON Lines: an entry a line, as the search has it.
    #[default]
    #[serde(rename = "jsonl")]
    #[cfg_attr(feature = "cli", value(name = "jsonl"))]
    JsonLines,
}

impl LogFormat {
    /// What files of this form end in.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// The media type of this form.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => CSV,
            Self::JsonLines => "application/jsonl; charset=utf-8",
        }
    }
}

/// An export of the log that is under way.
pub struct LogExport {
    organization: Organization,
    query: Option<LogQuery>,
    format: LogFormat,
    begun: bool,
}

impl LogExport {
    /// Exports what the filter lets through.
    pub fn new(organization: Organization, filter: LogFilter, format: LogFormat) -> Self {
        Self { organization, query: Some(filter.page(None, PART)), format, begun: false }
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// As [`Organization::search_log`] has them; the same call may succeed later.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ActionError> {
        let Some(query) = &self.query else { return Ok(None) };
        let found = self.organization.search_log(query.clone()).await?;
        let mut part = Vec::new();
        if self.format == LogFormat::Csv && !self.begun {
            part.extend_from_slice(csv::HEADER.as_bytes());
        }
        self.begun = true;
        for json in &found.entries {
            match self.format {
                LogFormat::Csv => {
                    part.extend(LogEntry::parse(json).map(|entry| csv::line(&entry)).unwrap_or_default().bytes());
                }
                LogFormat::JsonLines => {
                    part.extend_from_slice(json.as_bytes());
                    part.push(b'\n');
                }
            }
        }
        self.query =
            self.query.take().filter(|_| found.next.is_some()).map(|query| LogQuery { after: found.next, ..query });
        Ok(Some(part))
    }

    /// The export as a file to download, named after the organization and the day; see [`download`].
    ///
    /// # Errors
    /// As [`Organization::search_log`] has them, for the first part.
    pub(crate) async fn into_response(
        self,
        now: u64,
        while_open: impl Send + 'static,
    ) -> Result<Response, ActionError> {
        let format = self.format;
        let name = format!("scim-log-{}-{}.{}", self.organization.id(), date(now), format.extension());
        download(self, &name, format.media_type(), while_open).await
    }
}

impl Parts for LogExport {
    type Error = ActionError;

    async fn next(&mut self) -> Result<Option<Vec<u8>>, ActionError> {
        Self::next(self).await
    }
}
