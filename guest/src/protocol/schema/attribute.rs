//! An attribute and its characteristics (RFC 7643 §2.2, §7).

/// The type of an attribute's values (RFC 7643 §2.3).
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

/// The rule for changes of an attribute (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// Only the server changes it.
    ReadOnly,
    /// The client may change it at any time.
    ReadWrite,
    /// The client may set it once.
    Immutable,
    /// The client may change it, but it is never returned.
    WriteOnly,
}

/// When an attribute is returned in a response (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// It is returned whatever the client asks for.
    Always,
    /// It is never returned.
    Never,
    /// It is returned unless the client asks for other attributes or excludes it.
    Default,
    /// It is only returned if the client asks for it.
    Request,
}

/// The scope in which a value must be unique (RFC 7643 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// It need not be unique.
    None,
    /// It is unique among the resources of the organization.
    Server,
    /// It is unique everywhere.
    Global,
}

/// An attribute: its name and its characteristics.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// The name in the spelling that is stored and sent. Case does not matter in comparisons.
    pub name: String,
    /// The type of its values.
    pub kind: AttributeType,
    /// Whether it has a list of values.
    pub multi_valued: bool,
    /// A description for people.
    pub description: String,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether the server sets a value if the client sends none, so that the attribute always has one. Removing or
    /// omitting it changes nothing.
    pub kept: bool,
    /// Whether a client may send a value, which the server drops. No published schema contains such an attribute, and
    /// strict mode refuses it like an unknown one.
    pub dropped: bool,
    /// Whether case matters when its strings are compared.
    pub case_exact: bool,
    /// The rule for its changes.
    pub mutability: Mutability,
    /// When it is returned in a response.
    pub returned: Returned,
    /// The scope in which a value must be unique.
    pub uniqueness: Uniqueness,
    /// Suggested values; other values are accepted too.
    pub canonical_values: Vec<String>,
    /// The targets of a reference: resource type names, `external` or `uri`.
    pub reference_types: Vec<String>,
    /// The sub-attributes of a complex attribute; otherwise empty.
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// Whether the attribute is in no response, because it is never returned or write-only.
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
