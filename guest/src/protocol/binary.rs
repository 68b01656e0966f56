//! Binary values (RFC 7643 §2.3.6): base64 in any of its forms, and the one in which it is kept.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// With padding or without it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// As [`BASE64`], in the alphabet for URLs.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What the text stands for as standard base64 (RFC 4648 §4), padded and in one line; `None` if it is no base64. The alphabet
/// for URLs (§5) is read too, and line breaks are let through, since certificates often come with them.
///
/// Clients that know one form of base64 refuse a whole list for one value in another, or lose characters of it.
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
