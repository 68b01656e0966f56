//! Schemas and resource types that an organization declares as JSON (RFC 7643 §6, §7).

use std::fmt::Display;

use insomnia_scim_contract::Mistake;
use serde_json::{Map, Value};

use super::attribute::{Attribute, AttributeType, Mutability, Returned, Uniqueness};
use super::builder;
use super::table::{ResourceType, Schema, SchemaExtension, SchemaTable};

const MAX_SCHEMAS: usize = 20;
const MAX_RESOURCE_TYPES: usize = 20;
const MAX_ATTRIBUTES: usize = 200;
const MAX_KEYWORDS: usize = 200;
/// The longest name, in bytes.
const MAX_NAME: usize = 128;
/// The longest description, in bytes.
const MAX_DESCRIPTION: usize = 4_096;

/// The attributes that every resource has in addition to those of its schemas. No declared attribute may have one of
/// these names, since it would be taken for the common one.
const RESERVED_NAMES: [&str; 4] = ["schemas", "id", "externalId", "meta"];
/// Endpoints that the protocol itself uses (RFC 7644 §3.2, RFC 9967 §2.5.1).
const RESERVED_ENDPOINTS: [&str; 7] = [
    "/Me",
    "/Bulk",
    "/Schemas",
    "/ResourceTypes",
    "/ServiceProviderConfig",
    "/ServiceProviderConfigs",
    "/AsyncResponses",
];

fn wrong(detail: impl Into<String>) -> Mistake {
    Mistake { pointer: String::new(), detail: detail.into() }
}

/// Adds the place of a mistake to it: the member or index in which it was found. Neither contains a character that RFC
/// 6901 escapes.
trait Below {
    fn below(self, part: impl Display) -> Self;
}

impl Below for Mistake {
    fn below(mut self, part: impl Display) -> Self {
        self.pointer.insert_str(0, &format!("/{part}"));
        self
    }
}

impl<T> Below for Result<T, Mistake> {
    fn below(self, part: impl Display) -> Self {
        self.map_err(|mistake| mistake.below(part))
    }
}

impl SchemaTable {
    /// Like [`SchemaTable::with_declared`], for a new declaration: it also refuses duplicates, and references to
    /// unknown types. A declaration that was stored before these rules existed is still accepted by `with_declared`.
    ///
    /// # Errors
    /// [`Mistake`] says what is wrong, and where.
    pub fn with_new(&self, schemas: &[Value], resource_types: &[Value]) -> Result<Self, Mistake> {
        let table = self.with_declared(schemas, resource_types)?;
        let name = |declared: &Value| declared["name"].as_str().map(str::to_ascii_lowercase);
        for (index, declared) in resource_types.iter().enumerate() {
            if resource_types.iter().take(index).any(|before| name(before) == name(declared)) {
                let detail = "There is a resource type of this `name` already: put all its extensions into one";
                return Err(wrong(detail).below("name").below(index).below("resourceTypes"));
            }
        }
        for (index, schema) in table.schemas.iter().skip(self.schemas.len()).enumerate() {
            let checked = keywords(&schema.attributes, &table.resource_types).below("attributes");
            checked.below(index).below("schemas")?;
        }
        Ok(table)
    }

    /// This table, extended by declared schemas (RFC 7643 §7) and resource types (RFC 7643 §6).
    ///
    /// A resource type with the name of an existing one, such as `User`, adds its `schemaExtensions` to that one.
    /// Members that the RFC does not define are ignored.
    ///
    /// # Errors
    /// [`Mistake`] says what is wrong, and where: a URN, name or endpoint that is malformed or taken, a characteristic
    /// that the RFC does not define, a complex sub-attribute, uniqueness (which only built-in attributes have), or a
    /// declaration that is too large.
    pub fn with_declared(&self, schemas: &[Value], resource_types: &[Value]) -> Result<Self, Mistake> {
        at_most(MAX_SCHEMAS, schemas.len(), "schemas").below("schemas")?;
        at_most(MAX_RESOURCE_TYPES, resource_types.len(), "resource types").below("resourceTypes")?;
        let mut table = self.clone();
        for (index, declared) in schemas.iter().enumerate() {
            let added = schema(declared).and_then(|schema| {
                if table.schema(&schema.id).is_some() {
                    let detail = format!("There is a schema `{}` already", schema.id);
                    return Err(wrong(detail).below("id"));
                }
                table.schemas.push(schema);
                Ok(())
            });
            added.below(index).below("schemas")?;
        }
        for (index, declared) in resource_types.iter().enumerate() {
            table.declare_resource_type(declared, self.schemas.len()).below(index).below("resourceTypes")?;
        }
        Ok(table)
    }

    /// Declared types can't use the first `built_in` schemas.
    fn declare_resource_type(&mut self, declared: &Value, built_in: usize) -> Result<(), Mistake> {
        let declared = object(declared, "A resource type")?;
        let name = text(declared, "name", MAX_NAME)?.filter(|name| is_name(name));
        let Some(name) = name else {
            let rule = "The `name` of a resource type must be a letter, then letters, digits, `-` or `_`";
            return Err(wrong(rule).below("name"));
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
        for (index, extension) in listed.iter().enumerate() {
            let added = schema_extension(extension, &place, &extensions, inherited, &usable);
            extensions.extend(added.below(index).below("schemaExtensions")?);
        }
        if let Some(existing) = existing.and_then(|at| self.resource_types.get_mut(at)) {
            existing.extensions.append(&mut extensions);
            return Ok(());
        }
        let endpoint = text(declared, "endpoint", MAX_NAME)?.unwrap_or_default();
        let is_taken = |taken: &str| taken.eq_ignore_ascii_case(endpoint);
        if !endpoint.strip_prefix('/').is_some_and(is_name) {
            let detail = format!("{place}: `endpoint` must be a slash and a name");
            return Err(wrong(detail).below("endpoint"));
        }
        if RESERVED_ENDPOINTS.into_iter().any(is_taken)
            || self.resource_types.iter().any(|other| is_taken(&other.endpoint))
        {
            let detail = format!("{place}: the endpoint `{endpoint}` is taken");
            return Err(wrong(detail).below("endpoint"));
        }
        let urn = text(declared, "schema", MAX_NAME * 2)?.unwrap_or_default();
        let Some(schema) = usable(urn) else {
            let detail = format!("{place}: `schema` must be a declared schema");
            return Err(wrong(detail).below("schema"));
        };
        if extensions.iter().any(|extension| extension.schema == schema) {
            let detail = format!("{place}: `{schema}` can't extend itself");
            return Err(wrong(detail).below("schemaExtensions"));
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

/// An extension to add; `None` if the resource type has it already.
fn schema_extension(
    declared: &Value,
    place: &str,
    before: &[SchemaExtension],
    inherited: &[SchemaExtension],
    usable: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<SchemaExtension>, Mistake> {
    let declared = object(declared, "An entry of `schemaExtensions`")?;
    let urn = text(declared, "schema", MAX_NAME * 2)?.unwrap_or_default();
    let required = flag(declared, "required", place)?;
    if inherited.iter().any(|inherited| inherited.schema.eq_ignore_ascii_case(urn)) {
        return Ok(None);
    }
    let Some(schema) = usable(urn) else {
        return Err(wrong(format!("{place}: `{urn}` is not a declared schema")).below("schema"));
    };
    if before.iter().any(|before| before.schema == schema) {
        return Err(wrong(format!("{place}: the extension `{urn}` occurs twice")).below("schema"));
    }
    Ok(Some(SchemaExtension { schema, required }))
}

fn schema(declared: &Value) -> Result<Schema, Mistake> {
    let declared = object(declared, "A schema")?;
    let Some(id) = text(declared, "id", MAX_NAME * 2)?.filter(|id| is_urn(id)) else {
        let rule = "The `id` of a schema must be a URN: `urn:`, a namespace, `:`, a name";
        return Err(wrong(rule).below("id"));
    };
    let name = match text(declared, "name", MAX_NAME)? {
        Some(name) if !name.is_empty() => name,
        _ => id.rsplit(':').next().unwrap_or(id),
    };
    let attributes = attributes(array(declared, "attributes", MAX_ATTRIBUTES, id)?, id, false).below("attributes")?;
    if attributes.is_empty() {
        return Err(wrong(format!("`{id}` has no attributes")).below("attributes"));
    }
    let description = text(declared, "description", MAX_DESCRIPTION)?.unwrap_or(name);
    Ok(builder::schema(id, name, description, attributes))
}

fn attributes(declared: &[Value], place: &str, within_complex: bool) -> Result<Vec<Attribute>, Mistake> {
    let mut attributes: Vec<Attribute> = Vec::with_capacity(declared.len());
    for (index, declared) in declared.iter().enumerate() {
        let attribute = attribute(declared, place, within_complex).below(index)?;
        if attributes.iter().any(|before| before.name.eq_ignore_ascii_case(&attribute.name)) {
            let detail = format!("{place}: the attribute `{}` occurs twice", attribute.name);
            return Err(wrong(detail).below("name").below(index));
        }
        attributes.push(attribute);
    }
    Ok(attributes)
}

fn attribute(declared: &Value, place: &str, within_complex: bool) -> Result<Attribute, Mistake> {
    let declared = object(declared, "An attribute")?;
    let name = text(declared, "name", MAX_NAME)?.unwrap_or_default();
    if !(is_name(name) || (within_complex && name == "$ref")) {
        let rule = "the `name` of an attribute must be a letter, then letters, digits, `-` or `_`";
        return Err(wrong(format!("{place}: {rule}")).below("name"));
    }
    if !within_complex && RESERVED_NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(wrong(format!("{place}: every resource has `{name}` already")).below("name"));
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
        let detail = format!("{place}: a `writeOnly` attribute must have `returned` `never`");
        return Err(wrong(detail).below("returned"));
    }
    attribute.uniqueness = keyword(declared, "uniqueness", Uniqueness::None, &UNIQUENESSES, place)?;
    if attribute.uniqueness != Uniqueness::None {
        let detail = format!("{place}: the `uniqueness` of a declared attribute must be `none`");
        return Err(wrong(detail).below("uniqueness"));
    }
    attribute.canonical_values = texts(declared, "canonicalValues", place)?;
    attribute.reference_types = texts(declared, "referenceTypes", place)?;
    let sub_attributes = array(declared, "subAttributes", MAX_ATTRIBUTES, place)?;
    match (kind, within_complex, sub_attributes.is_empty()) {
        (AttributeType::Complex, true, _) => {
            Err(wrong(format!("{place}: a sub-attribute can't be complex")).below("type"))
        }
        (AttributeType::Complex, false, true) => {
            let detail = format!("{place}: a complex attribute needs `subAttributes`");
            Err(wrong(detail).below("subAttributes"))
        }
        (AttributeType::Complex, false, false) => {
            attribute.sub_attributes = attributes(sub_attributes, place, true).below("subAttributes")?;
            Ok(attribute)
        }
        (_, _, false) => {
            let detail = format!("{place}: only a complex attribute has `subAttributes`");
            Err(wrong(detail).below("subAttributes"))
        }
        (_, _, true) => Ok(attribute),
    }
}

/// Checks that canonical values occur only once, and that references are to an existing resource type or to `external`
/// or `uri`, as RFC 7643 §7 defines them.
fn keywords(attributes: &[Attribute], resource_types: &[ResourceType]) -> Result<(), Mistake> {
    for (index, attribute) in attributes.iter().enumerate() {
        let values = &attribute.canonical_values;
        let is = |one: &str, other: &str| match attribute.case_exact {
            true => one == other,
            false => one.eq_ignore_ascii_case(other),
        };
        for (position, value) in values.iter().enumerate() {
            if values.iter().take(position).any(|before| is(before, value)) {
                let detail = format!("`{}`: the value `{value}` occurs twice", attribute.name);
                return Err(wrong(detail).below(position).below("canonicalValues").below(index));
            }
        }
        for (position, named) in attribute.reference_types.iter().enumerate() {
            let is_known = ["external", "uri"].contains(&named.as_str())
                || resource_types.iter().any(|resource_type| resource_type.name == *named);
            if !is_known {
                let detail = format!("`{}`: there is no resource type `{named}`", attribute.name);
                return Err(wrong(detail).below(position).below("referenceTypes").below(index));
            }
        }
        keywords(&attribute.sub_attributes, resource_types).below("subAttributes").below(index)?;
    }
    Ok(())
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
) -> Result<T, Mistake> {
    let Some(text) = text(declared, member, MAX_NAME)? else { return Ok(default) };
    let found = keywords.iter().find(|(keyword, _)| *keyword == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let keywords: Vec<&str> = keywords.iter().map(|(keyword, _)| *keyword).collect();
        wrong(format!("{place}: `{member}` must be one of {}", keywords.join(", "))).below(member)
    })
}

fn object<'v>(value: &'v Value, what: &str) -> Result<&'v Map<String, Value>, Mistake> {
    value.as_object().ok_or_else(|| wrong(format!("{what} must be an object")))
}

fn text<'v>(object: &'v Map<String, Value>, member: &str, most: usize) -> Result<Option<&'v str>, Mistake> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= most => Ok(Some(text)),
        Some(_) => Err(wrong(format!("`{member}` must be a string of at most {most} bytes")).below(member)),
    }
}

fn flag(object: &Map<String, Value>, member: &str, place: &str) -> Result<bool, Mistake> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(wrong(format!("{place}: `{member}` must be true or false")).below(member)),
    }
}

fn array<'v>(object: &'v Map<String, Value>, member: &str, most: usize, place: &str) -> Result<&'v [Value], Mistake> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(values)) if values.len() <= most => Ok(values),
        Some(_) => Err(wrong(format!("{place}: `{member}` must be an array of at most {most}")).below(member)),
    }
}

fn texts(object: &Map<String, Value>, member: &str, place: &str) -> Result<Vec<String>, Mistake> {
    let values = array(object, member, MAX_KEYWORDS, place)?.iter().enumerate();
    let values = values.map(|(index, value)| match value {
        Value::String(text) if text.len() <= MAX_NAME => Ok(text.clone()),
        _ => {
            let detail = format!("{place}: `{member}` must hold strings of at most {MAX_NAME} bytes");
            Err(wrong(detail).below(index).below(member))
        }
    });
    values.collect()
}

fn at_most(most: usize, count: usize, what: &str) -> Result<(), Mistake> {
    if count > most {
        return Err(wrong(format!("There can't be more than {most} {what}")));
    }
    Ok(())
}

/// An attribute name (RFC 7643 §2.1).
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Whether the text is a URN (RFC 8141 §2) without characters that would end it in a path or a filter.
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
