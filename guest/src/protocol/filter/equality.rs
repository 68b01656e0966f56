//! What a filter demands at least, so that the store can choose an index before it evaluates the whole filter.

use super::ast::Filter;
use super::literal::Literal;
use super::path::{FilterPath, Operator};

/// A comparison that every matching document satisfies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conjunct<'f> {
    /// The attribute in the schema's spelling: `userName`, `emails.value`, `members.value`, `urn:…:employeeNumber`.
    ///
    /// Of a multi-valued attribute, one value at least satisfies the comparison.
    pub path: &'f str,
    /// The comparison; never `ne`.
    pub operator: Operator,
    /// Never null.
    pub value: &'f Literal,
}

impl Filter {
    /// The comparisons that are necessary for a match, in the filter's order: the terms of the outermost `and`, and
    /// those of an `and` within a value path.
    ///
    /// They are not sufficient: the filter still has to be evaluated on what an index finds. An attribute that the
    /// resource type does not have is left out.
    #[must_use]
    pub fn conjuncts(&self) -> Vec<Conjunct<'_>> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    /// If the filter is nothing but `value eq "x"` or several of them joined by `or`: the values.
    ///
    /// So `members[value eq "x" or value eq "y"]` names two members without looking at the others.
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

/// `primary eq false` is also true of an element that has no `primary`.
fn is_default(path: &FilterPath, value: &Literal) -> bool {
    *value == Literal::Boolean(false) && path.sub_attribute.as_deref() == Some("primary")
}
