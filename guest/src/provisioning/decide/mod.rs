//! Applies the rules to what an identity provider wants: it decides what changes, and why (rules P3 and P4). Nothing is
//! written here. A decision is a value, and the caller commits it without deciding again.

mod member;
mod memberships;
mod team;

pub use member::{Matched, MemberDecision, MemberRules};
pub use team::{TeamDecision, TeamRules};

use serde_json::Value;

use crate::protocol::document::Document;

/// How a record changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<T> {
    /// The record is written: it is new, or replaces the old one.
    Put(T),
    /// The record is deleted.
    Remove,
    /// The record stays as it is.
    Nothing,
}

/// The document with its id after `schemas`, where readers expect it.
pub(in crate::provisioning) fn with_id(document: &Document, id: &str) -> Document {
    let mut whole = document.clone();
    let schemas = whole.shift_remove("schemas").unwrap_or_default();
    whole.shift_insert(0, "schemas".into(), schemas);
    whole.shift_insert(1, "id".into(), id.into());
    whole
}

/// The current document, with the attributes of the incoming one over it. Extensions are merged attribute by attribute.
fn merge(current: &Document, incoming: &Document) -> Document {
    let mut merged = current.clone();
    for (name, value) in incoming {
        match (name.as_str(), merged.get_mut(name), value) {
            ("id", ..) => {}
            ("schemas", Some(Value::Array(urns)), Value::Array(more)) => {
                for urn in more {
                    if !urns.contains(urn) {
                        urns.push(urn.clone());
                    }
                }
            }
            (urn, Some(Value::Object(extension)), Value::Object(more)) if urn.contains(':') => {
                extension.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            (_, Some(old), _) => old.clone_from(value),
            (_, None, _) => {
                merged.insert(name.clone(), value.clone());
            }
        }
    }
    merged
}
