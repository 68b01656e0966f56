//! Searches the log, newest first.

use insomnia_scim_contract::{LogPage, LogQuery};
use thiserror::Error;

use super::entry::Entry;
use crate::capability::{KeyRange, Page};
use crate::store::{Store, StoreError, keys};

/// The most entries that one search examines. A page may therefore be short although there is more.
const LOOKED_AT: usize = 20_000;
/// How many entries one call to the host reads.
const CHUNK: u32 = 500;

/// The reason why a search fails.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SearchError {
    /// A filter is not valid; the text says which one.
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
/// [`SearchError::Invalid`] says which filter is not valid.
pub fn search(store: &Store, query: &LogQuery) -> Result<LogPage, SearchError> {
    let mut range = keys::logs(query.since.unwrap_or(0), query.until.unwrap_or(u64::MAX));
    if let Some(class) = query.status_class.filter(|class| !(1..=5).contains(class)) {
        return Err(SearchError::Invalid(format!("a status class must be 1 to 5, not {class}")));
    }
    if let Some(after) = &query.after {
        if !keys::is_log_position(after) {
            return Err(SearchError::Invalid(format!("'{after}' is not the end of a page")));
        }
        range.end = range.end.min(keys::log_at(after));
    }
    let wanted = |json: &str| serde_json::from_str(json).is_ok_and(|entry| matches(query, &entry, json));
    let (entries, next) = newest_first(store, range, query.limit, keys::log_position, wanted)?;
    Ok(LogPage { entries, next })
}

/// The entries of a range that match, newest first, and the position at which the next page continues. The page has 1
/// to 500 entries, out of at most [`LOOKED_AT`] examined ones. `position` turns a key into such a position.
pub(super) fn newest_first(
    store: &Store,
    mut range: KeyRange,
    limit: u32,
    position: impl Fn(&[u8]) -> Option<String>,
    wanted: impl Fn(&str) -> bool,
) -> Result<(Vec<String>, Option<String>), StoreError> {
    let limit = limit.clamp(1, 500) as usize;
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let scanned = store.scan_page(Page { range: range.clone(), reverse: true, skip: 0, limit: CHUNK })?;
        let last_read = scanned.entries.last().map(|entry| entry.key.clone());
        for entry in scanned.entries {
            looked_at += 1;
            found.extend(String::from_utf8(entry.value).ok().filter(|json| wanted(json)));
            if found.len() == limit || looked_at == LOOKED_AT {
                return Ok((found, position(&entry.key)));
            }
        }
        match last_read {
            Some(key) if scanned.more => range.end = key,
            _ => return Ok((found, None)),
        }
    }
}
