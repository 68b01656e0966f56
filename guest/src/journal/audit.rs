//! Searches the audit trail, newest first, and adds the host's own entries to it.

use insomnia_scim_contract::{Act, AuditPage, AuditQuery};
use serde::Deserialize;
use serde_json::Value;

use super::search::{SearchError, newest_first};
use crate::store::{EventSubject, Store, keys};

/// The largest details of an act that the host sends, in bytes.
const LONGEST: usize = 16 * 1024;
/// The longest name of an act, in bytes.
const LONGEST_NAME: usize = 64;

/// Searches the audit trail.
///
/// # Errors
/// [`SearchError::Invalid`] if `after` is not the end of a page.
pub fn search_audit(store: &Store, query: &AuditQuery) -> Result<AuditPage, SearchError> {
    let mut range = keys::audits(query.since.unwrap_or(0), query.until.unwrap_or(u64::MAX));
    if let Some(after) = &query.after {
        if !keys::is_position(after) {
            return Err(SearchError::Invalid(format!("'{after}' is not the end of a page")));
        }
        range.end = range.end.min(keys::audit(after));
    }
    let text = query.text.as_deref().map(keys::fold);
    let wanted = |json: &str| text.as_ref().is_none_or(|text| keys::fold(json).contains(text.as_str()));
    let (entries, next) = newest_first(store, range, query.limit, keys::position_of, wanted)?;
    Ok(AuditPage { entries, next })
}

/// The details that the host sends about an act of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    #[serde(default)]
    subject: Option<EventSubject>,
    #[serde(default)]
    before: Option<Value>,
    #[serde(default)]
    after: Option<Value>,
}

/// Adds an entry about an act of the host for the organization.
///
/// # Errors
/// [`SearchError::Invalid`] if `what` is no name, or the details are no such JSON object.
pub fn record_act(store: Store<'_>, by: &Act, what: String, details: &str) -> Result<(), SearchError> {
    let is_name = |name: &str| {
        let is_fit = |byte: u8| byte.is_ascii_lowercase() || byte == b'-' || byte == b'.';
        (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_fit)
    };
    if !is_name(&what) {
        return Err(SearchError::Invalid(format!(
            "the name of an act has 1 to {LONGEST_NAME} small letters, hyphens and full stops"
        )));
    }
    if details.len() > LONGEST {
        return Err(SearchError::Invalid(format!("the details of an act have at most {LONGEST} bytes")));
    }
    let Details { subject, before, after } = serde_json::from_str(details)
        .map_err(|error| SearchError::Invalid(format!("the details of an act are a JSON object: {error}")))?;
    let store = store.for_act(by, what);
    store.note(subject.unwrap_or_else(|| EventSubject::only("organization")), before, after);
    Ok(store.end_act()?)
}
