//! The place of a value in a resource. An error names this place instead of the value.

use std::fmt;

use crate::protocol::error::ScimError;
use crate::protocol::schema::{Attribute, Schema};

/// An attribute's or a sub-attribute's full name.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    urn: Option<&'a str>,
    attribute: &'a str,
    sub_attribute: Option<&'a str>,
}

impl<'a> Place<'a> {
    pub(super) fn of(extension: Option<&'a Schema>, attribute: &'a Attribute) -> Self {
        let urn = extension.map(|schema| schema.id.as_str());
        Self { urn, attribute: &attribute.name, sub_attribute: None }
    }

    pub(super) fn sub_attribute(self, name: &'a str) -> Self {
        Self { sub_attribute: Some(name), ..self }
    }

    /// 400 `invalidValue`: the value is not of the expected kind.
    pub(super) fn must_be(self, expected: impl fmt::Display) -> ScimError {
        ScimError::invalid_value(format!("`{self}` must be {expected}"))
    }

    /// 400 `invalidValue`: a required value is missing.
    pub(super) fn is_required(self) -> ScimError {
        ScimError::invalid_value(format!("`{self}` is required"))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = self.urn {
            write!(formatter, "{urn}:")?;
        }
        formatter.write_str(self.attribute)?;
        match self.sub_attribute {
            Some(name) => write!(formatter, ".{name}"),
            None => Ok(()),
        }
    }
}
