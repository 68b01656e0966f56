//! Expands an operation's value object into one operation for each attribute in it (T7).

use serde_json::Value;

use super::operation::{Operation, OperationKind};
use super::path::PatchPath;
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::mode::Mode;
use crate::protocol::path::AttributePath;
use crate::protocol::schema::{ResourceSchema, Schema};
use crate::protocol::tolerance::Tolerance;

/// One operation of the request, which is being expanded into the list.
pub(super) struct Expansion<'e, 'a, 't> {
    pub(super) schema: &'e ResourceSchema<'a>,
    pub(super) kind: OperationKind,
    pub(super) number: usize,
    pub(super) mode: Mode<'t>,
    pub(super) operations: &'e mut Vec<Operation<'a>>,
}

impl<'a> Expansion<'_, 'a, '_> {
    /// Reads a `remove` with a path.
    pub(super) fn remove(&mut self, path: &'a str, value: Option<&'a Value>) -> Result<(), ScimError> {
        if let Some(path) = PatchPath::parse(self.schema, path, self.mode)? {
            self.push(path, value, false);
        }
        Ok(())
    }

    /// Reads an `add` or `replace` with a path.
    pub(super) fn at_path(&mut self, path: &'a str, value: &'a Value) -> Result<(), ScimError> {
        if path.trim().eq_ignore_ascii_case(&self.schema.core.id) {
            return self.pathless(value);
        }
        let Some(path) = PatchPath::parse(self.schema, path, self.mode)? else { return Ok(()) };
        self.located(path, value, false)
    }

    /// Reads an `add` or `replace` without a path: the members of its value are attributes, paths, or objects under a
    /// schema's URN.
    pub(super) fn pathless(&mut self, value: &'a Value) -> Result<(), ScimError> {
        let value = match value {
            Value::Array(values) if values.len() == 1 && self.mode.tolerates(Tolerance::ValueForm) => {
                values.first().unwrap_or(value)
            }
            value => value,
        };
        let Value::Object(value) = value else {
            return Err(ScimError::invalid_value("without a path the value is an object of attributes"));
        };
        for (name, value) in value {
            if name.eq_ignore_ascii_case(&self.schema.core.id) {
                self.mode.note(Tolerance::PathAsName);
                self.core_container(value)?;
            } else {
                self.named(name, value)?;
            }
        }
        Ok(())
    }

    /// Reads core attributes under the core schema's URN.
    fn core_container(&mut self, value: &'a Value) -> Result<(), ScimError> {
        let Value::Object(container) = value else { return Ok(()) };
        for (name, value) in container {
            // A container within a container is ignored.
            if !name.eq_ignore_ascii_case(&self.schema.core.id) {
                self.named(name, value)?;
            }
        }
        Ok(())
    }

    /// Reads one member of a value object.
    fn named(&mut self, name: &'a str, value: &'a Value) -> Result<(), ScimError> {
        // The server derives `schemas` from the attributes that are present.
        if name.eq_ignore_ascii_case("schemas") {
            self.mode.note(Tolerance::ReadOnlyInValue);
            return Ok(());
        }
        let path = match PatchPath::parse(self.schema, name, self.mode.leniently()) {
            // A name that is no path counts as an unknown attribute, as in a POST. A name with a bracket was meant to
            // have a filter, so its error is reported.
            Err(error) if error.scim_type == Some(ScimType::InvalidPath) && !name.contains('[') => None,
            parsed => parsed?,
        };
        match path {
            Some(path) => {
                if path.target.attribute.is_some() && name.contains(['.', ':', '[']) {
                    self.mode.note(Tolerance::PathAsName);
                }
                self.located(path, value, true)
            }
            None => self.unknown(name),
        }
    }

    fn located(&mut self, path: PatchPath<'a>, value: &'a Value, implied: bool) -> Result<(), ScimError> {
        match (path.target.attribute, path.target.extension) {
            (None, Some(extension)) => self.extension(path, extension, value),
            _ => {
                self.push(path, Some(value), implied);
                Ok(())
            }
        }
    }

    fn extension(&mut self, path: PatchPath<'a>, extension: &'a Schema, value: &'a Value) -> Result<(), ScimError> {
        match value {
            Value::Object(container) => {
                for (name, value) in container {
                    match within(extension, name) {
                        Some(target) => {
                            if target.sub_attribute.is_some() {
                                self.mode.note(Tolerance::PathAsName);
                            }
                            self.push(PatchPath { text: name, target, filter: None }, Some(value), true);
                        }
                        None => self.unknown(name)?,
                    }
                }
                Ok(())
            }
            Value::Null if self.kind == OperationKind::Replace => {
                let kind = OperationKind::Remove;
                self.operations.push(Operation { number: self.number, kind, path, value: None, implied: true });
                Ok(())
            }
            Value::Null => Ok(()),
            _ => Err(ScimError::invalid_value(format!("the value of `{}` is an object of attributes", extension.id))),
        }
    }

    fn unknown(&self, name: &str) -> Result<(), ScimError> {
        if self.mode.tolerates(Tolerance::Unknown) {
            return Ok(());
        }
        let name: String = name.chars().take(100).collect();
        Err(ScimError::invalid_syntax(format!("there is no attribute `{name}`")))
    }

    fn push(&mut self, path: PatchPath<'a>, value: Option<&'a Value>, implied: bool) {
        self.operations.push(Operation { number: self.number, kind: self.kind, path, value, implied });
    }
}

/// Finds an attribute of an extension by its name, which may include a sub-attribute: `manager`, `manager.value`.
fn within<'a>(extension: &'a Schema, name: &str) -> Option<AttributePath<'a>> {
    let (head, tail) = match name.split_once('.') {
        Some((head, tail)) => (head, Some(tail)),
        None => (name, None),
    };
    let attribute = extension.attribute(head)?;
    let sub_attribute = match tail {
        Some(tail) => Some(attribute.sub_attribute(tail)?),
        None => None,
    };
    Some(AttributePath { extension: Some(extension), attribute: Some(attribute), sub_attribute })
}
