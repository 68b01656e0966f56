//! A page of a list, and the list response that is made of it.

use serde_json::{Value, json};

use super::matches::Part;
use super::{ByCursor, Listing};
use crate::endpoint::answer::{Answer, encode};
use crate::protocol::cursor::{Cursor, Position};
use crate::protocol::discovery::LIST_RESPONSE;
use crate::protocol::error::ScimError;

/// How large a page may become, in bytes. A page ends early, so it is at most one resource larger than this.
const LARGEST_PAGE: usize = 32 * 1024 * 1024;

/// A page that is being filled.
#[derive(Default)]
pub(super) struct PageOf {
    pub(super) total: u64,
    pub(super) resources: Vec<Vec<u8>>,
    pub(super) bytes: usize,
    /// The type, the id and the name of the only match so far.
    pub(super) only: Option<[String; 3]>,
    /// The last resource that was examined, even if it has been deleted since.
    pub(super) last: Option<Position>,
    /// Whether more resources follow after this page.
    pub(super) more: bool,
}

impl PageOf {
    pub(super) fn push(&mut self, resource: Vec<u8>) {
        self.bytes += resource.len();
        self.resources.push(resource);
    }

    pub(super) fn is_too_large(&self) -> bool {
        self.bytes >= LARGEST_PAGE
    }
}

impl<'c, 'h> Listing<'c, 'h> {
    /// Turns the page into a list response.
    ///
    /// # Errors
    /// 500 if the next page's cursor can't be made.
    pub(super) fn list_response(&self, page: PageOf) -> Result<Answer, ScimError> {
        let mut head = json!({
            "schemas": [LIST_RESPONSE],
            "totalResults": page.total,
            "itemsPerPage": page.resources.len(),
        });
        match &self.by_cursor {
            None => insert(&mut head, "startIndex", self.query.start_index.into()),
            // Every page renews the validity of the cursor (RFC 9865 §2.3), so that a client can read a long list to
            // its end.
            Some(ByCursor { cursor, key }) if page.more && page.last.is_some() => {
                let store = self.context.store;
                let next = Cursor { issued: store.now(), last: page.last, ..cursor.clone() };
                let text = next.seal(key, store.random(), &unchanging(&self.parts))?;
                insert(&mut head, "nextCursor", text.into());
            }
            Some(_) => {}
        }
        let mut body = encode(&head);
        body.pop();
        body.extend_from_slice(b",\"Resources\":[");
        for (index, resource) in page.resources.into_iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            body.extend(resource);
        }
        body.extend_from_slice(b"]}");
        Ok(Answer::json(200, body))
    }
}

/// The part of a query that must not change from page to page, in one normal form: a client may write the names
/// differently from page to page (RFC 9865 §2 does so in its own example).
pub(super) fn unchanging(parts: &[Part<'_, '_>]) -> String {
    let part = |part: &Part<'_, '_>| {
        let filter = part.filter.as_ref().map(|filter| format!("{filter:#}"));
        let sort = part.sort.as_ref().map(|sort| (sort.path.name.as_str(), sort.descending));
        json!([part.source.name(), filter, sort])
    };
    Value::Array(parts.iter().map(part).collect()).to_string()
}

fn insert(head: &mut Value, name: &str, value: Value) {
    if let Value::Object(head) = head {
        head.insert(name.to_owned(), value);
    }
}
