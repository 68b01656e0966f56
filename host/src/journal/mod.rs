//! The log of SCIM requests: how it is searched, its entries, and its export.

mod csv;
mod entry;
mod export;

pub use entry::{LogEntry, LogSubject};
pub use export::{LogExport, LogFormat};
pub use insomnia_scim_contract::{AuditPage, AuditQuery, LogPage, LogQuery};

/// What entries of the log are filtered by. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Not before.
    pub since: Option<u64>,
    /// Before.
    pub until: Option<u64>,
    /// The first digit of the status: 2, 4 or 5.
    pub status_class: Option<u8>,
    /// The request's method, in any case.
    pub method: Option<String>,
    /// `User`, `Group`, or another resource type, in any case.
    pub resource_type: Option<String>,
    /// Occurs anywhere in the entry, in any case.
    pub text: Option<String>,
}

impl LogFilter {
    /// A page of what the filter lets through: `limit` entries at most, after `next` of the page before.
    #[must_use]
    pub fn page(self, after: Option<String>, limit: u32) -> LogQuery {
        let Self { since, until, status_class, method, resource_type, text } = self;
        LogQuery { since, until, status_class, method, resource_type, text, after, limit }
    }
}
