//! Schemas and resource types that an organization declares as JSON (RFC 7643 §6, §7).

use serde_json::{Map, Value};

use super::attribute::{Attribute, AttributeType, Mutability, Returned, Uniqueness};
use super::builder;
use super::table::{ResourceType, Schema, SchemaExtension, SchemaTable};
use crate::protocol::error::ScimError;

const MAX_SCHEMAS: usize = 20;
const MAX_RESOURCE_TYPES: usize = 20;
const MAX_ATTRIBUTES: usize = 200;
const MAX_KEYWORDS: usize = 200;
/// In bytes.
const MAX_NAME: usize = 128;
/// In bytes.
const MAX_DESCRIPTION: usize = 4_096;

/// What every resource has beside its schemas' attributes; an attribute of this name could not be told from it.
const RESERVED_NAMES: [&str; 4] = ["schemas", "id", "externalId", "meta"];
/// Endpoints that are taken by the protocol (RFC 7644 §3.2).
const RESERVED_ENDPOINTS: [&str; 6] =
    ["/Me", "/Bulk", "/Schemas", "/ResourceTypes", "/ServiceProviderConfig", "/ServiceProviderConfigs"];

impl SchemaTable {
    /// This table with declared schemas (RFC 7643 §7) and resource types (RFC 7643 §6).
    ///
    /// A resource type with the name of one that is there already, such as `User`, adds its `schemaExtensions` to that
    /// one. Members that the RFC does not know are ignored.
    ///
    /// # Errors
    /// 400 `invalidValue` that names what is wrong: a URN, name or endpoint that is malformed or taken, a characteristic
    /// that is not one of the RFC's, a complex sub-attribute, uniqueness (which only built-in attributes have), or too
    /// much of anything.
    pub fn with_declared(&self, schemas: &[Value], resource_types: &[Value]) -> Result<Self, ScimError> {
        at_most(MAX_SCHEMAS, schemas.len(), "schemas")?;
        at_most(MAX_RESOURCE_TYPES, resource_types.len(), "resource types")?;
        let mut table = self.clone();
        for declared in schemas {
            let schema = schema(declared)?;
            if table.schema(&schema.id).is_some() {
                return Err(ScimError::invalid_value(format!("The schema `{}` is there already", schema.id)));
            }
            table.schemas.push(schema);
        }
        for declared in resource_types {
            table.declare_resource_type(declared, self.schemas.len())?;
        }
        Ok(table)
    }

    /// The first `built_in` schemas can't be used by what is declared.
    fn declare_resource_type(&mut self, declared: &Value, built_in: usize) -> Result<(), ScimError> {
        let declared = object(declared, "A resource type")?;
        let name = text(declared, "name", MAX_NAME)?.filter(|name| is_name(name));
        let Some(name) = name else {
            return Err(ScimError::invalid_value(
                "The `name` of a resource type must be a letter, then letters, digits, `-` or `_`",
            ));
        };
        let place = format!("resource type `{name}`");
        let usable = |urn: &str| {
            let found = self.schemas.iter().skip(built_in).find(|schema| schema.id.eq_ignore_ascii_case(urn));
            found.map(|schema| schema.id.clone())
        };
        let mut extensions: Vec<SchemaExtension> = Vec::new();
        let listed = array(declared, "schemaExtensions", MAX_SCHEMAS, &place)?;
        let existing = self.resource_types.iter().position(|candidate| candidate.name.eq_ignore_ascii_case(name));
        let inherited = existing.and_then(|at| self.resource_types.get(at)).map_or(&[][..], |found| &found.extensions);
        for extension in listed {
            let extension = object(extension, "An entry of `schemaExtensions`")?;
            let urn = text(extension, "schema", MAX_NAME * 2)?.unwrap_or_default();
            let required = flag(extension, "required", &place)?;
            if inherited.iter().any(|inherited| inherited.schema.eq_ignore_ascii_case(urn)) {
                continue;
            }
            let Some(schema) = usable(urn) else {
                return Err(ScimError::invalid_value(format!("{place}: `{urn}` is not a declared schema")));
            };
            if extensions.iter().any(|before| before.schema == schema) {
                return Err(ScimError::invalid_value(format!("{place}: the extension `{urn}` is there twice")));
            }
            extensions.push(SchemaExtension { schema, required });
        }
        if let Some(existing) = existing.and_then(|at| self.resource_types.get_mut(at)) {
            existing.extensions.append(&mut extensions);
            return Ok(());
        }
        let endpoint = text(declared, "endpoint", MAX_NAME)?.unwrap_or_default();
        let is_taken = |taken: &str| taken.eq_ignore_ascii_case(endpoint);
        if !endpoint.strip_prefix('/').is_some_and(is_name) {
            return Err(ScimError::invalid_value(format!("{place}: `endpoint` must be a slash and a name")));
        }
        if RESERVED_ENDPOINTS.into_iter().any(is_taken)
            || self.resource_types.iter().any(|other| is_taken(&other.endpoint))
        {
            return Err(ScimError::invalid_value(format!("{place}: the endpoint `{endpoint}` is taken")));
        }
        let urn = text(declared, "schema", MAX_NAME * 2)?.unwrap_or_default();
        let Some(schema) = usable(urn) else {
            return Err(ScimError::invalid_value(format!("{place}: `schema` must be a declared schema")));
        };
        if extensions.iter().any(|extension| extension.schema == schema) {
            return Err(ScimError::invalid_value(format!("{place}: `{schema}` can't extend itself")));
        }
        self.resource_types.push(ResourceType {
            name: name.to_owned(),
            endpoint: endpoint.to_owned(),
            description: text(declared, "description", MAX_DESCRIPTION)?.unwrap_or(name).to_owned(),
            schema,
            extensions,
        });
        Ok(())
    }
}

fn schema(declared: &Value) -> Result<Schema, ScimError> {
    let declared = object(declared, "A schema")?;
    let Some(id) = text(declared, "id", MAX_NAME * 2)?.filter(|id| is_urn(id)) else {
        return Err(ScimError::invalid_value("The `id` of a schema must be a URN: `urn:`, a namespace, `:`, a name"));
    };
    let name = match text(declared, "name", MAX_NAME)? {
        Some(name) if !name.is_empty() => name,
        _ => id.rsplit(':').next().unwrap_or(id),
    };
    let attributes = attributes(array(declared, "attributes", MAX_ATTRIBUTES, id)?, id, false)?;
    if attributes.is_empty() {
        return Err(ScimError::invalid_value(format!("`{id}` has no attributes")));
    }
    let description = text(declared, "description", MAX_DESCRIPTION)?.unwrap_or(name);
    Ok(builder::schema(id, name, description, attributes))
}

fn attributes(declared: &[Value], place: &str, within_complex: bool) -> Result<Vec<Attribute>, ScimError> {
    let mut attributes: Vec<Attribute> = Vec::with_capacity(declared.len());
    for declared in declared {
        let attribute = attribute(declared, place, within_complex)?;
        if attributes.iter().any(|before| before.name.eq_ignore_ascii_case(&attribute.name)) {
            return Err(ScimError::invalid_value(format!(
                "{place}: the attribute `{}` is there twice",
                attribute.name
            )));
        }
        attributes.push(attribute);
    }
    Ok(attributes)
}

fn attribute(declared: &Value, place: &str, within_complex: bool) -> Result<Attribute, ScimError> {
    let declared = object(declared, "An attribute")?;
    let name = text(declared, "name", MAX_NAME)?.unwrap_or_default();
    if !(is_name(name) || (within_complex && name == "$ref")) {
        let rule = "the `name` of an attribute must be a letter, then letters, digits, `-` or `_`";
        return Err(ScimError::invalid_value(format!("{place}: {rule}")));
    }
    if !within_complex && RESERVED_NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(ScimError::invalid_value(format!("{place}: every resource has `{name}` already")));
    }
    let place = &format!("{place}:{name}");
    let kind = keyword(declared, "type", AttributeType::String, &KINDS, place)?;
    let mut attribute =
        builder::attribute(name, kind, text(declared, "description", MAX_DESCRIPTION)?.unwrap_or_default());
    attribute.multi_valued = flag(declared, "multiValued", place)?;
    attribute.required = flag(declared, "required", place)?;
    if declared.contains_key("caseExact") {
        attribute.case_exact = flag(declared, "caseExact", place)?;
    }
    attribute.mutability = keyword(declared, "mutability", Mutability::ReadWrite, &MUTABILITIES, place)?;
    attribute.returned = keyword(declared, "returned", Returned::Default, &RETURNED, place)?;
    if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never {
        return Err(ScimError::invalid_value(format!("{place}: what is `writeOnly` is returned `never`")));
    }
    attribute.uniqueness = keyword(declared, "uniqueness", Uniqueness::None, &UNIQUENESSES, place)?;
    if attribute.uniqueness != Uniqueness::None {
        return Err(ScimError::invalid_value(format!(
            "{place}: the `uniqueness` of a declared attribute must be `none`"
        )));
    }
    attribute.canonical_values = texts(declared, "canonicalValues", place)?;
    attribute.reference_types = texts(declared, "referenceTypes", place)?;
    let sub_attributes = array(declared, "subAttributes", MAX_ATTRIBUTES, place)?;
    match (kind, within_complex, sub_attributes.is_empty()) {
        (AttributeType::Complex, true, _) => {
            Err(ScimError::invalid_value(format!("{place}: a sub-attribute can't be complex")))
        }
        (AttributeType::Complex, false, true) => {
            Err(ScimError::invalid_value(format!("{place}: a complex attribute needs `subAttributes`")))
        }
        (AttributeType::Complex, false, false) => {
            attribute.sub_attributes = attributes(sub_attributes, place, true)?;
            Ok(attribute)
        }
        (_, _, false) => {
            Err(ScimError::invalid_value(format!("{place}: only a complex attribute has `subAttributes`")))
        }
        (_, _, true) => Ok(attribute),
    }
}

const KINDS: [(&str, AttributeType); 8] = [
    ("string", AttributeType::String),
    ("boolean", AttributeType::Boolean),
    ("decimal", AttributeType::Decimal),
    ("integer", AttributeType::Integer),
    ("dateTime", AttributeType::DateTime),
    ("binary", AttributeType::Binary),
    ("reference", AttributeType::Reference),
    ("complex", AttributeType::Complex),
];

const MUTABILITIES: [(&str, Mutability); 4] = [
    ("readOnly", Mutability::ReadOnly),
    ("readWrite", Mutability::ReadWrite),
    ("immutable", Mutability::Immutable),
    ("writeOnly", Mutability::WriteOnly),
];

const RETURNED: [(&str, Returned); 4] = [
    ("always", Returned::Always),
    ("never", Returned::Never),
    ("default", Returned::Default),
    ("request", Returned::Request),
];

const UNIQUENESSES: [(&str, Uniqueness); 3] =
    [("none", Uniqueness::None), ("server", Uniqueness::Server), ("global", Uniqueness::Global)];

fn keyword<T: Copy>(
    declared: &Map<String, Value>,
    member: &str,
    default: T,
    keywords: &[(&str, T)],
    place: &str,
) -> Result<T, ScimError> {
    let Some(text) = text(declared, member, MAX_NAME)? else { return Ok(default) };
    let found = keywords.iter().find(|(keyword, _)| *keyword == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let keywords: Vec<&str> = keywords.iter().map(|(keyword, _)| *keyword).collect();
        ScimError::invalid_value(format!("{place}: `{member}` must be one of {}", keywords.join(", ")))
    })
}

fn object<'v>(value: &'v Value, what: &str) -> Result<&'v Map<String, Value>, ScimError> {
    value.as_object().ok_or_else(|| ScimError::invalid_value(format!("{what} must be an object")))
}

fn text<'v>(object: &'v Map<String, Value>, member: &str, most: usize) -> Result<Option<&'v str>, ScimError> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= most => Ok(Some(text)),
        Some(_) => Err(ScimError::invalid_value(format!("`{member}` must be a string of at most {most} bytes"))),
    }
}

fn flag(object: &Map<String, Value>, member: &str, place: &str) -> Result<bool, ScimError> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(ScimError::invalid_value(format!("{place}: `{member}` must be true or false"))),
    }
}

fn array<'v>(object: &'v Map<String, Value>, member: &str, most: usize, place: &str) -> Result<&'v [Value], ScimError> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) if values.len() <= most => Ok(values),
        Some(_) => Err(ScimError::invalid_value(format!("{place}: `{member}` must be an array of at most {most}"))),
    }
}

fn texts(object: &Map<String, Value>, member: &str, place: &str) -> Result<Vec<String>, ScimError> {
    let values = array(object, member, MAX_KEYWORDS, place)?.iter().map(|value| match value {
        Value::String(text) if text.len() <= MAX_NAME => Ok(text.clone()),
        _ => {
            Err(ScimError::invalid_value(format!("{place}: `{member}` must hold strings of at most {MAX_NAME} bytes")))
        }
    });
    values.collect()
}

fn at_most(most: usize, count: usize, what: &str) -> Result<(), ScimError> {
    if count > most {
        return Err(ScimError::invalid_value(format!("There can't be more than {most} {what}")));
    }
    Ok(())
}

/// An attribute name (RFC 7643 §2.1).
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A URN (RFC 8141 §2) without the characters that would end it in a path or a filter.
fn is_urn(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let scheme_is_urn = parts.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn"));
    let has_namespace = parts.next().is_some_and(|namespace| is_name(namespace) && namespace.len() > 1);
    let has_name = parts.next().is_some_and(|name| {
        !name.ends_with([':', '.'])
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-' | b'_'))
    });
    scheme_is_urn && has_namespace && has_name
}

#[cfg(test)]
mod tests;
