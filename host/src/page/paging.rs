//! Links between the pages of a list.

/// Links to other pages of a list: to the first one unless it is shown, and to the next one if there is one.
pub(super) struct Paging {
    pub(super) first: Option<String>,
    pub(super) next: Option<String>,
}
