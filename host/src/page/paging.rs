//! Links between the pages of a list.

/// Links to other pages of a list: to the first page unless it is shown, and to the previous and the next page if they
/// exist. A list that can only be read forwards has no previous page.
pub(super) struct Paging {
    pub(super) first: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
}
