//! Changes of a group's membership. They are kept apart from the document, since a group may have a hundred thousand
//! members.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::operation::{Operation, OperationKind};
use crate::protocol::error::ScimError;
use crate::protocol::filter::Filter;
use crate::protocol::mode::Mode;
use crate::protocol::schema::{Attribute, ResourceSchema, Schema};
use crate::protocol::tolerance::Tolerance;

/// The longest id of a member, in bytes. No id of this server is longer.
const MAX_ID: usize = 256;

/// The sub-attributes of a member that clients may write.
const WRITABLE: [&str; 3] = ["value", "$ref", "type"];

/// The id in an element of a group's canonical `members`.
///
/// # Errors
/// 400 `invalidValue` if the element has no id.
pub fn member_id(element: &Value) -> Result<String, ScimError> {
    let id = element.get("value").and_then(Value::as_str);
    id.map(str::to_owned).ok_or_else(|| ScimError::invalid_value("A member has no 'value'"))
}

/// One change of the membership. Ids are not empty and have at most 256 bytes. No list contains an id twice.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberChange {
    /// These ids become members, unless they are members already.
    Add(Vec<String>),
    /// These ids are removed, if they are members.
    Remove(Vec<String>),
    /// The members that match are removed. Evaluate the filter with [`Filter::matches_element`] on
    /// `{"value","type","$ref","display"}`; [`Filter::conjuncts`] may name ids (`members.value`).
    RemoveWhere(Filter),
    /// These become the only members; an empty list removes all.
    Replace(Vec<String>),
    /// These replace the members that match; 400 `noTarget` if none matches.
    ReplaceWhere {
        /// The filter, evaluated as in [`MemberChange::RemoveWhere`].
        filter: Filter,
        /// The ids that replace them.
        members: Vec<String>,
    },
    /// These replace others, whether or not the others are members.
    Exchange {
        /// The ids that are removed.
        others: Vec<String>,
        /// The ids that replace them.
        members: Vec<String>,
    },
}

impl MemberChange {
    /// The ids that replace others; `None` if the change replaces nobody.
    #[must_use]
    pub fn replacement(&self) -> Option<&[String]> {
        match self {
            Self::Replace(members) | Self::ReplaceWhere { members, .. } | Self::Exchange { members, .. } => {
                Some(members)
            }
            Self::Add(_) | Self::Remove(_) | Self::RemoveWhere(_) => None,
        }
    }
}

/// Whether the attribute is a group's membership.
pub(super) fn is_members(schema: &ResourceSchema<'_>, extension: Option<&Schema>, attribute: &Attribute) -> bool {
    extension.is_none() && attribute.name == "members" && schema.resource_type.name == "Group"
}

/// The changes of one request. Consecutive changes of the same kind are merged.
#[derive(Debug, Default)]
pub(super) struct MemberChanges {
    changes: Vec<MemberChange>,
    /// The ids in the last change, to avoid duplicates.
    ids: HashSet<String>,
}

impl MemberChanges {
    pub(super) fn into_changes(self) -> Vec<MemberChange> {
        self.changes
    }

    /// Adds the change that an operation on `members` makes.
    pub(super) fn record(&mut self, operation: &Operation<'_>, mode: Mode<'_>) -> Result<(), ScimError> {
        let value = operation.value.unwrap_or(&Value::Null);
        let sub = operation.path.target.sub_attribute.map(|sub| sub.name.as_str());
        match (&operation.path.filter, sub) {
            (None, None) => self.whole(operation.kind, value, mode),
            (Some(filter), None) => self.chosen(operation.kind, filter, value, mode),
            (filter, Some(sub)) => self.sub_attribute(operation, filter.as_ref(), sub, mode),
        }
    }

    fn whole(&mut self, kind: OperationKind, value: &Value, mode: Mode<'_>) -> Result<(), ScimError> {
        match kind {
            OperationKind::Add => self.add(listed(value, mode)?),
            OperationKind::Replace => self.replace(listed(value, mode)?),
            // T3: `remove` without a value removes all members, with a value only the listed ones, with an empty list
            // none.
            OperationKind::Remove if value.is_null() => self.replace(Vec::new()),
            OperationKind::Remove => {
                mode.note(Tolerance::RemoveListed);
                let members = listed(value, mode)?;
                self.remove(members);
            }
        }
        Ok(())
    }

    /// Handles a path with a filter: `members[…]`.
    fn chosen(&mut self, kind: OperationKind, filter: &Filter, value: &Value, mode: Mode<'_>) -> Result<(), ScimError> {
        let ids = filter.listed_values();
        if kind == OperationKind::Remove || value.is_null() {
            match ids {
                Some(ids) => self.remove(ids.into_iter().map(str::to_owned)),
                None => self.changes.push(MemberChange::RemoveWhere(filter.clone())),
            }
            return Ok(());
        }
        let mut members = Vec::new();
        for element in elements(value) {
            members.push(member(element, ids.as_deref().and_then(single), mode)?);
        }
        match (kind, ids) {
            (OperationKind::Add, Some(ids)) if members.iter().all(|member| ids.contains(&member.as_str())) => {
                self.add(members);
            }
            (OperationKind::Add, _) => return Err(fixed("members.value")),
            (_, Some(ids)) if !mode.is_strict() => {
                let stay: HashSet<&str> = members.iter().map(String::as_str).collect();
                let others: Vec<String> = ids.into_iter().filter(|id| !stay.contains(id)).map(str::to_owned).collect();
                if others.is_empty() {
                    self.add(members);
                } else {
                    self.start(MemberChange::Exchange { others, members: once_each(members) });
                }
            }
            _ => self.start(MemberChange::ReplaceWhere { filter: filter.clone(), members: once_each(members) }),
        }
        Ok(())
    }

    /// Handles `members[…].value` and `members.display`: a member can only be replaced as a whole, never edited (RFC
    /// 7643 §8.7.1).
    fn sub_attribute(
        &mut self,
        operation: &Operation<'_>,
        filter: Option<&Filter>,
        sub: &str,
        mode: Mode<'_>,
    ) -> Result<(), ScimError> {
        let value = operation.value.unwrap_or(&Value::Null);
        let id = filter.and_then(Filter::listed_values);
        let is_remove = operation.kind == OperationKind::Remove;
        match sub {
            "display" if mode.tolerates(Tolerance::MemberForm) => return Ok(()),
            "value" if is_remove && !mode.is_strict() => {
                if let Some(filter) = filter {
                    mode.note(Tolerance::MemberForm);
                    return self.chosen(OperationKind::Remove, filter, &Value::Null, mode);
                }
            }
            // The path already names the id, so only the membership itself can be meant.
            "value" if id.as_deref().and_then(single).is_some_and(|id| value.as_str() == Some(id)) => {
                if let Some(filter) = filter {
                    return self.chosen(operation.kind, filter, &Value::Object(Map::new()), mode);
                }
            }
            "value"
                if filter.is_none()
                    && operation.kind == OperationKind::Add
                    && mode.tolerates(Tolerance::MemberForm) =>
            {
                return self.whole(OperationKind::Add, value, mode);
            }
            _ if value.is_null() && !is_remove && mode.tolerates(Tolerance::MemberForm) => return Ok(()),
            _ => {}
        }
        Err(fixed(operation.path.text))
    }

    fn add(&mut self, members: Vec<String>) {
        if !matches!(self.changes.last(), Some(MemberChange::Add(_))) {
            if members.is_empty() {
                return;
            }
            self.start(MemberChange::Add(Vec::new()));
        }
        self.extend(members);
    }

    fn replace(&mut self, members: Vec<String>) {
        // Earlier changes have no effect any more, except a `ReplaceWhere`, which may still have to be refused.
        if !self.changes.iter().any(|change| matches!(change, MemberChange::ReplaceWhere { .. })) {
            self.changes.clear();
        }
        self.start(MemberChange::Replace(Vec::new()));
        self.extend(members);
    }

    fn remove(&mut self, ids: impl IntoIterator<Item = String>) {
        let mut ids = ids.into_iter().filter(|id| !id.is_empty() && id.len() <= MAX_ID).peekable();
        if ids.peek().is_none() {
            return;
        }
        if !matches!(self.changes.last(), Some(MemberChange::Remove(_))) {
            self.start(MemberChange::Remove(Vec::new()));
        }
        let Some(MemberChange::Remove(removed)) = self.changes.last_mut() else { return };
        removed.extend(ids.filter(|id| self.ids.insert(id.clone())));
    }

    fn start(&mut self, change: MemberChange) {
        self.ids.clear();
        self.changes.push(change);
    }

    fn extend(&mut self, members: Vec<String>) {
        let Some(MemberChange::Add(list) | MemberChange::Replace(list)) = self.changes.last_mut() else { return };
        list.extend(members.into_iter().filter(|member| self.ids.insert(member.clone())));
    }
}

fn listed(value: &Value, mode: Mode<'_>) -> Result<Vec<String>, ScimError> {
    elements(value).iter().map(|element| member(element, None, mode)).collect()
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(elements) => elements,
        single => std::slice::from_ref(single),
    }
}

/// Whether the element only has what RFC 7643 §4.2 lets a client write.
fn is_as_defined(element: &Value) -> bool {
    let is_writable = |(name, value): (&String, &Value)| !value.is_null() && WRITABLE.contains(&name.as_str());
    element.as_object().is_some_and(|object| object.iter().all(is_writable))
}

fn once_each(mut members: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    members.retain(|member| seen.insert(member.clone()));
    members
}

/// The id in one element, in any of the forms of T4. `implied` is the id if the element has none. The `type` is
/// ignored, because the server derives it: PingFederate sends a word of its own there.
fn member(element: &Value, implied: Option<&str>, mode: Mode<'_>) -> Result<String, ScimError> {
    if !is_as_defined(element) {
        mode.note(Tolerance::MemberForm);
    }
    let value = match element {
        Value::Object(object) => {
            text(object, "type")?;
            text(object, "value")?.or(implied)
        }
        Value::String(id) => Some(id.as_str()),
        _ => return Err(ScimError::invalid_value("a member is neither an object nor an id")),
    };
    match value {
        Some(value) if !value.is_empty() && value.len() <= MAX_ID => Ok(value.to_owned()),
        Some(value) if !value.is_empty() => Err(ScimError::invalid_value("a member's `value` is too long for an id")),
        _ => Err(ScimError::invalid_value("a member has no `value`")),
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, ScimError> {
    let value = object
        .get(name)
        .or_else(|| object.iter().find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value)));
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ScimError::invalid_value(format!("a member's `{name}` is not a string"))),
    }
}

fn single<'t>(ids: &[&'t str]) -> Option<&'t str> {
    match ids {
        [only] => Some(only),
        _ => None,
    }
}

fn fixed(name: &str) -> ScimError {
    ScimError::mutability(format!("`{name}` can't be changed: a member is added or removed as a whole"))
}
