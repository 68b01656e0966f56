//! Reads all pages of a list: lists are answered page by page, and commands print them as a whole.

use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use crate::directory::{Found, Listed};
use crate::download::Parts;
use crate::error::ActionError;

/// The number of items of a page: the most that the component returns at once.
pub(super) const PAGE: u32 = 500;

/// The items of all pages of a list. `page` is called with the `next` of the page before.
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

/// The items of all pages of a search, as [`all`] reads them.
pub(super) async fn all_found<T>(
    mut page: impl AsyncFnMut(Option<String>) -> Result<Found<T>, ActionError>,
) -> Result<Vec<T>, ActionError> {
    all(async |cursor| page(cursor).await.map(|Found { items, next, .. }| Listed { items, next })).await
}

/// Writes the parts to standard output.
pub(super) async fn write<P: Parts<Error = ActionError>>(mut parts: P) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    while let Some(part) = parts.next().await? {
        match output.write_all(&part) {
            // The reader, such as `head`, has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            written => written.context("the output can't be written on")?,
        }
    }
    Ok(())
}

/// The items as JSON, to be printed.
pub(super) fn values<T: Serialize>(items: &[T]) -> serde_json::Result<Vec<Value>> {
    items.iter().map(serde_json::to_value).collect()
}
