//! The place that an operation changes, and the code that `add` and `replace` share.

use serde_json::{Map, Value};

use super::element::{as_object, clear_primary, demanded, filled, is_primary, merged};
use crate::protocol::document;
use crate::protocol::error::ScimError;
use crate::protocol::filter::Filter;
use crate::protocol::mode::Mode;
use crate::protocol::schema::{Attribute, AttributeType};
use crate::protocol::tolerance::Tolerance;

/// An attribute, and the object that contains it.
pub(super) struct Target<'t> {
    /// The document, or the extension's object in it.
    pub(super) container: &'t mut Map<String, Value>,
    pub(super) attribute: &'t Attribute,
    pub(super) sub: Option<&'t Attribute>,
    pub(super) filter: Option<&'t Filter>,
    pub(super) mode: Mode<'t>,
    /// The path as the client wrote it.
    pub(super) text: &'t str,
}

/// How an element that a filter has chosen is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    /// The sent sub-attributes are set, the others stay.
    Merged,
    /// The sent value replaces the element.
    Replaced,
}

impl Target<'_> {
    pub(super) fn current(&self) -> Option<&Value> {
        self.container.get(self.attribute.name.as_str())
    }

    pub(super) fn set(&mut self, value: Option<Value>) {
        let name = self.attribute.name.as_str();
        match value {
            Some(value) => {
                self.container.insert(name.to_owned(), value);
            }
            None => {
                self.container.shift_remove(name);
            }
        }
    }

    /// Takes the values of a multi-valued attribute out; [`Target::put_elements`] puts them back.
    pub(super) fn take_elements(&mut self) -> Vec<Value> {
        match self.container.get_mut(self.attribute.name.as_str()) {
            Some(Value::Array(elements)) => std::mem::take(elements),
            Some(other) => vec![other.take()],
            None => Vec::new(),
        }
    }

    /// Sets the values of a multi-valued attribute, and removes nulls and duplicates.
    pub(super) fn put_elements(&mut self, mut elements: Vec<Value>) -> Result<(), ScimError> {
        elements.retain(|element| !element.is_null());
        let elements = document::elements(self.attribute, elements, self.mode)?;
        self.set(elements);
        Ok(())
    }

    /// Sets a single-valued attribute; in a complex one, the sub-attributes that were sent.
    pub(super) fn assign(&mut self, value: &Value) -> Result<(), ScimError> {
        if self.attribute.kind != AttributeType::Complex {
            let value = document::value(self.attribute, value.clone(), self.mode)?;
            self.set(value);
            return Ok(());
        }
        match as_object(self.attribute, value, self.mode)? {
            Some(sent) => self.merge(&sent),
            None => {
                self.set(None);
                Ok(())
            }
        }
    }

    /// Sets a sub-attribute of the single value, or of every value of the list. Null removes it.
    pub(super) fn assign_sub(&mut self, sub: &Attribute, value: &Value) -> Result<(), ScimError> {
        let sent = Map::from_iter([(sub.name.clone(), value.clone())]);
        if !self.attribute.multi_valued {
            return self.merge(&sent);
        }
        let mut elements = self.take_elements();
        if elements.is_empty() {
            elements.push(Value::Object(Map::new()));
        }
        for element in &mut elements {
            *element = self.merged_element(element.take(), &sent)?.unwrap_or_default();
        }
        self.put_elements(elements)
    }

    /// Adds to or replaces the elements that the filter chooses. If it chooses none, an element is created from the
    /// filter's `eq` terms (T9); strict mode refuses that for `replace`.
    pub(super) fn change_chosen(&mut self, filter: &Filter, value: &Value, chosen: Chosen) -> Result<(), ScimError> {
        let mut elements = self.take_elements();
        let mut any_chosen = false;
        let mut new_primary = None;
        for (at, element) in elements.iter_mut().enumerate() {
            if !filter.matches_element(element) {
                continue;
            }
            any_chosen = true;
            let was_primary = is_primary(element);
            *element = self.changed(element.take(), filter, value, chosen)?.unwrap_or_default();
            if is_primary(element) && !was_primary && new_primary.is_none() {
                new_primary = Some(at);
            }
        }
        if !any_chosen && let Some(element) = self.created(filter, value, chosen)? {
            if is_primary(&element) {
                new_primary = Some(elements.len());
            }
            elements.push(element);
        }
        if let Some(primary) = new_primary {
            let others = elements.iter_mut().enumerate().filter(|(at, _)| *at != primary);
            clear_primary(others.map(|(_, element)| element));
        }
        self.put_elements(elements)
    }

    /// One element with these sub-attributes set; `None` if nothing is left of it.
    pub(super) fn merged_element(&self, element: Value, sent: &Map<String, Value>) -> Result<Option<Value>, ScimError> {
        let current = match element {
            Value::Object(object) => object,
            _ => Map::new(),
        };
        merged(self.attribute, current, sent, self.mode)
    }

    pub(super) fn merge(&mut self, sent: &Map<String, Value>) -> Result<(), ScimError> {
        let current = match self.container.get_mut(self.attribute.name.as_str()) {
            Some(value) => value.take(),
            None => Value::Null,
        };
        let value = self.merged_element(current, sent)?;
        self.set(value);
        Ok(())
    }

    fn changed(
        &self,
        element: Value,
        filter: &Filter,
        value: &Value,
        chosen: Chosen,
    ) -> Result<Option<Value>, ScimError> {
        if let Some(sub) = self.sub {
            return self.merged_element(element, &Map::from_iter([(sub.name.clone(), value.clone())]));
        }
        if self.attribute.kind != AttributeType::Complex {
            return document::element(self.attribute, value.clone(), self.mode);
        }
        let Some(sent) = as_object(self.attribute, value, self.mode)? else { return Ok(None) };
        if chosen == Chosen::Merged || !(value.is_object() || value.is_array()) {
            return self.merged_element(element, &sent);
        }
        // The element must still match the filter that has chosen it, unless the client sends other values.
        let sent = if self.mode.is_strict() { sent } else { filled(sent, &demanded(filter)) };
        let replaced = document::element(self.attribute, Value::Object(sent.clone()), self.mode)?;
        // A type or `primary` alone is no value (T6), so it is set on the current element.
        let is_label_alone = replaced.as_ref().is_some_and(|value| document::is_label_alone(self.attribute, value));
        if is_label_alone && self.mode.tolerates(Tolerance::Unknown) {
            return self.merged_element(element, &sent);
        }
        Ok(replaced)
    }

    fn created(&self, filter: &Filter, value: &Value, chosen: Chosen) -> Result<Option<Value>, ScimError> {
        let no_target = || ScimError::no_target(format!("`{}` matches no value", self.text));
        if chosen == Chosen::Replaced && self.mode.is_strict() {
            return Err(no_target());
        }
        let is_nothing = match value {
            Value::Null => true,
            Value::String(text) => text.is_empty() && self.mode.tolerates(Tolerance::Unknown),
            _ => false,
        };
        if is_nothing {
            return Ok(None);
        }
        let element = if self.attribute.kind == AttributeType::Complex {
            let sent = match self.sub {
                Some(sub) => Some(Map::from_iter([(sub.name.clone(), value.clone())])),
                None => as_object(self.attribute, value, self.mode)?,
            };
            let Some(sent) = sent else { return Ok(None) };
            Value::Object(filled(sent, &demanded(filter)))
        } else {
            value.clone()
        };
        match document::element(self.attribute, element, self.mode)? {
            Some(element) if filter.matches_element(&element) => {
                self.mode.note(Tolerance::CreatedByPath);
                Ok(Some(element))
            }
            None => Ok(None),
            Some(_) => Err(no_target()),
        }
    }
}
