//! The schema table: schemas, resource types, and a view of one resource type's attributes.

use serde_json::{Map, Value};

use super::attribute::Attribute;

/// A schema: attributes under a URN (RFC 7643 §7).
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// The URN. Case does not matter in comparisons.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// A description for people.
    pub description: String,
    /// Its attributes, without the common ones (`schemas`, `id`, `externalId`, `meta`).
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// The attribute of this name, in any case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }
}

/// An extension of a resource type (RFC 7643 §6).
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaExtension {
    /// The URN of the extension's schema.
    pub schema: String,
    /// Whether every resource must have it.
    pub required: bool,
}

/// A resource type (RFC 7643 §6).
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceType {
    /// Its name and id, such as `User`.
    pub name: String,
    /// Its endpoint below the connector URL, such as `/Users`.
    pub endpoint: String,
    /// A description for people.
    pub description: String,
    /// The URN of its core schema.
    pub schema: String,
    /// Its extensions.
    pub extensions: Vec<SchemaExtension>,
}

/// All schemas and resource types of an organization.
#[derive(Clone, Debug, PartialEq)]
pub struct SchemaTable {
    /// The attributes that every resource has (RFC 7643 §3.1, and `schemas`).
    pub(super) common: Vec<Attribute>,
    pub(super) schemas: Vec<Schema>,
    pub(super) resource_types: Vec<ResourceType>,
}

impl SchemaTable {
    /// All schemas, in the order in which `/Schemas` lists them.
    #[must_use]
    pub fn schemas(&self) -> &[Schema] {
        &self.schemas
    }

    /// All resource types, in the order in which `/ResourceTypes` lists them.
    #[must_use]
    pub fn resource_types(&self) -> &[ResourceType] {
        &self.resource_types
    }

    /// The schema with this URN, in any case.
    #[must_use]
    pub fn schema(&self, urn: &str) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// The attribute of this name, in any case, that every resource has (RFC 7643 §3.1, and `schemas`).
    #[must_use]
    pub fn common_attribute(&self, name: &str) -> Option<&Attribute> {
        self.common.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The names, in lower case, of attributes and sub-attributes that no response ever contains (RFC 7643 §7).
    #[must_use]
    pub fn never_returned(&self) -> Vec<String> {
        let attributes = self.schemas.iter().flat_map(|schema| &schema.attributes);
        let all = attributes.flat_map(|attribute| std::iter::once(attribute).chain(&attribute.sub_attributes));
        all.filter(|attribute| attribute.is_hidden()).map(|attribute| attribute.name.to_ascii_lowercase()).collect()
    }

    /// Removes the attributes that no response ever contains. The document may have the canonical form of this or of an
    /// earlier declaration.
    pub fn take_hidden(&self, document: &mut Map<String, Value>) {
        for schema in &self.schemas {
            let holds_hidden = |attribute: &&Attribute| {
                attribute.is_hidden() || attribute.sub_attributes.iter().any(Attribute::is_hidden)
            };
            for attribute in schema.attributes.iter().filter(holds_hidden) {
                take_attribute(document, attribute);
                for (_, extension) in document.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(&schema.id)) {
                    if let Value::Object(extension) = extension {
                        take_attribute(extension, attribute);
                    }
                }
            }
        }
    }

    /// The schema of the resource type with this name. Case matters, as in `/ResourceTypes/{name}`.
    #[must_use]
    pub fn resource(&self, name: &str) -> Option<ResourceSchema<'_>> {
        let resource_type = self.resource_types.iter().find(|candidate| candidate.name == name)?;
        let core = self.schema(&resource_type.schema)?;
        let extensions =
            resource_type.extensions.iter().filter_map(|extension| self.schema(&extension.schema)).collect();
        Some(ResourceSchema { resource_type, common: &self.common, core, extensions })
    }
}

fn take_attribute(object: &mut Map<String, Value>, attribute: &Attribute) {
    if attribute.is_hidden() {
        object.retain(|name, _| !name.eq_ignore_ascii_case(&attribute.name));
        return;
    }
    let is_hidden = |name: &str| attribute.sub_attribute(name).is_some_and(Attribute::is_hidden);
    for (_, value) in object.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(&attribute.name)) {
        match value {
            Value::Object(parts) => parts.retain(|name, _| !is_hidden(name)),
            Value::Array(values) => {
                values
                    .iter_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(|parts| parts.retain(|name, _| !is_hidden(name)));
            }
            _ => {}
        }
    }
}

/// One resource type's attributes: the common ones, the core schema's and the extensions'.
#[derive(Clone, Debug)]
pub struct ResourceSchema<'s> {
    /// The resource type.
    pub resource_type: &'s ResourceType,
    /// `schemas`, `id`, `externalId`, `meta`.
    pub common: &'s [Attribute],
    /// The core schema.
    pub core: &'s Schema,
    /// The extensions' schemas.
    pub extensions: Vec<&'s Schema>,
}

impl<'s> ResourceSchema<'s> {
    /// The attribute of this name among the common and the core ones, in any case.
    #[must_use]
    pub fn core_attribute(&self, name: &str) -> Option<&'s Attribute> {
        self.common
            .iter()
            .chain(self.core.attributes.iter())
            .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    /// The extension with this URN, in any case.
    #[must_use]
    pub fn extension(&self, urn: &str) -> Option<&'s Schema> {
        self.extensions.iter().copied().find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }
}
