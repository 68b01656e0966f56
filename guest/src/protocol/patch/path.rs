//! Parses the `path` of an operation (RFC 7644 figure 7).

use crate::protocol::error::ScimError;
use crate::protocol::filter::{Filter, closing_quote};
use crate::protocol::mode::Mode;
use crate::protocol::path::AttributePath;
use crate::protocol::schema::{Attribute, AttributeType, ResourceSchema};
use crate::protocol::tolerance::Tolerance;

/// The longest path including its filter, in bytes.
const MAX_LENGTH: usize = 8 * 1024;

/// An attribute, an element of it chosen by a filter, or a sub-attribute of either.
#[derive(Clone, Debug)]
pub struct PatchPath<'a> {
    /// The path as the client wrote it, for errors.
    pub text: &'a str,
    /// The attribute and its sub-attribute; for a whole extension there is no attribute.
    pub target: AttributePath<'a>,
    /// Chooses the elements; `None` means all.
    pub filter: Option<Filter>,
}

impl<'a> PatchPath<'a> {
    /// Parses a path. `None` if the resource type has no such attribute. Compat mode then ignores the operation, and
    /// the log notes it (T6): Entra ID sends all attributes that an administrator has mapped in one request, and an
    /// error for one of them would stop all the others. Strict mode refuses the path (RFC 7644 §3.5.2).
    ///
    /// # Errors
    /// 400 `invalidPath` if it is malformed or, in strict mode, names no attribute; 400 `invalidFilter` if its filter
    /// is not valid.
    pub fn parse(schema: &ResourceSchema<'a>, text: &'a str, mode: Mode<'_>) -> Result<Option<Self>, ScimError> {
        if text.len() > MAX_LENGTH {
            return Err(ScimError::invalid_path(format!("the path is longer than {MAX_LENGTH} bytes")));
        }
        let shown = shown(text);
        let malformed = || ScimError::invalid_path(format!("`{shown}` is not a path"));
        let unknown = |shown: &str| {
            if mode.tolerates(Tolerance::Unknown) {
                return Ok(None);
            }
            Err(ScimError::invalid_path(format!("`{shown}` names no attribute of this resource type")))
        };
        let (name, brackets) = match text.find('[').and_then(|at| text.split_at_checked(at)) {
            Some((name, rest)) => (name.trim(), Some(rest)),
            None => (text.trim(), None),
        };
        if !is_well_formed(name) {
            return Err(malformed());
        }
        let Some(brackets) = brackets else {
            return match AttributePath::resolve(schema, name) {
                Some(target) => {
                    target.note_form(name, mode);
                    Ok(Some(Self { text, target, filter: None }))
                }
                None => unknown(&shown),
            };
        };
        let (inner, rest) = split_brackets(brackets).ok_or_else(malformed)?;
        let sub_name = match rest.trim() {
            "" => None,
            rest => Some(rest.strip_prefix('.').filter(|name| is_name(name)).ok_or_else(malformed)?),
        };
        let Some(mut target) = AttributePath::resolve(schema, name) else { return unknown(&shown) };
        target.note_form(name, mode);
        let attribute = match (target.attribute, target.sub_attribute) {
            (Some(attribute), None) if attribute.multi_valued => attribute,
            _ => return Err(ScimError::invalid_path(format!("`{name}` has no elements to choose from by a filter"))),
        };
        let filter = Filter::parse_element(&target, inner, mode)?;
        if let Some(sub_name) = sub_name {
            target.sub_attribute = match sub_attribute(attribute, sub_name) {
                Some(sub) => sub,
                None => return unknown(&format!("{name}[…].{sub_name}")),
            };
        }
        Ok(Some(Self { text, target, filter: Some(filter) }))
    }
}

/// The part of a path that an error shows. It does not show the filter, which may contain a secret.
fn shown(text: &str) -> String {
    let text = text.trim_start();
    let name = text.split(|letter: char| letter.is_whitespace() || "[\"=".contains(letter)).next().unwrap_or_default();
    let filter = if text.strip_prefix(name).is_some_and(|rest| rest.starts_with('[')) { "[…" } else { "" };
    format!("{name}{filter}")
}

/// The sub-attribute; `Some(None)` for the value of a multi-valued attribute that is not complex.
fn sub_attribute<'a>(attribute: &'a Attribute, name: &str) -> Option<Option<&'a Attribute>> {
    if attribute.kind != AttributeType::Complex && name.eq_ignore_ascii_case("value") {
        return Some(None);
    }
    attribute.sub_attribute(name).map(Some)
}

/// Splits a path into the text in its brackets and the text after them. Brackets in strings are ignored.
fn split_brackets(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('[')?;
    let mut at = 0;
    loop {
        let rest = inside.get(at..)?;
        let next = rest.find(['"', ']'])?;
        let found = rest.get(next..)?;
        if found.starts_with(']') {
            let (inner, end) = inside.split_at_checked(at + next)?;
            return Some((inner, end.get(1..)?));
        }
        at += next + closing_quote(found)?;
    }
}

/// Whether this can be an attribute's name, possibly with a URN before it and a sub-attribute after it.
fn is_well_formed(text: &str) -> bool {
    if text.contains(':') {
        let is_urn_letter =
            |letter: char| !letter.is_whitespace() && !letter.is_control() && !"\"()[]\\<>".contains(letter);
        return text.chars().all(is_urn_letter) && !text.ends_with(['.', ':']);
    }
    match text.split_once('.') {
        Some((name, sub_name)) => is_name(name) && is_name(sub_name),
        None => is_name(text),
    }
}

/// ATTRNAME of RFC 7643 §2.1, with the `$` of `$ref` (errata 8924).
fn is_name(text: &str) -> bool {
    let text = text.strip_prefix('$').unwrap_or(text);
    text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
