//! Chooses the attributes that a client gets: `attributes` and `excludedAttributes` (RFC 7644 §3.4.2.5, §3.9).

use serde_json::Value;

use super::document::Document;
use super::error::ScimError;
use super::mode::Mode;
use super::path::AttributePath;
use super::schema::{Attribute, ResourceSchema, Returned, Schema};

/// The most names that a request can list.
const MAX_NAMES: usize = 500;

/// The attributes that a request asks for, before the resource type is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    choice: Choice,
    names: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Choice {
    /// The attributes that are returned by default.
    #[default]
    Default,
    /// The attributes that are always returned, and the named ones.
    Only,
    /// The attributes that are returned by default, without the named ones.
    Without,
}

impl Projection {
    /// Reads the lists of a SearchRequest (RFC 7644 §3.4.3). Empty names are ignored.
    ///
    /// # Errors
    /// 400 `invalidValue` if there are too many names; in strict mode also if both lists have names. In compat mode
    /// only `attributes` counts then.
    pub fn from_names<'n>(
        attributes: impl IntoIterator<Item = &'n str>,
        excluded_attributes: impl IntoIterator<Item = &'n str>,
        mode: Mode<'_>,
    ) -> Result<Self, ScimError> {
        let attributes = names(attributes)?;
        let excluded_attributes = names(excluded_attributes)?;
        match (attributes.is_empty(), excluded_attributes.is_empty()) {
            (true, true) => Ok(Self::default()),
            (true, false) => Ok(Self { choice: Choice::Without, names: excluded_attributes }),
            (false, false) if mode.is_strict() => {
                Err(ScimError::invalid_value("`attributes` and `excludedAttributes` can't both be given"))
            }
            (false, _) => Ok(Self { choice: Choice::Only, names: attributes }),
        }
    }

    /// Whether the request names no attributes.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.choice == Choice::Default
    }

    /// The projection for one resource type. It is made once and used for all resources of a list.
    #[must_use]
    pub fn plan<'s>(&self, schema: &ResourceSchema<'s>) -> Plan<'s> {
        let paths: Vec<AttributePath<'s>> =
            self.names.iter().filter_map(|name| AttributePath::resolve(schema, name)).collect();
        let decide = |extension: Option<&'s Schema>, attribute: &'s Attribute| {
            (attribute, self.decide(&paths, extension, attribute))
        };
        let core = schema.common.iter().chain(&schema.core.attributes);
        let extensions = schema.extensions.iter().map(|extension| {
            let attributes = extension.attributes.iter().map(|attribute| decide(Some(extension), attribute));
            (*extension, attributes.collect())
        });
        Plan {
            core_urn: &schema.core.id,
            core: core.map(|attribute| decide(None, attribute)).collect(),
            extensions: extensions.collect(),
        }
    }

    fn decide<'s>(
        &self,
        paths: &[AttributePath<'s>],
        extension: Option<&'s Schema>,
        attribute: &'s Attribute,
    ) -> Decision<'s> {
        if attribute.returned == Returned::Never {
            return Decision::Drop;
        }
        let mut is_named = false;
        let mut extension_is_named = false;
        let mut sub_attributes = Vec::new();
        for path in paths.iter().filter(|path| same_schema(path.extension, extension)) {
            match (path.attribute, path.sub_attribute) {
                (None, _) => extension_is_named = true,
                (Some(named), None) => is_named |= std::ptr::eq(named, attribute),
                (Some(named), Some(sub_attribute)) if std::ptr::eq(named, attribute) => {
                    sub_attributes.push(sub_attribute)
                }
                _ => {}
            }
        }
        let is_sub_named = |candidate: &Attribute| sub_attributes.iter().any(|named| std::ptr::eq(*named, candidate));
        let is_default = attribute.returned != Returned::Request;
        let is_always = attribute.returned == Returned::Always;
        match self.choice {
            Choice::Default if is_default => by_default(attribute),
            Choice::Only if is_named || is_always || extension_is_named => by_default_and(attribute, is_sub_named),
            Choice::Only if !sub_attributes.is_empty() => {
                parts(attribute, |sub| sub.returned == Returned::Always || is_sub_named(sub))
            }
            Choice::Without if is_always => by_default(attribute),
            Choice::Without if is_named || extension_is_named || !is_default => Decision::Drop,
            Choice::Without => parts(attribute, |sub| match sub.returned {
                Returned::Always => true,
                Returned::Request | Returned::Never => false,
                Returned::Default => !is_sub_named(sub),
            }),
            Choice::Default | Choice::Only => Decision::Drop,
        }
    }
}

/// A projection of one resource type's resources.
#[derive(Clone, Debug)]
pub struct Plan<'s> {
    core_urn: &'s str,
    core: Vec<(&'s Attribute, Decision<'s>)>,
    extensions: Vec<(&'s Schema, Vec<(&'s Attribute, Decision<'s>)>)>,
}

#[derive(Clone, Debug)]
enum Decision<'s> {
    Drop,
    Keep,
    /// Only these sub-attributes are returned.
    Parts(Vec<&'s str>),
}

impl Plan<'_> {
    /// The part of the resource that the client gets. Attributes that the schema does not have are left out, and
    /// `schemas` names the schemas of the attributes that are left (RFC 7643 §3).
    #[must_use]
    pub fn apply(&self, mut resource: Document) -> Document {
        resource.retain(|name, value| {
            if let Some((_, attributes)) = self.extensions.iter().find(|(extension, _)| extension.id == *name) {
                let Value::Object(container) = value else { return false };
                container.retain(|name, value| keep(attributes, name, value));
                return !container.is_empty();
            }
            keep(&self.core, name, value)
        });
        if let Some(Value::Array(urns)) = resource.get_mut("schemas") {
            let mut urns = std::mem::take(urns);
            urns.retain(|urn| urn.as_str().is_some_and(|urn| urn == self.core_urn || resource.contains_key(urn)));
            resource.insert("schemas".to_owned(), Value::Array(urns));
        }
        resource
    }

    /// Whether any part of the attribute would be returned; `name` as in [`AttributePath::resolve`], without a URN.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        let mut attributes = self.core.iter().chain(self.extensions.iter().flat_map(|(_, attributes)| attributes));
        attributes
            .find(|(attribute, _)| attribute.name.eq_ignore_ascii_case(name))
            .is_some_and(|(_, decision)| !matches!(decision, Decision::Drop))
    }
}

fn names<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Vec<String>, ScimError> {
    let mut kept = Vec::new();
    for name in names.into_iter().map(str::trim).filter(|name| !name.is_empty()) {
        if kept.len() == MAX_NAMES {
            return Err(ScimError::invalid_value(format!("More than {MAX_NAMES} attributes are named")));
        }
        kept.push(name.to_owned());
    }
    Ok(kept)
}

fn same_schema(one: Option<&Schema>, other: Option<&Schema>) -> bool {
    one.map(std::ptr::from_ref) == other.map(std::ptr::from_ref)
}

fn by_default(attribute: &Attribute) -> Decision<'_> {
    by_default_and(attribute, |_| false)
}

fn by_default_and(attribute: &Attribute, is_named: impl Fn(&Attribute) -> bool) -> Decision<'_> {
    parts(attribute, |sub| match sub.returned {
        Returned::Always | Returned::Default => true,
        Returned::Request => is_named(sub),
        Returned::Never => false,
    })
}

/// The chosen sub-attributes without those that are never returned.
fn parts(attribute: &Attribute, is_chosen: impl Fn(&Attribute) -> bool) -> Decision<'_> {
    let is_kept = |sub: &&Attribute| sub.returned != Returned::Never && is_chosen(sub);
    if attribute.sub_attributes.iter().all(|sub| is_kept(&sub)) {
        return Decision::Keep;
    }
    let kept: Vec<&str> = attribute.sub_attributes.iter().filter(is_kept).map(|sub| sub.name.as_str()).collect();
    if kept.is_empty() { Decision::Drop } else { Decision::Parts(kept) }
}

fn keep(attributes: &[(&Attribute, Decision<'_>)], name: &str, value: &mut Value) -> bool {
    match attributes.iter().find(|(attribute, _)| attribute.name == name) {
        None | Some((_, Decision::Drop)) => false,
        Some((_, Decision::Keep)) => true,
        Some((_, Decision::Parts(kept))) => keep_parts(kept, value),
    }
}

fn keep_parts(kept: &[&str], value: &mut Value) -> bool {
    match value {
        Value::Array(values) => {
            values.retain_mut(|value| keep_parts(kept, value));
            !values.is_empty()
        }
        Value::Object(object) => {
            object.retain(|name, _| kept.contains(&name.as_str()));
            !object.is_empty()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
