//! `application/x-www-form-urlencoded`: the parameters of a query or of a form.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::protocol::route::percent_decode;

/// The largest form that is read, in bytes.
const LARGEST: usize = 16 * 1024;

/// The parameters by name. One without a value counts as not sent (RFC 6749 §3.1).
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

/// Why a form can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormError {
    /// Larger than anybody needs, or not text.
    Unreadable,
    /// A parameter stands there more than once (RFC 6749 §3.1, §3.2).
    Repeated,
}

impl Form {
    /// Reads a form.
    pub(super) fn parse(text: &str) -> Result<Self, FormError> {
        if text.len() > LARGEST {
            return Err(FormError::Unreadable);
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), decode(value));
            if name.is_empty() || value.is_empty() {
                continue;
            }
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(FormError::Repeated);
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A name or a value as it was before it was encoded.
pub(super) fn decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

/// What is percent-encoded in a form: all but the unreserved characters (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A value as it stands in a query or a form.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_3_1_a_parameter_without_a_value_is_as_not_sent_and_a_repeated_one_is_an_error() {
        let form = Form::parse("a=1&b=&c&d=x%20y+z&&%65=%C3%A9").unwrap();
        assert_eq!(form.get("a"), Some("1"));
        assert_eq!((form.get("b"), form.get("c")), (None, None));
        assert_eq!(form.get("d"), Some("x y z"));
        assert_eq!(form.get("e"), Some("é"));
        assert_eq!(Form::parse("a=1&a=2").err(), Some(FormError::Repeated));
        assert_eq!(Form::parse(&"a".repeat(20_000)).err(), Some(FormError::Unreadable));
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for text in ["a b&c=d+e%f", "é/?#", "~-._"] {
            assert_eq!(decode(&encode(text)), text);
        }
    }
}
