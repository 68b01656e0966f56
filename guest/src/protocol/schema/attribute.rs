//! An attribute and its characteristics (RFC 7643 §2.2, §7).

/// What values an attribute has (RFC 7643 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeType {
    /// A JSON string.
    String,
    /// A JSON literal `true` or `false`.
    Boolean,
    /// A JSON number.
    Decimal,
    /// A JSON number without fraction or exponent.
    Integer,
    /// A string: an xsd:dateTime with date and time.
    DateTime,
    /// A string: base64.
    Binary,
    /// A string: a URI, absolute or relative.
    Reference,
    /// A JSON object of sub-attributes, none of them complex.
    Complex,
}

/// Who may change an attribute, and when (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// Only the server.
    ReadOnly,
    /// The client, at any time.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client, but nobody reads it.
    WriteOnly,
}

/// When an attribute is part of a response (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Whatever the client asks for.
    Always,
    /// Never.
    Never,
    /// Unless the client asks for others, or not for this one.
    Default,
    /// Only if the client asks for it.
    Request,
}

/// Among which resources a value is unique (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// Among none.
    None,
    /// Among the resources of the organization.
    Server,
    /// Everywhere.
    Global,
}

/// An attribute: its name and its characteristics.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// In the spelling that is stored and sent; compared without case.
    pub name: String,
    /// What values it has.
    pub kind: AttributeType,
    /// Whether it has a list of values.
    pub multi_valued: bool,
    /// For people.
    pub description: String,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether the server gives it a value where the client gives none, so that it is never unassigned: what removes it
    /// or leaves it out changes nothing.
    pub kept: bool,
    /// Whether its value is taken from a client and dropped. Such an attribute is in no published schema, and strict mode
    /// refuses it as one that is not there.
    pub dropped: bool,
    /// Whether its strings are compared with case.
    pub case_exact: bool,
    /// Who may change it.
    pub mutability: Mutability,
    /// When it is part of a response.
    pub returned: Returned,
    /// Among which resources a value is unique.
    pub uniqueness: Uniqueness,
    /// Values that are suggested; others are taken too.
    pub canonical_values: Vec<String>,
    /// What a reference refers to: resource type names, `external` or `uri`.
    pub reference_types: Vec<String>,
    /// Of a complex attribute; else empty.
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// Whether nobody ever reads it: it is never returned, or only ever written.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.returned == Returned::Never || self.mutability == Mutability::WriteOnly
    }

    /// The sub-attribute of this name, in any case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        self.sub_attributes.iter().find(|sub| sub.name.eq_ignore_ascii_case(name))
    }
}
