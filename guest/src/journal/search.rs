//! Searching the log, newest first.

use insomnia_scim_contract::{LogPage, LogQuery};
use thiserror::Error;

use super::entry::Entry;
use crate::capability::{KeyRange, Page};
use crate::store::{Store, StoreError, keys};

/// How many entries are looked at in one search at the most; a page may then be short of its limit, with more to come.
pub(super) const LOOKED_AT: usize = 20_000;
/// How many entries are read at once.
const CHUNK: u32 = 500;

/// Why the log is not searched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SearchError {
    /// A filter is not valid; the text says which.
    #[error("{0}")]
    Invalid(String),
    /// The store can't answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn matches(query: &LogQuery, entry: &Entry, json: &str) -> bool {
    query.status_class.is_none_or(|class| entry.status / 100 == u16::from(class))
        && query.method.as_ref().is_none_or(|method| entry.method.eq_ignore_ascii_case(method))
        && query.resource_type.as_ref().is_none_or(|wanted| {
            entry.subject.as_ref().is_some_and(|subject| subject.resource_type.eq_ignore_ascii_case(wanted))
        })
        && query.text.as_ref().is_none_or(|text| keys::fold(json).contains(&keys::fold(text)))
}

/// Searches the log.
///
/// # Errors
/// [`SearchError::Invalid`] says which filter is none.
pub fn search(store: &Store, query: &LogQuery) -> Result<LogPage, SearchError> {
    let mut range = keys::logs(query.since.unwrap_or(0), query.until.unwrap_or(u64::MAX));
    if let Some(class) = query.status_class.filter(|class| !(1..=5).contains(class)) {
        return Err(SearchError::Invalid(format!("a status class is 1 to 5, and not {class}")));
    }
    if let Some(after) = &query.after {
        if !keys::is_log_position(after) {
            return Err(SearchError::Invalid(format!("'{after}' is not the end of a page")));
        }
        range.end = range.end.min(keys::log_at(after));
    }
    let limit = query.limit.clamp(1, 500) as usize;
    let (mut page, mut looked_at) = (LogPage::default(), 0);
    loop {
        let KeyRange { start, end } = range.clone();
        let scanned = store.scan_page(Page { range: KeyRange { start, end }, reverse: true, skip: 0, limit: CHUNK })?;
        let last_read = scanned.entries.last().map(|entry| entry.key.clone());
        for entry in scanned.entries {
            looked_at += 1;
            let parsed = String::from_utf8(entry.value).ok();
            let parsed = parsed.and_then(|json| Some((serde_json::from_str::<Entry>(&json).ok()?, json)));
            let Some((parsed, json)) = parsed else { continue };
            if matches(query, &parsed, &json) {
                page.entries.push(json);
            }
            if page.entries.len() == limit || looked_at == LOOKED_AT {
                page.next = keys::log_position(&entry.key);
                return Ok(page);
            }
        }
        match last_read {
            Some(key) if scanned.more => range.end = key,
            _ => return Ok(page),
        }
    }
}
