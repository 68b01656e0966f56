//! The log as a file, read part by part, so that no log is too long for it.

use super::csv;
use super::{LogEntry, LogQuery};
use crate::error::ActionError;
use crate::organization::Organization;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Comma-separated values (RFC 4180), with a first line of names.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// An export of the log that is under way.
pub struct LogExport {
    organization: Organization,
    query: Option<LogQuery>,
    format: LogFormat,
    begun: bool,
}

impl LogExport {
    /// Exports what the query finds; its `limit` is that of a part.
    pub fn new(organization: Organization, query: LogQuery, format: LogFormat) -> Self {
        Self { organization, query: Some(query), format, begun: false }
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
                    part.extend_from_slice(json);
                    part.push(b'\n');
                }
            }
        }
        self.query =
            self.query.take().filter(|_| found.next.is_some()).map(|query| LogQuery { after: found.next, ..query });
        Ok(Some(part))
    }
}
