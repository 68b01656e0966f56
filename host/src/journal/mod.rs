//! The log of SCIM requests: how it is searched, its entries, and its export.

mod csv;
mod entry;
mod export;

pub use entry::{LogEntry, LogSubject};
pub use export::{LogExport, LogFormat};

/// Which entries of the log. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Not before.
    pub since: Option<u64>,
    /// Before.
    pub until: Option<u64>,
    /// Status class: 2, 4 or 5.
    pub status_class: Option<u8>,
    /// The request's method.
    pub method: Option<String>,
    /// `User`, `Group`, or another resource type.
    pub resource_type: Option<String>,
    /// Occurs anywhere in the entry, in any case.
    pub text: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

impl Default for LogQuery {
    /// The newest 100.
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            status_class: None,
            method: None,
            resource_type: None,
            text: None,
            after: None,
            limit: 100,
        }
    }
}

/// A page of the log, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// Each a JSON object; [`LogEntry::parse`] reads it.
    pub entries: Vec<Vec<u8>>,
    /// For [`LogQuery::after`]; `None` on the last page.
    pub next: Option<String>,
}
