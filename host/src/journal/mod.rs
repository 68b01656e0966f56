//! The log of SCIM requests: how it is searched, its entries, and its export.

mod csv;
mod entry;
mod export;

pub use entry::{LogEntry, LogSubject};
pub use export::{LogExport, LogFormat};
pub use insomnia_scim_contract::{LogPage, LogQuery};
