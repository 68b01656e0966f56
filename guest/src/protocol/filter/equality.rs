//! Finds comparisons that every match must satisfy, so that the store can choose an index before the whole filter is
//! evaluated.

use super::ast::Filter;
use super::literal::Literal;
use super::path::{FilterPath, Operator};

/// A comparison that every matching document satisfies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conjunct<'f> {
    /// The attribute in the schema's spelling: `userName`, `emails.value`, `members.value`, `urn:…:employeeNumber`.
    ///
    /// If the attribute is multi-valued, at least one of its values satisfies the comparison.
    pub path: &'f str,
    /// The operator, which is never `ne`.
    pub operator: Operator,
    /// The value, which is never null.
    pub value: &'f Literal,
}

impl Filter {
    /// The comparisons that are necessary for a match, in the filter's order: the terms of the outermost `and`, and
    /// those of an `and` in a value path.
    ///
    /// They are not sufficient: the filter must still be evaluated on what an index finds. Attributes that the resource
    /// type does not have are left out.
    #[must_use]
    pub fn conjuncts(&self) -> Vec<Conjunct<'_>> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    /// The values, if the filter consists only of `value eq "x"` terms joined by `or`.
    ///
    /// For example, `members[value eq "x" or value eq "y"]` names two members, so the others need not be examined.
    #[must_use]
    pub fn listed_values(&self) -> Option<Vec<&str>> {
        match self {
            Self::Or(filters) => {
                let mut values = Vec::with_capacity(filters.len());
                for filter in filters {
                    values.extend(filter.listed_values()?);
                }
                Some(values)
            }
            Self::Compare { path, operator: Operator::Eq, value }
                if path.sub_attribute.as_deref().is_none_or(|sub| sub == "value") =>
            {
                value.as_str().map(|value| vec![value])
            }
            _ => None,
        }
    }

    fn collect<'f>(&'f self, found: &mut Vec<Conjunct<'f>>) {
        match self {
            Self::And(filters) => filters.iter().for_each(|filter| filter.collect(found)),
            Self::ValuePath { path, inner } if !path.foreign => inner.collect(found),
            Self::Compare { path, operator, value }
                if !path.foreign
                    && *operator != Operator::Ne
                    && *value != Literal::Null
                    && !is_default(path, value) =>
            {
                found.push(Conjunct { path: &path.name, operator: *operator, value });
            }
            _ => {}
        }
    }
}

/// Whether the comparison is with the default value: `primary eq false` also matches an element without `primary`.
fn is_default(path: &FilterPath, value: &Literal) -> bool {
    *value == Literal::Boolean(false) && path.sub_attribute.as_deref() == Some("primary")
}
