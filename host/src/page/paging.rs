//! Links between the pages of a list.

/// Links to other pages of a list: to the first one unless it is shown, to the one before and the one after if they are
/// there. A list that is read in one direction only has no page before.
pub(super) struct Paging {
    pub(super) first: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
}
