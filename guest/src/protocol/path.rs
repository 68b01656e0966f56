//! Attribute paths: `name`, `name.sub`, `urn:…:name.sub`, or a whole extension's URN (RFC 7644 §3.10).

use super::mode::Mode;
use super::schema::{Attribute, ResourceSchema, Schema};
use super::tolerance::Tolerance;

/// An attribute of a resource, found in its schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttributePath<'s> {
    /// The extension that holds the attribute; `None` for common and core attributes.
    pub extension: Option<&'s Schema>,
    /// The attribute; `None` for the extension as a whole.
    pub attribute: Option<&'s Attribute>,
    /// The sub-attribute, where one is named.
    pub sub_attribute: Option<&'s Attribute>,
}

impl<'s> AttributePath<'s> {
    /// Finds the attribute with the name `text`, in any case; `None` if the resource has no such attribute.
    ///
    /// A known schema's URN is recognised as the longest matching prefix, so that the dots in `2.0` are no separators
    /// (T8). It is followed by `:`, or by the `.` of older clients. A name without a URN that is no core attribute is
    /// looked up in the extensions (T11).
    #[must_use]
    pub fn resolve(schema: &ResourceSchema<'s>, text: &str) -> Option<Self> {
        let text = text.trim();
        let by_urn = schema
            .extensions
            .iter()
            .map(|extension| (Some(*extension), extension.id.as_str()))
            .chain([(None, schema.core.id.as_str())])
            .filter_map(|(extension, urn)| after_urn(text, urn).map(|rest| (extension, urn, rest)))
            .max_by_key(|(_, urn, _)| urn.len());
        if let Some((extension, _, rest)) = by_urn {
            let Some(rest) = rest else {
                return extension.map(|extension| Self {
                    extension: Some(extension),
                    attribute: None,
                    sub_attribute: None,
                });
            };
            return Self::resolve_names(rest, |name| match extension {
                Some(extension) => extension.attribute(name).map(|attribute| (Some(extension), attribute)),
                None => schema.core_attribute(name).map(|attribute| (None, attribute)),
            });
        }
        Self::resolve_names(text, |name| {
            schema.core_attribute(name).map(|attribute| (None, attribute)).or_else(|| {
                schema
                    .extensions
                    .iter()
                    .find_map(|extension| extension.attribute(name).map(|attribute| (Some(*extension), attribute)))
            })
        })
    }

    /// Notes the tolerance rules that were needed to find this path in `text`.
    pub(super) fn note_form(&self, text: &str, mode: Mode<'_>) {
        let text = text.trim();
        let (names, is_qualified) = match text.rsplit_once(':') {
            Some((_, names)) => (names, true),
            None => (text, false),
        };
        let Some(attribute) = self.attribute else { return };
        if self.extension.is_some() && !is_qualified {
            mode.note(Tolerance::BareExtensionAttribute);
        }
        let (found, found_sub) = (attribute.name.as_str(), self.sub_attribute.map(|sub| sub.name.as_str()));
        let (name, sub) = names.split_once('.').map_or((names, None), |(name, sub)| (name, Some(sub)));
        if is_qualified && !name.eq_ignore_ascii_case(found) {
            mode.note(Tolerance::DotAfterUrn);
        } else if name != found || sub != found_sub {
            mode.note(Tolerance::LetterCase);
        }
    }

    fn resolve_names(text: &str, find: impl Fn(&str) -> Option<(Option<&'s Schema>, &'s Attribute)>) -> Option<Self> {
        let (name, sub_name) = match text.split_once('.') {
            Some((name, sub_name)) => (name, Some(sub_name)),
            None => (text, None),
        };
        let (extension, attribute) = find(name)?;
        let sub_attribute = match sub_name {
            Some(sub_name) => Some(attribute.sub_attribute(sub_name)?),
            None => None,
        };
        Some(Self { extension, attribute: Some(attribute), sub_attribute })
    }
}

/// The text after the URN: `Some(None)` if there is none, `None` if `text` does not begin with the URN.
fn after_urn<'t>(text: &'t str, urn: &str) -> Option<Option<&'t str>> {
    let (head, tail) = text.split_at_checked(urn.len())?;
    if !head.eq_ignore_ascii_case(urn) {
        return None;
    }
    match tail.strip_prefix([':', '.']) {
        Some(rest) => Some(Some(rest)),
        None if tail.is_empty() => Some(None),
        None => None,
    }
}
