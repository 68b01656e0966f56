//! The value with which a filter compares. It is converted to the attribute's type once.

use std::borrow::Cow;

use serde_json::Number;

use super::fold::fold;
use super::instant::Instant;
use super::lexer::Token;
use super::path::{FilterPath, Operator};
use crate::protocol::binary;
use crate::protocol::error::ScimError;
use crate::protocol::mode::Mode;
use crate::protocol::schema::AttributeType;
use crate::protocol::tolerance::Tolerance;

/// A comparison value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// No value: `eq null` matches an attribute that is not present.
    Null,
    /// A value for a boolean attribute.
    Boolean(bool),
    /// A value for an integer or decimal attribute.
    Number(Number),
    /// A value for a dateTime attribute.
    DateTime {
        /// The text of the filter.
        text: String,
        /// The point in time that the text means.
        instant: Instant,
    },
    /// A value for any other attribute.
    Text {
        /// The text of the filter, unescaped.
        text: String,
        /// The folded text, for a comparison without regard to case; `None` if case matters for the attribute.
        folded: Option<String>,
    },
}

impl Literal {
    /// The text, for strings and dates.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } | Self::DateTime { text, .. } => Some(text),
            Self::Null | Self::Boolean(_) | Self::Number(_) => None,
        }
    }

    /// Converts the value for `path` and `operator`.
    pub(super) fn new(
        path: &FilterPath,
        operator: Operator,
        token: Token<'_>,
        mode: Mode<'_>,
    ) -> Result<Self, ScimError> {
        let refused = |why: &str| ScimError::invalid_filter(format!("`{} {}`: {why}", path.name, operator.as_str()));
        if token.is_null(mode) {
            return match operator {
                Operator::Eq | Operator::Ne => Ok(Self::Null),
                _ => Err(refused("null can only be compared with eq or ne")),
            };
        }
        match path.kind {
            AttributeType::Complex => Err(refused("a complex attribute needs a sub-attribute to compare")),
            AttributeType::Boolean => {
                if operator.is_ordering() || operator.is_substring() {
                    return Err(refused("a boolean can only be compared with eq or ne"));
                }
                boolean(&token, mode).map(Self::Boolean).ok_or_else(|| refused("the value is neither true nor false"))
            }
            AttributeType::Integer | AttributeType::Decimal => {
                if operator.is_substring() {
                    return Err(refused("a number has no substring"));
                }
                number(&token, mode).map(Self::Number).ok_or_else(|| refused("the value is not a number"))
            }
            AttributeType::Binary if operator.is_ordering() => Err(refused("binary values have no order")),
            AttributeType::DateTime if !operator.is_substring() => {
                let text = text(token, mode).ok_or_else(|| refused("the value is not a string"))?;
                let instant = Instant::parse(&text).ok_or_else(|| refused("the value is not a dateTime"))?;
                Ok(Self::DateTime { text: text.into_owned(), instant })
            }
            AttributeType::DateTime | AttributeType::String | AttributeType::Reference | AttributeType::Binary => {
                let mut text = text(token, mode).ok_or_else(|| refused("the value is not a string"))?.into_owned();
                // T35: values are stored in standard form, so the value is converted too. For `co`, which compares a
                // part of a value, it stays as it was sent.
                if path.kind == AttributeType::Binary
                    && !operator.is_substring()
                    && let Some(standard) = binary::standard(&text)
                    && standard != text
                    && mode.tolerates(Tolerance::Base64Form)
                {
                    text = standard;
                }
                let folded = (!path.case_exact).then(|| fold(&text).into_owned());
                Ok(Self::Text { text, folded })
            }
        }
    }
}

fn boolean(token: &Token<'_>, mode: Mode<'_>) -> Option<bool> {
    match token {
        Token::Bare("true") => return Some(true),
        Token::Bare("false") => return Some(false),
        _ => {}
    }
    // T2: `primary eq "True"`.
    let is = |word: &str| token.as_str().eq_ignore_ascii_case(word);
    let meant = is("true").then_some(true).or_else(|| is("false").then_some(false));
    meant.filter(|_| mode.tolerates(Tolerance::Conversion))
}

fn number(token: &Token<'_>, mode: Mode<'_>) -> Option<Number> {
    match token {
        Token::Quoted(_) if !mode.tolerates(Tolerance::Conversion) => None,
        token => serde_json::from_str(token.as_str()).ok(),
    }
}

fn text<'t>(token: Token<'t>, mode: Mode<'_>) -> Option<Cow<'t, str>> {
    match token {
        Token::Quoted(text) => Some(Cow::Owned(text)),
        // T14: `userName eq akadmin`, `externalId eq jyoung`.
        Token::Bare(text) => mode.tolerates(Tolerance::FilterForm).then_some(Cow::Borrowed(text)),
    }
}
