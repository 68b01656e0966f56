//! Terms of a filter that stored memberships can answer, so that neither members nor groups need to be listed.

use crate::protocol::filter::{Filter, Operator};

/// The attribute of a user that is computed from stored memberships ("edges": one stored pair of a team and a member
/// each).
pub(super) const GROUPS: &str = "groups";
/// The attribute of a group that is computed from stored memberships.
pub(super) const MEMBERS: &str = "members";

/// The id for which the term asks, in `members.value eq "…"` and `members[value eq "…"]`, and likewise for `groups`.
pub(super) fn other_end<'f>(term: &'f Filter, attribute: &str) -> Option<&'f str> {
    match term {
        Filter::Compare { path, operator: Operator::Eq, value }
            if path.attribute == attribute
                && !path.foreign
                && path.extension.is_none()
                && path.sub_attribute.as_deref() == Some("value") =>
        {
            value.as_str()
        }
        Filter::ValuePath { path, inner } if path.attribute == attribute && !path.foreign => {
            other_end(inner, attribute)
        }
        _ => None,
    }
}

/// Whether a term uses the attribute in another way, so that all its values must be read.
pub(super) fn must_be_listed(filter: &Filter, attribute: &str) -> bool {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().any(|filter| must_be_listed(filter, attribute)),
        Filter::Not(inner) => must_be_listed(inner, attribute),
        term => term.mentions(attribute) && other_end(term, attribute).is_none(),
    }
}
