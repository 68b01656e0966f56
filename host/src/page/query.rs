//! Query strings of links.

use std::fmt::Write as _;

/// The text as it stands in a query (RFC 3986 §2.1).
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

/// `?name=value&…` of those that have a value; empty if none has.
pub(super) fn query(pairs: &[(&str, Option<&str>)]) -> String {
    let given = pairs.iter().filter_map(|(name, value)| Some(format!("{name}={}", encode((*value)?))));
    let joined = given.collect::<Vec<_>>().join("&");
    if joined.is_empty() { joined } else { format!("?{joined}") }
}

/// What was typed into a field, or nothing.
pub(super) fn typed(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_holds_what_has_a_value_encoded() {
        assert_eq!(query(&[("q", Some("a b&ü")), ("after", None), ("x", Some("1"))]), "?q=a%20b%26%C3%BC&x=1");
        assert_eq!(query(&[("q", None)]), "");
    }
}
