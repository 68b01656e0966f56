//! Functions with which the built-in schemas are written, so that they read like the tables of RFC 7643.

use super::attribute::{Attribute, AttributeType, Mutability, Returned, Uniqueness};
use super::table::Schema;

/// An attribute with the default characteristics of RFC 7643 §2.2.
pub(super) fn attribute(name: &str, kind: AttributeType, description: &str) -> Attribute {
    Attribute {
        name: name.to_owned(),
        kind,
        multi_valued: false,
        description: description.to_owned(),
        required: false,
        kept: false,
        dropped: false,
        case_exact: matches!(kind, AttributeType::Reference | AttributeType::Binary),
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        uniqueness: Uniqueness::None,
        canonical_values: Vec::new(),
        reference_types: Vec::new(),
        sub_attributes: Vec::new(),
    }
}

pub(super) fn string(name: &str, description: &str) -> Attribute {
    attribute(name, AttributeType::String, description)
}

pub(super) fn boolean(name: &str, description: &str) -> Attribute {
    attribute(name, AttributeType::Boolean, description)
}

pub(super) fn integer(name: &str, description: &str) -> Attribute {
    attribute(name, AttributeType::Integer, description)
}

pub(super) fn date_time(name: &str, description: &str) -> Attribute {
    attribute(name, AttributeType::DateTime, description)
}

pub(super) fn binary(name: &str, description: &str) -> Attribute {
    attribute(name, AttributeType::Binary, description)
}

pub(super) fn reference(name: &str, types: &[&str], description: &str) -> Attribute {
    let mut attribute = attribute(name, AttributeType::Reference, description);
    attribute.reference_types = owned(types);
    attribute
}

pub(super) fn complex(name: &str, description: &str, sub_attributes: impl Into<Vec<Attribute>>) -> Attribute {
    let mut attribute = attribute(name, AttributeType::Complex, description);
    attribute.sub_attributes = sub_attributes.into();
    attribute
}

/// A multi-valued attribute with the sub-attributes of RFC 7643 §2.4 around the given `value`.
pub(super) fn labelled(name: &str, description: &str, value: Attribute, types: &[&str]) -> Attribute {
    let sub_attributes = [
        value,
        string("display", "A human-readable name, for display."),
        string("type", "A label for the value's function.").suggest(types),
        boolean("primary", "Whether this is the preferred value; at most one is."),
    ];
    complex(name, description, sub_attributes).many()
}

pub(super) fn schema(id: &str, name: &str, description: &str, attributes: impl Into<Vec<Attribute>>) -> Schema {
    Schema {
        id: id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        attributes: attributes.into(),
    }
}

impl Attribute {
    pub(super) fn many(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    pub(super) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The attribute always has a value.
    pub(super) fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    /// The attribute is accepted, dropped, and not published.
    pub(super) fn dropped(mut self) -> Self {
        self.dropped = true;
        self
    }

    pub(super) fn case_exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub(super) fn unique(mut self) -> Self {
        self.uniqueness = Uniqueness::Server;
        self
    }

    /// The attribute and all its sub-attributes are read-only.
    pub(super) fn read_only(mut self) -> Self {
        self.sub_attributes = self.sub_attributes.into_iter().map(Self::read_only).collect();
        self.mutability = Mutability::ReadOnly;
        self
    }

    pub(super) fn immutable(mut self) -> Self {
        self.mutability = Mutability::Immutable;
        self
    }

    /// The attribute can be written and is never returned.
    pub(super) fn secret(mut self) -> Self {
        self.mutability = Mutability::WriteOnly;
        self.returned = Returned::Never;
        self
    }

    pub(super) fn always(mut self) -> Self {
        self.returned = Returned::Always;
        self
    }

    pub(super) fn on_request(mut self) -> Self {
        self.returned = Returned::Request;
        self
    }

    pub(super) fn suggest(mut self, values: &[&str]) -> Self {
        self.canonical_values = owned(values);
        self
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
