//! Listings, page by page.

use serde::Serialize;
#[cfg(feature = "host")]
use wasmtime::component::{ComponentType, Lift, Lower};

/// Selects a part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Listing {
    /// Only entries whose name or email address begins with this, in any case.
    pub prefix: Option<String>,
    /// `next` of the previous page.
    pub after: Option<String>,
    /// 1 to 500.
    pub limit: u32,
}

impl Default for Listing {
    /// The first 100.
    fn default() -> Self {
        Self { prefix: None, after: None, limit: 100 }
    }
}

/// A part of a listing, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "host", derive(ComponentType, Lift, Lower), component(record))]
pub struct Listed<Entry> {
    /// The entries.
    pub items: Vec<Entry>,
    /// The `after` of the next page; `None` on the last page.
    pub next: Option<String>,
}

impl<Entry> Default for Listed<Entry> {
    fn default() -> Self {
        Self { items: Vec::new(), next: None }
    }
}

impl<Entry> Listed<Entry> {
    /// The same page, with each entry changed.
    pub fn map<U>(self, change: impl FnMut(Entry) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}
