//! Applies operations to a document: all of them or none (RFC 7644 §3.5.2).

use serde_json::{Map, Value};

use super::add::add;
use super::members::{MemberChange, MemberChanges, is_members};
use super::operation::{Operation, OperationKind};
use super::parse::numbered;
use super::remove::remove;
use super::replace::replace;
use super::target::Target;
use crate::protocol::document::{self, Document};
use crate::protocol::error::{ScimError, ScimType};
use crate::protocol::mode::Mode;
use crate::protocol::schema::{Attribute, Mutability, ResourceSchema, Schema};
use crate::protocol::tolerance::Tolerance;

/// The most values of multi-valued attributes that all operations of one request may examine together. Ten thousand
/// operations on an attribute with ten thousand values would take minutes.
const MAX_WORK: usize = 500_000;

/// The result of a PATCH.
#[derive(Clone, Debug, PartialEq)]
pub struct Patched {
    /// The new document.
    pub document: Document,
    /// The changes of the group's membership, in order.
    pub members: Vec<MemberChange>,
}

/// Applies the operations, in their order, to a document in canonical form. The document of a group has no `members`.
///
/// `shown` is the resource as the client could see it: with it, strict mode decides whether a read-only value in a
/// value object is the current one. Without it, read-only values that the document does not contain can't be compared,
/// and are skipped.
///
/// The operations are checked for required attributes among those that they change; the caller must check uniqueness.
///
/// # Errors
/// 400 `mutability`, `noTarget` or `invalidValue`, with the number of the operation; 400 `tooMany` if the operations
/// examine too many values.
pub fn apply(
    schema: &ResourceSchema<'_>,
    document: &Document,
    shown: Option<&Document>,
    operations: &[Operation<'_>],
    mode: Mode<'_>,
) -> Result<Patched, ScimError> {
    let members = MemberChanges::default();
    let mut patch = Patch { schema, mode, document: document.clone(), shown, members, work: 0 };
    for operation in operations {
        patch.operation(operation).map_err(|error| numbered(operation.number, error))?;
    }
    document::set_schemas(schema, &mut patch.document);
    Ok(Patched { document: patch.document, members: patch.members.into_changes() })
}

struct Patch<'r, 's, 't> {
    schema: &'r ResourceSchema<'s>,
    mode: Mode<'t>,
    document: Document,
    shown: Option<&'r Document>,
    members: MemberChanges,
    work: usize,
}

impl Patch<'_, '_, '_> {
    fn operation(&mut self, operation: &Operation<'_>) -> Result<(), ScimError> {
        let extension = operation.path.target.extension;
        let Some(attribute) = operation.path.target.attribute else {
            return extension.map_or(Ok(()), |extension| self.remove_extension(extension, operation.implied));
        };
        if is_members(self.schema, extension, attribute) {
            return self.members.record(operation, self.mode);
        }
        if !self.may_write(operation, attribute)? {
            return Ok(());
        }
        let container = container(&mut self.document, extension)?;
        let name = attribute.name.as_str();
        // A filter has at most one term in this many bytes, and each term examines every value.
        let looks = 1 + operation.path.text.len() / 16;
        self.work += looks * container.get(name).and_then(Value::as_array).map_or(1, Vec::len);
        if self.work > MAX_WORK {
            return Err(ScimError::new(ScimType::TooMany, "the operations examine too many values"));
        }
        let kept = if attribute.kept { container.get(name).cloned() } else { None };
        let fixed = match attribute.mutability {
            Mutability::Immutable => container.get(name).cloned(),
            _ => None,
        };
        let mut target = Target {
            container,
            attribute,
            sub: operation.path.target.sub_attribute,
            filter: operation.path.filter.as_ref(),
            mode: self.mode,
            text: operation.path.text,
        };
        match (operation.kind, operation.value) {
            (OperationKind::Add, Some(value)) => add(&mut target, value)?,
            (OperationKind::Replace, Some(value)) => replace(&mut target, value)?,
            (OperationKind::Remove, value) => remove(&mut target, value)?,
            (_, None) => return Err(ScimError::invalid_value("it has no `value`")),
        }
        if fixed.is_some() && target.current() != fixed.as_ref() {
            return Err(ScimError::mutability(format!("`{name}` can't be changed once it is set")));
        }
        if target.current().is_none()
            && let Some(kept) = kept
        {
            if operation.kind == OperationKind::Remove && !self.mode.tolerates(Tolerance::LeftOut) {
                return Err(ScimError::mutability(format!("`{name}` can't be removed")));
            }
            target.set(Some(kept));
        }
        let is_missing = target.current().is_none_or(|value| value.as_str() == Some(""));
        if attribute.required && is_missing {
            let detail = format!("`{name}` is required");
            return Err(match operation.kind {
                OperationKind::Remove => ScimError::mutability(detail),
                OperationKind::Add | OperationKind::Replace => ScimError::invalid_value(detail),
            });
        }
        Ok(())
    }

    /// Whether the operation is applied. Read-only attributes in a value object are skipped (T5).
    fn may_write(&self, operation: &Operation<'_>, attribute: &Attribute) -> Result<bool, ScimError> {
        let refused = || Err(ScimError::mutability(format!("`{}` is read-only", operation.path.text)));
        // The server derives `schemas` from the attributes that are present, so adding to it or replacing it changes
        // nothing.
        if attribute.name == "schemas" && operation.path.target.extension.is_none() {
            return if operation.kind == OperationKind::Remove { refused() } else { Ok(false) };
        }
        // No published schema contains this attribute, so it is refused like an unknown one.
        if attribute.dropped && self.mode.is_strict() {
            let detail = format!("`{}` names no attribute of this resource type", attribute.name);
            let is_of_value = operation.implied;
            return Err(if is_of_value { ScimError::invalid_syntax(detail) } else { ScimError::invalid_path(detail) });
        }
        if attribute.mutability == Mutability::ReadOnly {
            let is_passed_over = operation.implied
                && (self.mode.tolerates(Tolerance::ReadOnlyInValue) || self.is_unchanged(operation, attribute));
            return if is_passed_over { Ok(false) } else { refused() };
        }
        match operation.path.target.sub_attribute {
            Some(sub) if sub.mutability == Mutability::ReadOnly => {
                if self.mode.tolerates(Tolerance::ReadOnlyInValue) {
                    Ok(false)
                } else {
                    refused()
                }
            }
            _ => Ok(true),
        }
    }

    /// Whether the client has sent the current value of a read-only attribute.
    fn is_unchanged(&self, operation: &Operation<'_>, attribute: &Attribute) -> bool {
        let document = self.shown.unwrap_or(&self.document);
        let container = match operation.path.target.extension {
            None => Some(document),
            Some(extension) => document.get(extension.id.as_str()).and_then(Value::as_object),
        };
        let current = container.and_then(|container| container.get(attribute.name.as_str()));
        let current = match operation.path.target.sub_attribute {
            None => current,
            Some(sub) => current.and_then(|current| current.get(sub.name.as_str())),
        };
        let Some(sent) = operation.value else { return true };
        match current {
            Some(current) => says_the_same(attribute, sent, current),
            None => self.shown.is_none() || is_unassigned(sent),
        }
    }

    /// Removes those parts of an extension that clients may write. Those that it requires go with it: they are only
    /// required where the extension is.
    fn remove_extension(&mut self, extension: &Schema, implied: bool) -> Result<(), ScimError> {
        let is_read_only = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
        if extension.attributes.iter().all(is_read_only) {
            return match implied {
                true => Ok(()),
                false => Err(ScimError::mutability(format!("`{}` is read-only", extension.id))),
            };
        }
        let Some(Value::Object(container)) = self.document.get_mut(extension.id.as_str()) else { return Ok(()) };
        if document::is_required(self.schema, extension) {
            return Err(ScimError::mutability(format!("`{}` is required", extension.id)));
        }
        for attribute in &extension.attributes {
            let name = attribute.name.as_str();
            if is_read_only(attribute) || !container.contains_key(name) {
                continue;
            }
            if attribute.mutability == Mutability::Immutable {
                return Err(ScimError::mutability(format!("`{}:{name}` can't be removed", extension.id)));
            }
            container.shift_remove(name);
        }
        Ok(())
    }
}

/// Whether the sent value equals the current one, or some of its sub-attributes.
fn says_the_same(attribute: &Attribute, sent: &Value, current: &Value) -> bool {
    match (sent, current) {
        (Value::Object(sent), Value::Object(current)) => sent.iter().all(|(name, value)| {
            let name = attribute.sub_attribute(name).map_or(name.as_str(), |sub| sub.name.as_str());
            current.get(name).map_or_else(|| is_unassigned(value), |current| value == current)
        }),
        _ => sent == current,
    }
}

/// Null and an empty list count as no value (RFC 7643 §2.5).
fn is_unassigned(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// The object that contains an attribute. That of an extension is created; if it stays empty, it is removed when
/// `schemas` is set.
fn container<'d>(
    document: &'d mut Document,
    extension: Option<&Schema>,
) -> Result<&'d mut Map<String, Value>, ScimError> {
    let Some(extension) = extension else { return Ok(document) };
    match document.entry(extension.id.as_str()).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(container) => Ok(container),
        _ => Err(ScimError::status(500, format!("`{}` is not stored as an object", extension.id))),
    }
}
