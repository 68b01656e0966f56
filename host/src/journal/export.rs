//! The log as a file, read part by part, so that no log is too long for it.

use std::io;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clap::ValueEnum;
use http_body_util::BodyExt as _;
use http_body_util::channel::{Channel, Sender};
use serde::Deserialize;
use utoipa::ToSchema;

use super::csv;
use super::{LogEntry, LogFilter, LogQuery};
use crate::error::ActionError;
use crate::organization::Organization;
use crate::timestamp::date;

/// Entries of one part.
const PART: u32 = 500;

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Comma-separated values (RFC 4180), with a first line of names.
    Csv,
    /// JSON Lines: an entry a line, as the search has it.
    #[default]
    #[serde(rename = "jsonl")]
    #[value(name = "jsonl")]
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
            Self::Csv => "text/csv; charset=utf-8",
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

    /// The export as a file to download, named after the organization and the day, and read from the log while it is sent;
    /// `while_open` is dropped at its end. The first part is read before the answer begins, so that a refusal is an answer of its
    /// own. If the log can't be read on after that, the body breaks off, so that it does not look complete.
    ///
    /// # Errors
    /// As [`Organization::search_log`] has them, for the first part.
    pub(crate) async fn into_response(
        mut self,
        now: u64,
        while_open: impl Send + 'static,
    ) -> Result<Response, ActionError> {
        let (id, day, format) = (self.organization.id(), date(now), self.format);
        let name = format!("attachment; filename=\"scim-log-{id}-{day}.{}\"", format.extension());
        let name = HeaderValue::try_from(name);
        let first = self.next().await?.unwrap_or_default();
        let (mut sender, body) = Channel::<Bytes, io::Error>::new(2);
        tokio::spawn(async move {
            if first.is_empty() || sender.send_data(Bytes::from(first)).await.is_ok() {
                self.send(sender).await;
            }
            drop(while_open);
        });
        // Compression asks a body once more after its end, which this kind does not take unless it is fused.
        let mut response = ([(CONTENT_TYPE, format.media_type())], Body::new(body.fuse())).into_response();
        if let Ok(name) = name {
            response.headers_mut().insert(CONTENT_DISPOSITION, name);
        }
        Ok(response)
    }

    async fn send(mut self, mut to: Sender<Bytes, io::Error>) {
        loop {
            match self.next().await {
                Ok(Some(part)) if part.is_empty() => {}
                Ok(Some(part)) => {
                    if to.send_data(Bytes::from(part)).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!("an export of the log is broken off: {error}");
                    to.abort(io::Error::other("the log can't be read on"));
                    return;
                }
            }
        }
    }
}
