//! Terms of a filter that the edges of memberships answer, so that no member and no group need be listed.

use crate::protocol::filter::{Filter, Operator};

/// The attribute of a user that is kept as edges.
pub(super) const GROUPS: &str = "groups";
/// The attribute of a group that is kept as edges.
pub(super) const MEMBERS: &str = "members";

/// The id that the term asks for: of `members.value eq "…"` and `members[value eq "…"]`, and the same of `groups`.
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

/// Whether a term looks at the attribute in another way, so that its values have to be read.
pub(super) fn must_be_listed(filter: &Filter, attribute: &str) -> bool {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => filters.iter().any(|filter| must_be_listed(filter, attribute)),
        Filter::Not(inner) => must_be_listed(inner, attribute),
        term => term.mentions(attribute) && other_end(term, attribute).is_none(),
    }
}
