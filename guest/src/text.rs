//! Cutting texts to a size, and coding them for URLs and forms.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All characters but the unreserved ones of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The beginning of the text, with at most `longest` bytes and without an incomplete character at its end.
pub(crate) fn cut(text: &str, longest: usize) -> &str {
    text.get(..text.floor_char_boundary(longest)).unwrap_or_default()
}

/// Decodes percent-encoding (RFC 3986 §2.1). Invalid escapes stay as they are; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Decodes a value of a form.
pub(crate) fn form_decoded(text: &str) -> String {
    percent_decoded(&text.replace('+', " "))
}

/// Encodes a value for a query or a form: every character but the unreserved ones is percent-encoded.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes these parameters as a query or a form.
pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", percent_encoded(value))).collect();
    pairs.join("&")
}

/// The names and values of a query or a form, in their order (`application/x-www-form-urlencoded`).
pub(crate) fn parameters(text: &str) -> impl Iterator<Item = (String, String)> {
    form_urlencoded::parse(text.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 9), "");
    }

    #[test]
    fn what_is_not_percent_encoding_stays_as_it_is() {
        assert_eq!(percent_decoded("a%20b%zz%4"), "a b%zz%4");
        assert_eq!(percent_decoded("%C3%A9%FF"), "é\u{fffd}");
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        for text in ["a b&c=d+e%f", "é/?#", "~-._"] {
            let form = form(&[("name", text), ("other", "1")]);
            assert_eq!(parameters(&form).next(), Some(("name".to_owned(), text.to_owned())));
            assert_eq!(parameters(&form).count(), 2);
            assert_eq!(form_decoded(&percent_encoded(text)), text);
        }
    }
}
