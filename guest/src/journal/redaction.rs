//! Redacts request bodies for the log: removes values that are secret by the schema or by their name (rule P5).

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::Value;

use crate::text::cut;

/// The largest body that is examined for the log, in bytes; of a larger one the log only has the size.
const LARGEST_READ: usize = 64 * 1024;
/// The longest part of a body that the log stores, in bytes.
const LARGEST_KEPT: usize = 16 * 1024;
/// The text that replaces a secret.
const REDACTED: &str = "[redacted]";
/// An attribute is secret if its name contains one of these, in lower case. `password` is the one that the schema never
/// returns (RFC 7643 §4.1.1); the others are usual in extensions.
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
/// The prefix of Insomnia's own tokens and secrets, which may occur anywhere.
const OWN: &str = "insm_";

/// The body for the log: JSON with its secrets redacted, cut after 16 KiB. `None` if the body is empty. `hidden` are
/// the names, in lower case, of attributes that the organization's schemas never return; `is_json` says that the body
/// is known to be JSON.
pub(super) fn redacted(body: &[u8], is_json: bool, hidden: &[String]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    if body.len() > LARGEST_READ {
        return Some(format!("[{} bytes]", body.len()));
    }
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).ok().filter(|_| !may_hold_secret(body, hidden));
    // Most bodies contain no such name and need not be parsed again. A body that is not JSON is never logged as it is.
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

/// The query for the log. A query that names a secret attribute is left out as a whole.
pub(super) fn redacted_query<'q>(query: &'q str, hidden: &[String]) -> &'q str {
    // A percent sign or a plus may hide a letter. Filters contain many of them, so only those that hide letters count.
    let decoded = Cow::from(percent_decode(query.as_bytes()));
    if may_hold_secret(&decoded, hidden) { REDACTED } else { query }
}

/// A text that should hold no secret, such as a path. It is left out if it contains one of Insomnia's own tokens.
pub(super) fn redacted_text(text: &str) -> &str {
    let decoded = Cow::from(percent_decode(text.as_bytes()));
    if holds(&decoded, [OWN].into_iter()) { REDACTED } else { text }
}

/// Whether the bytes contain the name of a secret, or an escape that could hide one.
fn may_hold_secret(bytes: &[u8], hidden: &[String]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\\u")
        || holds(bytes, SECRET_NAMES.into_iter().chain([OWN]).chain(hidden.iter().map(String::as_str)))
}

/// Whether the bytes contain one of these names (given in lower case) in any case.
fn holds<'n>(bytes: &[u8], names: impl Iterator<Item = &'n str> + Clone) -> bool {
    let mut beginnings = Beginnings::default();
    names.clone().for_each(|name| beginnings.add(name.as_bytes()));
    let is_at = |at: usize, name: &str| {
        bytes.get(at..at + name.len()).is_some_and(|window| window.eq_ignore_ascii_case(name.as_bytes()))
    };
    let is_any_at = |at: usize| names.clone().any(|name| is_at(at, name));
    let mut pairs = bytes.windows(2).enumerate();
    pairs.any(|(at, pair)| beginnings.may_be(pair) && is_any_at(at))
        // Only a name of one letter can be at the last place.
        || bytes.len().checked_sub(1).is_some_and(is_any_at)
}

/// The first two letters of names, in any case. Every body is searched for a dozen names, so nearly every place in it
/// must be rejected by looking at two bytes. The last five bits of an ASCII letter are the same in both cases. Other
/// bytes may share them, so that a place that is not rejected still has to be compared with the names.
#[derive(Default)]
struct Beginnings([u32; 32]);

impl Beginnings {
    fn add(&mut self, name: &[u8]) {
        let seconds = name.get(1).map_or(u32::MAX, |second| 1 << (second & 31));
        if let Some(known) = name.first().and_then(|first| self.0.get_mut(usize::from(first & 31))) {
            *known |= seconds;
        }
    }

    fn may_be(&self, pair: &[u8]) -> bool {
        let [first, second] = pair else { return false };
        self.0.get(usize::from(first & 31)).is_some_and(|seconds| seconds >> (second & 31) & 1 == 1)
    }
}

fn is_secret(name: &str, hidden: &[String]) -> bool {
    let lower = name.to_ascii_lowercase();
    // A path ends with the name of its attribute, or continues with a filter.
    let names_hidden = |name: &String| {
        lower.split(|end: char| !end.is_alphanumeric() && end != '_' && end != '-').any(|part| part == name)
    };
    SECRET_NAMES.iter().any(|secret| lower.contains(secret)) || hidden.iter().any(names_hidden)
}

/// Whether a string may contain a secret: it is a filter, a query or JSON with such a name, or contains one of
/// Insomnia's own tokens.
fn may_tell_secret(text: &str, hidden: &[String]) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains(OWN) || (is_secret(text, hidden) && !text.bytes().all(is_name_byte))
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".:_-$/".contains(&byte)
}

/// The JSON parser bounds the nesting, so this may recurse.
fn redact(value: &mut Value, hidden: &[String]) {
    match value {
        Value::Object(object) => {
            // A secret may also be named by a neighbouring value: `{"path": "password", "value": "…"}`, `{"name":
            // "password", …}`.
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
