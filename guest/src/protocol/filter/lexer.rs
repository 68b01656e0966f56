//! Splits a filter's text into tokens, one at a time as the parser needs them.

use crate::protocol::error::ScimError;
use crate::protocol::mode::Mode;
use crate::protocol::tolerance::Tolerance;

/// A comparison value in the form in which the text has it.
#[derive(Debug)]
pub(super) enum Token<'t> {
    /// A JSON string, unescaped.
    Quoted(String),
    /// Any other text: `true`, `12`, `null`, or a string without its quotes.
    Bare(&'t str),
}

impl Token<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Quoted(text) => text,
            Self::Bare(text) => text,
        }
    }

    pub(super) fn is_null(&self, mode: Mode<'_>) -> bool {
        match self {
            Token::Bare("null") => true,
            Token::Bare(text) => text.eq_ignore_ascii_case("null") && mode.tolerates(Tolerance::LetterCase),
            Token::Quoted(_) => false,
        }
    }
}

/// A position in a filter's text.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'t> {
    rest: &'t str,
    length: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text, length: text.len() }
    }

    pub(super) fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether `symbol` comes next, without consuming it.
    pub(super) fn sees(&self, symbol: char) -> bool {
        self.rest.starts_with(symbol)
    }

    /// Consumes `symbol` if it comes next.
    pub(super) fn take(&mut self, symbol: char) -> bool {
        match self.rest.strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Consumes an attribute path, an operator or a keyword; empty if none comes next.
    pub(super) fn word(&mut self) -> &'t str {
        self.until(|letter| letter.is_ascii_whitespace() || matches!(letter, '(' | ')' | '[' | ']' | '"'))
    }

    /// Consumes the keyword if it comes next as a whole word, in any case.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let mut ahead = self.clone();
        if !ahead.word().eq_ignore_ascii_case(keyword) {
            return false;
        }
        *self = ahead;
        true
    }

    /// Consumes a comparison value.
    pub(super) fn token(&mut self, mode: Mode<'_>) -> Result<Token<'t>, ScimError> {
        if self.sees('"') {
            return self.quoted(mode).map(Token::Quoted);
        }
        // If a value without quotes could contain a parenthesis, a missing closing one would not be noticed.
        let word = self.until(|letter| letter.is_ascii_whitespace() || matches!(letter, '(' | ')' | '[' | ']'));
        if word.is_empty() {
            return Err(self.error("a value was expected"));
        }
        // Without this check the quote would become a part of the text, and the client would get an empty list instead
        // of an error.
        if word.starts_with('\'') {
            return Err(self.error("a string must be in double quotes"));
        }
        Ok(Token::Bare(word))
    }

    /// An error that names this position.
    pub(super) fn error(&self, why: &str) -> ScimError {
        let position = self.length.saturating_sub(self.rest.len());
        ScimError::invalid_filter(format!("the filter can't be read at position {position}: {why}"))
    }

    fn until(&mut self, ends: impl Fn(char) -> bool) -> &'t str {
        let (word, rest) = match self.rest.find(ends) {
            Some(end) => self.rest.split_at_checked(end).unwrap_or((self.rest, "")),
            None => (self.rest, ""),
        };
        self.rest = rest;
        word
    }

    fn quoted(&mut self, mode: Mode<'_>) -> Result<String, ScimError> {
        let end = closing_quote(self.rest).ok_or_else(|| self.error("a string has no closing quote"))?;
        let (string, rest) = self.rest.split_at_checked(end).ok_or_else(|| self.error("a string is broken"))?;
        let text = match serde_json::from_str(string) {
            Ok(text) => text,
            // `"DOMAIN\person"`: a backslash that escapes nothing is taken literally.
            Err(_) if mode.tolerates(Tolerance::FilterForm) => unescape_leniently(string),
            Err(_) => return Err(self.error("a string is not a JSON string")),
        };
        self.rest = rest;
        Ok(text)
    }
}

/// The end of the string with which `text` begins, including its closing quote.
pub(in crate::protocol) fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn unescape_leniently(string: &str) -> String {
    let inner = string.strip_prefix('"').and_then(|string| string.strip_suffix('"')).unwrap_or(string);
    let mut text = String::with_capacity(inner.len());
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some(&next @ ('"' | '\\' | '/'))) => {
                text.push(next);
                letters.next();
            }
            (other, _) => text.push(other),
        }
    }
    text
}
