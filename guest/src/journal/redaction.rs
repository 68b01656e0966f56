//! Request bodies for the log: without what is secret by the schema or by its name (rule P5).

use serde_json::Value;

/// The largest body that is read for the log, in bytes; of a larger one the log has the size only.
const LARGEST_READ: usize = 64 * 1024;
/// How much of a body the log keeps, in bytes.
const LARGEST_KEPT: usize = 16 * 1024;
/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";
/// What the name of an attribute with a secret has in it, in lower case. `password` is the one that the schema never
/// returns (RFC 7643 §4.1.1); the others are what extensions call theirs.
const SECRET_NAMES: [&str; 6] = ["password", "passphrase", "passwd", "secret", "token", "credential"];

/// The body as the log has it: JSON with its secrets redacted, cut after 16 KiB. `None` of an empty one.
pub(super) fn redacted(body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    if body.len() > LARGEST_READ {
        return Some(format!("[{} bytes]", body.len()));
    }
    let text = std::str::from_utf8(body).ok().filter(|_| !may_hold_secret(body));
    // Most bodies have no such name, and are not read again. What is not JSON may be anything.
    if let Some(text) = text.filter(|text| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()) {
        return Some(cut(text));
    }
    match serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)) {
        Ok(mut value) => {
            redact(&mut value);
            Some(cut(&value.to_string()))
        }
        Err(_) => Some("[not JSON]".to_owned()),
    }
}

/// A query without secrets: one that names such an attribute is not kept at all.
pub(super) fn redacted_query(query: &str) -> &str {
    // A percent sign or a plus may hide a letter; filters have plenty, so only those of letters count.
    let decoded = percent_decoded(query.as_bytes());
    if may_hold_secret(&decoded) { REDACTED } else { query }
}

/// Whether a name of a secret occurs in it, or an escape that could hide one.
fn may_hold_secret(bytes: &[u8]) -> bool {
    let is_escape = |window: &[u8]| window == b"\\u";
    if bytes.windows(2).any(is_escape) {
        return true;
    }
    let lower = bytes.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|name| lower.windows(name.len()).any(|window| window == name.as_bytes()))
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    decoded
}

fn is_secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| lower.contains(secret))
}

/// JSON nesting is bounded by its parser, so this may recurse.
fn redact(value: &mut Value) {
    match value {
        Value::Object(object) => {
            // `{"path": "password", "value": "…"}`, and `{"name": "password", …}` in whatever dialect.
            let names_secret = ["path", "name", "type", "attribute"]
                .iter()
                .any(|key| field(object, key).and_then(Value::as_str).is_some_and(is_secret));
            for (name, value) in object.iter_mut() {
                let is_value = names_secret && name.eq_ignore_ascii_case("value");
                if is_secret(name) || is_value {
                    *value = REDACTED.into();
                } else {
                    redact(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact),
        _ => {}
    }
}

fn field<'v>(object: &'v serde_json::Map<String, Value>, key: &str) -> Option<&'v Value> {
    object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

fn cut(text: &str) -> String {
    let end = (0..=LARGEST_KEPT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p5_secrets_are_redacted_wherever_they_stand() {
        for body in [
            r#"{"userName":"a","password":"hunter2"}"#,
            r#"{"userName":"a","PassWord":{"x":"hunter2"}}"#,
            r#"{"userName":"a","p\u0061ssword":"hunter2"}"#,
            r#"{"Operations":[{"op":"replace","path":"password","value":"hunter2"}]}"#,
            r#"{"Operations":[{"op":"replace","Path":"urn:ietf:params:scim:schemas:core:2.0:User:password","VALUE":"hunter2"}]}"#,
            r#"{"Operations":[{"op":"add","value":{"password":"hunter2"}}]}"#,
            r#"{"urn:x:User":{"apiToken":["hunter2"]}}"#,
            r#"{"password":"hunter2""#,
        ] {
            let logged = redacted(body.as_bytes()).unwrap();
            assert!(!logged.contains("hunter2"), "{logged}");
        }
        assert!(!redacted_query("filter=p%61ssword%20eq%20%22hunter2%22").contains("hunter2"));
    }

    #[test]
    fn p5_a_body_without_secrets_is_kept_as_it_was_sent() {
        let body = r#"{ "userName": "ada" }"#;
        assert_eq!(redacted(body.as_bytes()).as_deref(), Some(body));
        assert_eq!(redacted_query("filter=userName+eq+%22ada%22"), "filter=userName+eq+%22ada%22");
        assert_eq!(redacted(b""), None);
    }

    #[test]
    fn p5_a_large_body_is_cut() {
        let body = format!(r#"{{"userName":"{}"}}"#, "é".repeat(20_000));
        assert!(redacted(body.as_bytes()).unwrap().len() <= LARGEST_KEPT);
        assert_eq!(redacted(&vec![b' '; 70_000]).as_deref(), Some("[70000 bytes]"));
    }
}
