//! The attribute that a comparison of a filter names, and how its values are compared.

use crate::protocol::path::AttributePath;
use crate::protocol::schema::{Attribute, AttributeType, ResourceSchema};

/// How values are compared (RFC 7644 table 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal; true for an attribute without value.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal to.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal to.
    Le,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// The keyword.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    /// The operator with this keyword, in any case.
    #[must_use]
    pub fn from_keyword(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str().eq_ignore_ascii_case(word))
    }

    /// `gt`, `ge`, `lt` and `le`.
    #[must_use]
    pub fn is_ordering(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }

    /// `co`, `sw` and `ew`.
    #[must_use]
    pub fn is_substring(self) -> bool {
        matches!(self, Self::Co | Self::Sw | Self::Ew)
    }
}

/// The path at which a filter finds values, in the schema's spelling.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPath {
    /// The whole path: `userName`, `emails.value`, `urn:…:User:employeeNumber`. The store chooses its index by this
    /// name.
    pub name: String,
    /// The extension's URN; `None` for common and core attributes.
    pub extension: Option<String>,
    /// The attribute.
    pub attribute: String,
    /// The sub-attribute.
    pub sub_attribute: Option<String>,
    /// The type of the values.
    pub kind: AttributeType,
    /// Whether strings are compared with case.
    pub case_exact: bool,
    /// Whether only another resource type has the attribute, so that it has no value here (RFC 7644 §3.4.2.1).
    pub foreign: bool,
}

impl FilterPath {
    /// A path of the schema; `None` for a whole extension.
    pub(in crate::protocol) fn new(path: &AttributePath<'_>) -> Option<Self> {
        Self::build(path.extension.map(|extension| extension.id.as_str()), path.attribute?, path.sub_attribute, false)
    }

    /// A path of another resource type's schema. Its name contains the schema's URN, so that it never equals a path of
    /// this type.
    pub(super) fn foreign(path: &AttributePath<'_>, schema: &ResourceSchema<'_>) -> Option<Self> {
        let urn = path.extension.map_or(schema.core.id.as_str(), |extension| extension.id.as_str());
        Self::build(Some(urn), path.attribute?, path.sub_attribute, true)
    }

    fn build(urn: Option<&str>, attribute: &Attribute, sub: Option<&Attribute>, foreign: bool) -> Option<Self> {
        let mut name = String::new();
        if let Some(urn) = urn {
            name.push_str(urn);
            name.push(':');
        }
        name.push_str(&attribute.name);
        if let Some(sub) = sub {
            name.push('.');
            name.push_str(&sub.name);
        }
        let leaf = sub.unwrap_or(attribute);
        Some(Self {
            name,
            extension: urn.map(str::to_owned),
            attribute: attribute.name.clone(),
            sub_attribute: sub.map(|sub| sub.name.clone()),
            kind: leaf.kind,
            case_exact: leaf.case_exact,
            foreign,
        })
    }

    /// The path of this sub-attribute of the same attribute.
    pub(super) fn sub(&self, sub: &Attribute) -> Self {
        Self {
            name: format!("{}.{}", self.name, sub.name),
            extension: self.extension.clone(),
            attribute: self.attribute.clone(),
            sub_attribute: Some(sub.name.clone()),
            kind: sub.kind,
            case_exact: sub.case_exact,
            foreign: self.foreign,
        }
    }
}
