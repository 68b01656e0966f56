//! Searching the log, newest first.

use super::entry::Entry;
use crate::capability::{KeyRange, Page};
use crate::store::{Store, StoreError, keys, text};

/// How many entries are looked at in one search at the most; a page may then be short of its limit, with more to come.
const LOOKED_AT: usize = 20_000;
/// How many entries are read at once.
const CHUNK: u32 = 500;

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Not before, in milliseconds since the Unix epoch.
    pub since: Option<u64>,
    /// Before.
    pub until: Option<u64>,
    /// 2, 4 or 5.
    pub status_class: Option<u8>,
    /// Such as `POST`.
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

impl LogQuery {
    fn matches(&self, entry: &Entry, json: &str) -> bool {
        self.status_class.is_none_or(|class| entry.status / 100 == u16::from(class))
            && self.method.as_ref().is_none_or(|method| entry.method.eq_ignore_ascii_case(method))
            && self.resource_type.as_ref().is_none_or(|wanted| {
                entry.subject.as_ref().is_some_and(|subject| subject.resource_type.eq_ignore_ascii_case(wanted))
            })
            && self.text.as_ref().is_none_or(|text| keys::fold(json).contains(&keys::fold(text)))
    }
}

/// A page of the log, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Each an [`Entry`] as JSON.
    pub entries: Vec<Vec<u8>>,
    /// For [`LogQuery::after`]; `None` on the last page.
    pub next: Option<String>,
}

/// Searches the log.
///
/// # Errors
/// If the store can't answer.
pub fn search(store: &Store, query: &LogQuery) -> Result<LogPage, StoreError> {
    let mut range = keys::logs(query.since.unwrap_or(0), query.until.unwrap_or(u64::MAX));
    if let Some(after) = query.after.as_ref().filter(|after| after.len() <= 100) {
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
            let json = text(&entry.value).unwrap_or_default();
            let Ok(parsed) = serde_json::from_str::<Entry>(json) else { continue };
            if query.matches(&parsed, json) {
                page.entries.push(entry.value);
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
