//! The export `journal`.

use super::Component;
use super::bindings::exports::insomnia::scim::journal::{Error, Guest, LogPage, Query};
use super::imports::host;
use crate::journal;

impl Guest for Component {
    fn search(query: Query) -> Result<LogPage, Error> {
        let query = journal::LogQuery {
            since: query.since,
            until: query.until,
            status_class: query.status_class,
            method: query.method,
            resource_type: query.resource_type,
            text: query.text,
            after: query.after,
            limit: query.limit,
        };
        let page = journal::search(&host().store(), &query)?;
        Ok(LogPage { entries: page.entries, next: page.next })
    }
}
