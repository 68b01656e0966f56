//! The form in which texts are compared without regard to case.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Folds `text`: two texts are equal without regard to case if their folded forms are equal (RFC 7644 §3.4.2.2).
///
/// The form is that of UsernameCaseMapped (RFC 8265 §3.3, as RFC 7644 §5 requires): width mapping, case folding, NFC.
/// The store's index keys must be made with the same function.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    let narrowed = text.chars().flat_map(width_mapped);
    Cow::Owned(narrowed.flat_map(char::to_lowercase).map(folded_variant).nfc().collect())
}

/// Maps fullwidth and halfwidth forms to the usual letters (the width mapping of RFC 8265 §3.3).
fn width_mapped(letter: char) -> impl Iterator<Item = char> {
    let is_wide = matches!(letter, '\u{ff01}'..='\u{ffee}' | '\u{3000}');
    let mapped = is_wide.then(|| std::iter::once(letter).nfkc());
    mapped.into_iter().flatten().chain((!is_wide).then_some(letter))
}

/// Lower-case letters that fold to another lower-case letter.
fn folded_variant(letter: char) -> char {
    match letter {
        'ς' => 'σ',
        'ſ' => 's',
        'µ' => 'μ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r67_text_that_differs_in_case_only_folds_to_the_same() {
        for (left, right) in [("Bjensen", "bJENSEN"), ("STRÖM", "ström"), ("ΟΔΟΣ", "οδος"), ("\u{212A}", "k")]
        {
            assert_eq!(fold(left), fold(right));
        }
        assert_ne!(fold("ström"), fold("strom"));
    }

    #[test]
    fn r29_composed_decomposed_and_fullwidth_text_folds_to_the_same() {
        assert_eq!(fold("Zo\u{eb}"), fold("zoe\u{308}"));
        assert_eq!(fold("\u{ff3a}oe"), fold("zoe"));
    }

    #[test]
    fn lower_case_ascii_is_not_copied() {
        assert!(matches!(fold("bjensen@example.com"), Cow::Borrowed(_)));
    }
}
