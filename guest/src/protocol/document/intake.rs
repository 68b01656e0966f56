//! Turns the body of a POST or a PUT into a document.

use serde_json::{Map, Value};

use super::Document;
use super::place::Place;
use super::presence::{required_present, set_schemas};
use super::value::{is_label_alone, settle, value_at};
use crate::protocol::error::ScimError;
use crate::protocol::mode::Mode;
use crate::protocol::path::AttributePath;
use crate::protocol::schema::{Attribute, GROUP, Mutability, ResourceSchema, Schema, USER};
use crate::protocol::tolerance::Tolerance;

/// Parses JSON. A byte order mark is skipped; nesting is limited to 128.
///
/// # Errors
/// 400 `invalidSyntax`, which says where the JSON is malformed, without quoting it.
pub fn parse(body: &[u8]) -> Result<Value, ScimError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Err(ScimError::invalid_syntax("The request has no body"));
    }
    serde_json::from_slice(body).map_err(|error| {
        // What is too deep or too large may be JSON nevertheless. The library tells it by its words only.
        let said = error.to_string();
        let what = match said.as_str() {
            said if said.starts_with("recursion limit") => "is nested too deep",
            said if said.starts_with("number out of range") => "has a number that is too large",
            _ => "is not JSON",
        };
        let detail = format!("The body {what} (line {}, column {})", error.line(), error.column());
        ScimError::invalid_syntax(detail)
    })
}

/// The canonical form of the body of a POST or a PUT. Read-only attributes are ignored in either mode (RFC 7644 §3.3,
/// §3.5.1). Attributes with `returned: never` are kept in the document: see [`super::take_secret`].
///
/// Compat mode ignores unknown attributes and unknown schemas (T6). It accepts attributes that are named by path (T7,
/// T11) or are in an object under the core schema's URN, and converts values as described at [`super::value()`]. If an
/// attribute is given both with and without a path, the value without one counts.
///
/// # Errors
/// 400 `invalidValue` for a value that is missing or of the wrong type, 400 `invalidSyntax` for a body of the wrong
/// structure, which in strict mode includes unknown attributes and wrong `schemas`.
pub fn from_client(schema: &ResourceSchema<'_>, body: Value, mode: Mode<'_>) -> Result<Document, ScimError> {
    let Value::Object(body) = body else {
        return Err(ScimError::invalid_syntax("The body is not a JSON object"));
    };
    let mut intake = Intake {
        schema,
        mode,
        core: Map::new(),
        extensions: schema.extensions.iter().map(|extension| (*extension, Map::new())).collect(),
        by_path: Vec::new(),
        schemas: None,
    };
    for (name, value) in body {
        intake.member(name, value)?;
    }
    intake.finish()
}

struct Intake<'r, 's, 't> {
    schema: &'r ResourceSchema<'s>,
    mode: Mode<'t>,
    core: Document,
    extensions: Vec<(&'s Schema, Map<String, Value>)>,
    by_path: Vec<(AttributePath<'s>, Value)>,
    schemas: Option<Value>,
}

impl<'s> Intake<'_, 's, '_> {
    fn member(&mut self, name: String, value: Value) -> Result<(), ScimError> {
        if name.eq_ignore_ascii_case("schemas") {
            self.note_case(&name, "schemas");
            self.schemas = Some(value);
            return Ok(());
        }
        if let Some(attribute) = self.schema.core_attribute(&name) {
            return self.attribute(None, attribute, name, value);
        }
        if let Some(extension) = self.schema.extension(&name) {
            self.note_case(&name, &extension.id);
            return self.extension(extension, value);
        }
        if self.mode.is_strict() {
            return Err(ScimError::invalid_syntax(format!("There is no attribute `{}`", shortened(&name))));
        }
        if name.eq_ignore_ascii_case(&self.schema.core.id) {
            self.mode.note(Tolerance::PathAsName);
            return self.core_container(value);
        }
        let Some(path) = AttributePath::resolve(self.schema, &name) else {
            self.mode.note(Tolerance::Unknown);
            return Ok(());
        };
        path.note_form(&name, self.mode);
        if name.contains(['.', ':']) {
            self.mode.note(Tolerance::PathAsName);
        }
        self.later(path, value);
        Ok(())
    }

    fn note_case(&self, sent: &str, name: &str) {
        if sent != name {
            self.mode.note(Tolerance::LetterCase);
        }
    }

    /// Reads core attributes in an object under the core schema's URN.
    fn core_container(&mut self, value: Value) -> Result<(), ScimError> {
        let Value::Object(container) = value else { return Ok(()) };
        for (name, value) in container {
            if let Some(attribute) = self.schema.core_attribute(&name) {
                // The table has `schemas` as read-only, so it is skipped here.
                self.attribute(None, attribute, name, value)?;
            } else {
                self.mode.note(Tolerance::Unknown);
            }
        }
        Ok(())
    }

    fn extension(&mut self, extension: &'s Schema, value: Value) -> Result<(), ScimError> {
        let container = match value {
            Value::Object(container) => container,
            Value::Null => return Ok(()),
            Value::Array(values) if values.is_empty() => return Ok(()),
            _ => return Err(ScimError::invalid_value(format!("`{}` must be an object", extension.id))),
        };
        for (name, value) in container {
            if let Some(attribute) = extension.attribute(&name) {
                self.attribute(Some(extension), attribute, name, value)?;
            } else if self.mode.is_strict() {
                let name = shortened(&name);
                return Err(ScimError::invalid_syntax(format!("There is no attribute `{}:{name}`", extension.id)));
            } else if let Some((head, tail)) = name.split_once('.')
                && let Some(attribute) = extension.attribute(head)
                && let Some(sub_attribute) = attribute.sub_attribute(tail)
            {
                let (attribute, sub_attribute) = (Some(attribute), Some(sub_attribute));
                self.mode.note(Tolerance::PathAsName);
                self.later(AttributePath { extension: Some(extension), attribute, sub_attribute }, value);
            } else {
                self.mode.note(Tolerance::Unknown);
            }
        }
        Ok(())
    }

    fn attribute(
        &mut self,
        extension: Option<&'s Schema>,
        attribute: &'s Attribute,
        name: String,
        value: Value,
    ) -> Result<(), ScimError> {
        if attribute.mutability == Mutability::ReadOnly {
            return Ok(());
        }
        if attribute.dropped && self.mode.is_strict() {
            return Err(ScimError::invalid_syntax(format!("There is no attribute `{}`", attribute.name)));
        }
        self.note_case(&name, &attribute.name);
        let place = Place::of(extension, attribute);
        let Some(value) = value_at(place, attribute, value, self.mode)? else { return Ok(()) };
        let name = if name == attribute.name { name } else { attribute.name.clone() };
        let before = self.container(extension).insert(name, value);
        if before.is_some() && self.mode.is_strict() {
            return Err(ScimError::invalid_syntax(format!("`{place}` occurs twice")));
        }
        Ok(())
    }

    /// Stores a path until the attributes without a path are read. If one path has several spellings, the last one
    /// counts, so there are never more paths than attributes.
    fn later(&mut self, path: AttributePath<'s>, value: Value) {
        match self.by_path.iter_mut().find(|(before, _)| is_same(before, &path)) {
            Some((_, before)) => *before = value,
            None => self.by_path.push((path, value)),
        }
    }

    fn container(&mut self, extension: Option<&Schema>) -> &mut Map<String, Value> {
        match extension {
            Some(extension) => {
                let found = self.extensions.iter_mut().find(|(candidate, _)| candidate.id == extension.id);
                found.map_or(&mut self.core, |(_, container)| container)
            }
            None => &mut self.core,
        }
    }

    fn by_path(&mut self, path: AttributePath<'s>, value: Value) -> Result<(), ScimError> {
        let Some(attribute) = path.attribute else {
            return path.extension.map_or(Ok(()), |extension| self.extension(extension, value));
        };
        let is_set = self.container(path.extension).contains_key(attribute.name.as_str());
        let Some(sub_attribute) = path.sub_attribute else {
            return if is_set {
                Ok(())
            } else {
                self.attribute(path.extension, attribute, attribute.name.clone(), value)
            };
        };
        if Mutability::ReadOnly == attribute.mutability || Mutability::ReadOnly == sub_attribute.mutability {
            return Ok(());
        }
        let place = Place::of(path.extension, attribute);
        let Some(value) = value_at(place.sub_attribute(&sub_attribute.name), sub_attribute, value, self.mode)? else {
            return Ok(());
        };
        let mode = self.mode;
        let container = self.container(path.extension);
        let name = &sub_attribute.name;
        match container.get_mut(attribute.name.as_str()) {
            Some(Value::Array(values)) => {
                for value_of_many in values.iter_mut() {
                    fill(value_of_many, name, &value);
                }
                if let Some(settled) = settle(place, attribute, std::mem::take(values), mode)? {
                    container.insert(attribute.name.clone(), settled);
                }
            }
            Some(single) => fill(single, name, &value),
            None => {
                let object = Value::Object(Map::from_iter([(name.clone(), value)]));
                let value = if attribute.multi_valued { Value::Array(vec![object]) } else { object };
                container.insert(attribute.name.clone(), value);
            }
        }
        Ok(())
    }

    /// Removes elements that have a type but no value. Paths come one by one, so this is only known when all are read.
    fn drop_labels_alone(&mut self, extension: Option<&Schema>, attribute: &Attribute) {
        let mode = self.mode;
        let container = self.container(extension);
        let Some(Value::Array(values)) = container.get_mut(attribute.name.as_str()) else { return };
        values.retain(|value| !(is_label_alone(attribute, value) && mode.tolerates(Tolerance::Unknown)));
        if values.is_empty() {
            container.shift_remove(attribute.name.as_str());
        }
    }

    fn finish(mut self) -> Result<Document, ScimError> {
        self.check_schemas()?;
        let paths = std::mem::take(&mut self.by_path);
        let attributes: Vec<_> = paths.iter().filter_map(|(path, _)| Some((path.extension, path.attribute?))).collect();
        for (path, value) in paths {
            self.by_path(path, value)?;
        }
        for (extension, attribute) in attributes {
            self.drop_labels_alone(extension, attribute);
        }
        let mut document = self.core;
        for (extension, container) in self.extensions {
            if !container.is_empty() {
                document.insert(extension.id.clone(), Value::Object(container));
            }
        }
        set_schemas(self.schema, &mut document);
        required_present(self.schema, &document)?;
        Ok(document)
    }

    /// In compat mode the endpoint decides the resource type. `schemas` is only an error if it names another type's
    /// core schema instead.
    fn check_schemas(&self) -> Result<(), ScimError> {
        let urns: Vec<&str> = match &self.schemas {
            Some(Value::Array(urns)) => urns.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let core = self.schema.core.id.as_str();
        let names = |urn: &str| urns.iter().any(|candidate| candidate.eq_ignore_ascii_case(urn));
        if !self.mode.is_strict() {
            let other = [USER, GROUP].into_iter().find(|urn| !urn.eq_ignore_ascii_case(core) && names(urn));
            let is_known = |urn: &&str| urn.eq_ignore_ascii_case(core) || self.schema.extension(urn).is_some();
            if !names(core) || !urns.iter().all(is_known) {
                self.mode.note(Tolerance::Unknown);
            }
            return match other {
                Some(other) if !names(core) => {
                    Err(ScimError::invalid_syntax(format!("`schemas` names `{other}` instead of `{core}`")))
                }
                _ => Ok(()),
            };
        }
        let sent = self.schemas.as_ref().and_then(Value::as_array).map_or(0, Vec::len);
        if sent != urns.len() || !names(core) {
            return Err(ScimError::invalid_syntax(format!("`schemas` must be an array of URNs and hold `{core}`")));
        }
        let is_known = |urn: &str| urn.eq_ignore_ascii_case(core) || self.schema.extension(urn).is_some();
        if !urns.iter().all(|urn| is_known(urn)) {
            return Err(ScimError::invalid_syntax("`schemas` names a schema that the resource type does not have"));
        }
        // All these URNs are known, so the list can only be long if some occur twice.
        let is_repeated =
            |(at, urn): (usize, &&str)| urns.iter().take(at).any(|before| before.eq_ignore_ascii_case(urn));
        if urns.len() > 1 + self.schema.extensions.len() || urns.iter().enumerate().any(is_repeated) {
            return Err(ScimError::invalid_syntax("`schemas` names a schema twice"));
        }
        match self.extensions.iter().find(|(extension, container)| !container.is_empty() && !names(&extension.id)) {
            Some((extension, _)) => Err(ScimError::invalid_syntax(format!(
                "`schemas` must name `{}`, because the body has its attributes",
                extension.id
            ))),
            None => Ok(()),
        }
    }
}

fn is_same(one: &AttributePath<'_>, other: &AttributePath<'_>) -> bool {
    fn is_same<T>(one: Option<&T>, other: Option<&T>) -> bool {
        one.map(std::ptr::from_ref) == other.map(std::ptr::from_ref)
    }
    is_same(one.extension, other.extension)
        && is_same(one.attribute, other.attribute)
        && is_same(one.sub_attribute, other.sub_attribute)
}

/// Sets a sub-attribute unless it is set already.
fn fill(target: &mut Value, name: &str, value: &Value) {
    if let Value::Object(object) = target
        && !object.contains_key(name)
    {
        object.insert(name.to_owned(), value.clone());
    }
}

/// A name that a client sent, shortened for an error.
fn shortened(name: &str) -> String {
    name.chars().take(100).filter(|character| !character.is_control()).collect()
}
