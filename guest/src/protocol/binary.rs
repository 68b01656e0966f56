//! Binary values (RFC 7643 §2.3.6): base64 is accepted in any of its forms, and stored in one.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Accepts base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Like [`BASE64`], with the alphabet for URLs.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The value as standard base64 (RFC 4648 §4), padded and in one line; `None` if the text is no base64. The alphabet
/// for URLs (§5) is accepted too, and so are line breaks, since certificates often contain them.
///
/// A client that knows only one form of base64 may refuse a whole list because of one value in another form, or lose
/// some of the value's characters.
pub(super) fn standard(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let bytes = BASE64.decode(&text).or_else(|_| BASE64_URL.decode(&text)).ok()?;
    Some(BASE64.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_comes_with_line_breaks_without_padding_and_for_urls() {
        let good =
            [("", ""), ("TUlJ", "TUlJ"), ("TUk=", "TUk="), ("TUk", "TUk="), ("TU\r\nlJ", "TUlJ"), ("-_-_", "+/+/")];
        for (sent, kept) in good {
            assert_eq!(standard(sent).as_deref(), Some(kept), "{sent}");
        }
        for bad in ["TUlJ!", "T"] {
            assert_eq!(standard(bad), None, "{bad}");
        }
    }
}
