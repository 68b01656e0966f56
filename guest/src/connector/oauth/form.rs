//! Parses `application/x-www-form-urlencoded`: the parameters of a query or of a form.

use crate::text;

/// The largest form that is read, in bytes.
const LARGEST: usize = 16 * 1024;

/// The parameters by name. A parameter without a value counts as not sent (RFC 6749 §3.1).
#[derive(Debug)]
pub(super) struct Form(Vec<(String, String)>);

/// The reason why a form can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FormError {
    /// The form is larger than any real one, or it is not text.
    Unreadable,
    /// A parameter occurs more than once (RFC 6749 §3.1, §3.2).
    Repeated,
}

impl Form {
    /// Reads a form.
    pub(super) fn parse(text: &str) -> Result<Self, FormError> {
        if text.len() > LARGEST {
            return Err(FormError::Unreadable);
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in text::parameters(text) {
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
}
