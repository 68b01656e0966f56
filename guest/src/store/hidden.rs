//! What the organization's own schemas never return, and so no event may tell (RFC 7643 §7).

use std::rc::Rc;

use serde_json::Value;

use super::{DeclaredRecord, Store, StoreError, decode, keys};
use crate::protocol::document::Document;

/// Attributes of extensions that nobody ever reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hidden(Vec<HiddenAttribute>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct HiddenAttribute {
    /// The URN of its schema.
    schema: String,
    attribute: String,
    /// The sub-attribute that is hidden; `None` if all of the attribute is.
    sub_attribute: Option<String>,
}

impl Hidden {
    fn new(declared: &DeclaredRecord) -> Self {
        let mut hidden = Vec::new();
        for schema in &declared.schemas {
            let Some(urn) = text(schema, "id") else { continue };
            for attribute in list(schema, "attributes") {
                let Some(name) = text(attribute, "name") else { continue };
                let mut hide = |sub_attribute: Option<&str>| {
                    let (schema, attribute) = (urn.to_owned(), name.to_owned());
                    hidden.push(HiddenAttribute { schema, attribute, sub_attribute: sub_attribute.map(str::to_owned) });
                };
                if is_hidden(attribute) {
                    hide(None);
                }
                let subs = list(attribute, "subAttributes").iter().filter(|sub| is_hidden(sub));
                subs.filter_map(|sub| text(sub, "name")).for_each(|sub| hide(Some(sub)));
            }
        }
        Self(hidden)
    }

    /// Takes what is hidden out of a document of a built-in type, which has it in its extensions.
    pub(super) fn take_from(&self, document: &mut Document) {
        for HiddenAttribute { schema, attribute, sub_attribute } in &self.0 {
            for (_, extension) in document.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(schema)) {
                let Value::Object(extension) = extension else { continue };
                match sub_attribute {
                    None => extension.retain(|name, _| !name.eq_ignore_ascii_case(attribute)),
                    Some(sub) => {
                        let values = extension.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(attribute));
                        values.for_each(|(_, value)| take_sub(value, sub));
                    }
                }
            }
        }
    }
}

fn take_sub(value: &mut Value, sub: &str) {
    match value {
        Value::Object(object) => object.retain(|name, _| !name.eq_ignore_ascii_case(sub)),
        Value::Array(values) => {
            for object in values.iter_mut().filter_map(Value::as_object_mut) {
                object.retain(|name, _| !name.eq_ignore_ascii_case(sub));
            }
        }
        _ => {}
    }
}

fn is_hidden(attribute: &Value) -> bool {
    let is = |name: &str, hidden: &str| text(attribute, name).is_some_and(|value| value.eq_ignore_ascii_case(hidden));
    is("returned", "never") || is("mutability", "writeOnly")
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl Store<'_> {
    /// What the organization's own schemas hide; read once a call.
    pub(super) fn hidden(&self) -> Result<Rc<Hidden>, StoreError> {
        if let Some(hidden) = self.hidden.borrow().as_ref() {
            return Ok(Rc::clone(hidden));
        }
        let declared = self.item(keys::DECLARED.to_vec())?;
        let declared = declared.map(|item| decode::<DeclaredRecord>(keys::DECLARED, &item)).transpose()?;
        let hidden = Rc::new(declared.map(|declared| Hidden::new(&declared.record)).unwrap_or_default());
        self.hidden.replace(Some(Rc::clone(&hidden)));
        Ok(hidden)
    }
}
