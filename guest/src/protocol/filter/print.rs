//! Writes a filter as text that parses to the same filter.
//!
//! The alternate form (`{:#}`) is for comparing filters: two filters with the same text match the same resources. In
//! it, texts are folded if case does not matter, and dates are written as points in time.

use std::fmt::{Display, Formatter, Result};

use super::ast::Filter;
use super::literal::Literal;
use super::path::{FilterPath, Operator};

impl Display for Filter {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write_filter(self, false, out)
    }
}

impl Display for Operator {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        out.write_str(self.as_str())
    }
}

impl Display for Literal {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Number(value) => write!(out, "{value}"),
            Self::DateTime { instant, .. } if out.alternate() => write!(out, "{}", instant.0),
            Self::Text { folded: Some(folded), .. } if out.alternate() => {
                out.write_str(&serde_json::to_string(folded).map_err(|_| std::fmt::Error)?)
            }
            Self::DateTime { text, .. } | Self::Text { text, .. } => {
                out.write_str(&serde_json::to_string(text).map_err(|_| std::fmt::Error)?)
            }
        }
    }
}

/// Writes a filter. `in_element` says that the paths are relative to an element, as they are in brackets.
fn write_filter(filter: &Filter, in_element: bool, out: &mut Formatter<'_>) -> Result {
    match filter {
        Filter::And(filters) => write_joined(filters, " and ", in_element, out),
        Filter::Or(filters) => write_joined(filters, " or ", in_element, out),
        Filter::Not(inner) => {
            out.write_str("not (")?;
            write_filter(inner, in_element, out)?;
            out.write_str(")")
        }
        Filter::Compare { path, operator, value } => {
            write!(out, "{} {operator} ", name(path, in_element))?;
            value.fmt(out)
        }
        Filter::Present { path } => write!(out, "{} pr", name(path, in_element)),
        Filter::ValuePath { path, inner } => {
            write!(out, "{}[", path.name)?;
            write_filter(inner, true, out)?;
            out.write_str("]")
        }
    }
}

fn write_joined(filters: &[Filter], separator: &str, in_element: bool, out: &mut Formatter<'_>) -> Result {
    for (at, filter) in filters.iter().enumerate() {
        if at > 0 {
            out.write_str(separator)?;
        }
        // `and` has precedence over `or`, so only `or` needs a group here. The tree never has an `and` within an `and`.
        if matches!(filter, Filter::Or(_)) {
            out.write_str("(")?;
            write_filter(filter, in_element, out)?;
            out.write_str(")")?;
        } else {
            write_filter(filter, in_element, out)?;
        }
    }
    Ok(())
}

fn name(path: &FilterPath, in_element: bool) -> &str {
    if in_element { path.sub_attribute.as_deref().unwrap_or("value") } else { &path.name }
}
