//! Lists are answered page by page; commands print them whole.

use serde::Serialize;
use serde_json::Value;

use crate::directory::Listed;
use crate::error::ActionError;

/// Items of a page: the most that the component gives at once.
pub(super) const PAGE: u32 = 500;

/// What all pages of a list hold. `page` is called with the `next` of the page before.
pub(super) async fn all<T>(
    mut page: impl AsyncFnMut(Option<String>) -> Result<Listed<T>, ActionError>,
) -> Result<Vec<T>, ActionError> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let listed = page(after).await?;
        items.extend(listed.items);
        if listed.next.is_none() {
            return Ok(items);
        }
        after = listed.next;
    }
}

/// The items as JSON, to be printed.
pub(super) fn values<T: Serialize>(items: &[T]) -> serde_json::Result<Vec<Value>> {
    items.iter().map(serde_json::to_value).collect()
}
