//! What libraries say about values that can't be read, in words of the reader instead of those of a programming language.

/// The text with the names of types in common words.
pub(crate) fn plain(text: &str) -> String {
    let text = text
        .replace("invalid digit found in string", "it is not a whole number")
        .replace("cannot parse integer from empty string", "a whole number is missing")
        .replace("number too large to fit in target type", "the number is too large")
        .replace("number too small to fit in target type", "the number is too small");
    let mut words = Vec::new();
    let mut left = text.split(' ');
    while let Some(word) = left.next() {
        match word {
            "struct" | "enum" if words.last() == Some(&"expected") => {
                left.next();
                words.push(if word == "struct" { "an object" } else { "one of the known values" });
            }
            "expected" => words.push(word),
            _ if words.last() == Some(&"expected") => words.push(match word.trim_end_matches(',') {
                "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
                "i8" | "i16" | "i32" | "i64" => "a whole number",
                "f32" | "f64" => "a number",
                _ => word,
            }),
            _ => words.push(word),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_said_in_common_words_and_other_texts_stay() {
        for (text, expected) in [
            ("invalid type: string \"x\", expected u64", "invalid type: string \"x\", expected a whole number"),
            ("invalid type: null, expected struct NewLimit", "invalid type: null, expected an object"),
            ("limit: invalid digit found in string", "limit: it is not a whole number"),
            ("unknown field `foo`, expected `limit`", "unknown field `foo`, expected `limit`"),
            ("expected a boolean", "expected a boolean"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }
}
