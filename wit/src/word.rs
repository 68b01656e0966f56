//! Finds names and addresses in texts.

/// Whether the word, such as a name or an email address, occurs in the text by itself, and not as a part of a longer name or
/// address. Case matters: convert both to lower case before.
#[must_use]
pub fn occurs_as_word(text: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    text.match_indices(word).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).unwrap_or_default();
        !before.is_some_and(|letter| is_of_word(letter) || matches!(letter, '.' | '+' | '@')) && !goes_on(after)
    })
}

/// Whether a word goes on with this text: a full stop ends a sentence unless a letter follows.
fn goes_on(after: &str) -> bool {
    let mut letters = after.chars();
    match letters.next() {
        Some('.' | '@') => letters.next().is_some_and(char::is_alphanumeric),
        Some(letter) => is_of_word(letter),
        None => false,
    }
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '-' || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_not_a_part_of_another() {
        let cases = [
            ("to ann@acme.example.", "ann@acme.example", true),
            ("<ann@acme.example>", "ann@acme.example", true),
            ("joann@acme.example", "ann@acme.example", false),
            ("mary-ann@acme.example, ann@acme.example", "ann@acme.example", true),
            ("ann@acme.example.org", "ann@acme.example", false),
            ("ann leeson", "ann lee", false),
            ("(ann lee)", "ann lee", true),
            ("to ann@acme.example", "acme.example", false),
            ("anything", "", false),
        ];
        for (text, word, expected) in cases {
            assert_eq!(occurs_as_word(text, word), expected, "{word} in {text}");
        }
    }
}
