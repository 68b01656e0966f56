//! Request bodies for the log: without what is secret by the schema or by its name (rule P5).

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::Value;

use crate::text::cut;

/// The largest body that is read for the log, in bytes; of a larger one the log has the size only.
const LARGEST_READ: usize = 64 * 1024;
/// How much of a body the log keeps, in bytes.
const LARGEST_KEPT: usize = 16 * 1024;
/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";
/// What the name of an attribute with a secret has in it, in lower case. `password` is the one that the schema never
/// returns (RFC 7643 §4.1.1); the others are what extensions call theirs.
const SECRET_NAMES: [&str; 11] = [
    "password",
    "passphrase",
    "passwd",
    "pwd",
    "secret",
    "token",
    "credential",
    "apikey",
    "api_key",
    "privatekey",
    "private_key",
];
/// What our own tokens and secrets begin with, wherever they stand.
const OWN: &str = "insm_";

/// The body as the log has it: JSON with its secrets redacted, cut after 16 KiB. `None` of an empty one. `hidden` are the
/// names, in lower case, of what the organization's schemas never return; `is_json` says that the body is known to be JSON.
pub(super) fn redacted(body: &[u8], is_json: bool, hidden: &[String]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    if body.len() > LARGEST_READ {
        return Some(format!("[{} bytes]", body.len()));
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).ok().filter(|_| !may_hold_secret(body, hidden));
    // Most bodies have no such name, and are not read again. What is not JSON may be anything.
    let is_known = |text: &&str| is_json || serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    if let Some(text) = text.filter(is_known) {
        return Some(cut(text, LARGEST_KEPT).to_owned());
    }
    match serde_json::from_slice(body) {
        Ok(mut value) => {
            redact(&mut value, hidden);
            Some(cut(&value.to_string(), LARGEST_KEPT).to_owned())
        }
        Err(_) => Some("[not JSON]".to_owned()),
    }
}

/// A query without secrets: one that names such an attribute is not kept at all.
pub(super) fn redacted_query<'q>(query: &'q str, hidden: &[String]) -> &'q str {
    // A percent sign or a plus may hide a letter; filters have plenty, so only those of letters count.
    let decoded = Cow::from(percent_decode(query.as_bytes()));
    if may_hold_secret(&decoded, hidden) { REDACTED } else { query }
}

/// A text that should hold no secret, such as a path: not kept if one of our own tokens has got into it.
pub(super) fn redacted_text(text: &str) -> &str {
    let decoded = Cow::from(percent_decode(text.as_bytes()));
    if holds(&decoded, [OWN].into_iter()) { REDACTED } else { text }
}

/// Whether a name of a secret occurs in it, or an escape that could hide one.
fn may_hold_secret(bytes: &[u8], hidden: &[String]) -> bool {
    let hides = |(at, byte): (usize, &u8)| *byte == b'\\' && bytes.get(at + 1) == Some(&b'u');
    bytes.iter().enumerate().any(hides)
        || holds(bytes, SECRET_NAMES.into_iter().chain([OWN]).chain(hidden.iter().map(String::as_str)))
}

/// Whether one of these names, which are in lower case, occurs in it in whatever case. Every body is looked through for a
/// dozen names, so most bytes are passed over by a look at them alone.
fn holds<'n>(bytes: &[u8], names: impl Iterator<Item = &'n str> + Clone) -> bool {
    let mut begins = [false; 256];
    for first in names.clone().filter_map(|name| name.bytes().next()) {
        for first in [first, first.to_ascii_uppercase()] {
            if let Some(begins) = begins.get_mut(usize::from(first)) {
                *begins = true;
            }
        }
    }
    let is_at = |at: usize, name: &str| {
        bytes.get(at..at + name.len()).is_some_and(|window| window.eq_ignore_ascii_case(name.as_bytes()))
    };
    bytes.iter().enumerate().any(|(at, byte)| {
        begins.get(usize::from(*byte)).is_some_and(|begins| *begins) && names.clone().any(|name| is_at(at, name))
    })
}

fn is_secret(name: &str, hidden: &[String]) -> bool {
    let lower = name.to_ascii_lowercase();
    // A path ends with the name of its attribute, or goes on with a filter.
    let names_hidden = |name: &String| {
        lower.split(|end: char| !end.is_alphanumeric() && end != '_' && end != '-').any(|part| part == name)
    };
    SECRET_NAMES.iter().any(|secret| lower.contains(secret)) || hidden.iter().any(names_hidden)
}

/// Whether a string is more than the name of a secret: a filter, a query or JSON in which one may stand, or one of ours.
fn may_tell_secret(text: &str, hidden: &[String]) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains(OWN) || (is_secret(text, hidden) && !text.bytes().all(is_name_byte))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".:_-$/".contains(&byte)
}

/// JSON nesting is bounded by its parser, so this may recurse.
fn redact(value: &mut Value, hidden: &[String]) {
    match value {
        Value::Object(object) => {
            // `{"path": "password", "value": "…"}`, and `{"name": "password", …}` in whatever dialect.
            let is_value = |name: &str| name.eq_ignore_ascii_case("value");
            let names_secret = object
                .iter()
                .any(|(name, value)| !is_value(name) && value.as_str().is_some_and(|text| is_secret(text, hidden)));
            for (name, mut value) in std::mem::take(object) {
                if is_secret(&name, hidden) || (names_secret && is_value(&name)) {
                    value = REDACTED.into();
                } else {
                    redact(&mut value, hidden);
                }
                let name = if may_tell_secret(&name, hidden) { REDACTED.to_owned() } else { name };
                object.insert(name, value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| redact(value, hidden)),
        Value::String(text) if may_tell_secret(text, hidden) => *value = REDACTED.into(),
        _ => {}
    }
}
