//! Parses a filter's text into a tree. The precedence is `or`, then `and`, then `not`, then grouping (RFC 7644 figure
//! 1).

use super::ast::Filter;
use super::lexer::Lexer;
use super::literal::Literal;
use super::path::{FilterPath, Operator};
use crate::protocol::error::ScimError;
use crate::protocol::mode::Mode;
use crate::protocol::path::AttributePath;
use crate::protocol::schema::{Attribute, AttributeType, ResourceSchema};
use crate::protocol::tolerance::Tolerance;

/// The longest filter, in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// The most comparisons in a filter.
const MAX_TERMS: usize = 200;
/// The deepest nesting of groups, negations and value paths.
const MAX_DEPTH: usize = 32;

impl Filter {
    /// Parses a filter for resources of one type. In a query on several types, an attribute that only the `others` have
    /// is accepted, and has no value here (RFC 7644 §3.4.2.1).
    ///
    /// # Errors
    /// 400 `invalidFilter` for a syntax error, an attribute that no type has, a comparison that the attribute's type
    /// does not allow, and a filter that is too long or too deep.
    pub fn parse(
        schema: &ResourceSchema<'_>,
        others: &[ResourceSchema<'_>],
        text: &str,
        mode: Mode<'_>,
    ) -> Result<Self, ScimError> {
        Parser::new(text, mode)?.parse(&Scope::Resource { schema, others })
    }

    /// Parses a filter for the elements of an attribute, as it is written in the brackets of a value path.
    ///
    /// # Errors
    /// Those of [`Filter::parse`], and 400 `invalidFilter` if no response shows the attribute: whether an element matches
    /// would tell its parts (R30).
    pub fn parse_element(path: &AttributePath<'_>, text: &str, mode: Mode<'_>) -> Result<Self, ScimError> {
        let (Some(attribute), Some(path)) = (path.attribute, FilterPath::new(path)) else {
            return Err(ScimError::invalid_filter("a whole extension has no elements to filter"));
        };
        if attribute.is_hidden() {
            return Err(hidden(&path));
        }
        Parser::new(text, mode)?.parse(&Scope::Element { path: &path, attribute })
    }
}

/// The value to which the paths in a filter are relative.
enum Scope<'p, 's> {
    Resource { schema: &'p ResourceSchema<'s>, others: &'p [ResourceSchema<'s>] },
    Element { path: &'p FilterPath, attribute: &'s Attribute },
}

impl<'s> Scope<'_, 's> {
    fn resolve(
        &self,
        text: &str,
        mode: Mode<'_>,
    ) -> Result<(FilterPath, &'s Attribute, Option<&'s Attribute>), ScimError> {
        let unknown = || ScimError::invalid_filter(format!("`{text}` is not an attribute of this resource type"));
        match self {
            Self::Resource { schema, others } => {
                let (found, foreign) = match AttributePath::resolve(schema, text) {
                    Some(found) => (found, None),
                    None => others
                        .iter()
                        .find_map(|other| AttributePath::resolve(other, text).map(|found| (found, Some(other))))
                        .ok_or_else(unknown)?,
                };
                found.note_form(text, mode);
                let path = match foreign {
                    None => FilterPath::new(&found),
                    Some(other) => FilterPath::foreign(&found, other),
                };
                let (Some(path), Some(attribute)) = (path, found.attribute) else { return Err(unknown()) };
                let sub = found.sub_attribute;
                if attribute.is_hidden() || sub.is_some_and(Attribute::is_hidden) {
                    return Err(hidden(&path));
                }
                Ok((path, attribute, sub))
            }
            Self::Element { path, attribute } => {
                if attribute.kind != AttributeType::Complex && text.eq_ignore_ascii_case("value") {
                    return Ok(((*path).clone(), attribute, None));
                }
                let sub = attribute.sub_attribute(text).ok_or_else(|| {
                    ScimError::invalid_filter(format!("`{text}` is not a sub-attribute of `{}`", attribute.name))
                })?;
                if sub.name != text {
                    mode.note(Tolerance::LetterCase);
                }
                Ok((shown_part(path, sub)?, attribute, Some(sub)))
            }
        }
    }
}

/// The path of a sub-attribute, unless a filter could guess by it what no response shows (R30).
fn shown_part(path: &FilterPath, sub: &Attribute) -> Result<FilterPath, ScimError> {
    let path = path.sub(sub);
    if sub.is_hidden() { Err(hidden(&path)) } else { Ok(path) }
}

fn hidden(path: &FilterPath) -> ScimError {
    ScimError::invalid_filter(format!("`{}` can't be used in a filter", path.name))
}

struct Parser<'t, 'm> {
    lexer: Lexer<'t>,
    mode: Mode<'m>,
    terms: usize,
}

impl<'t, 'm> Parser<'t, 'm> {
    fn new(text: &'t str, mode: Mode<'m>) -> Result<Self, ScimError> {
        if text.len() > MAX_LENGTH {
            return Err(ScimError::invalid_filter(format!("the filter is longer than {MAX_LENGTH} bytes")));
        }
        Ok(Self { lexer: Lexer::new(text), mode, terms: 0 })
    }

    fn parse(mut self, scope: &Scope<'_, '_>) -> Result<Filter, ScimError> {
        let filter = self.or(scope, 0)?;
        self.lexer.skip_space();
        if !self.lexer.is_at_end() {
            return Err(self.lexer.error("`and`, `or` or the end was expected"));
        }
        Ok(filter)
    }

    fn or(&mut self, scope: &Scope<'_, '_>, depth: usize) -> Result<Filter, ScimError> {
        let mut filters = Vec::new();
        loop {
            match self.and(scope, depth)? {
                Filter::Or(inner) => filters.extend(inner),
                filter => filters.push(filter),
            }
            self.lexer.skip_space();
            if !self.lexer.keyword("or") {
                return Ok(one_or(filters, Filter::Or));
            }
        }
    }

    fn and(&mut self, scope: &Scope<'_, '_>, depth: usize) -> Result<Filter, ScimError> {
        let mut filters = Vec::new();
        loop {
            match self.term(scope, depth)? {
                Filter::And(inner) => filters.extend(inner),
                filter => filters.push(filter),
            }
            self.lexer.skip_space();
            if !self.lexer.keyword("and") {
                return Ok(one_or(filters, Filter::And));
            }
        }
    }

    fn term(&mut self, scope: &Scope<'_, '_>, depth: usize) -> Result<Filter, ScimError> {
        if depth > MAX_DEPTH {
            return Err(ScimError::invalid_filter(format!("the filter is nested more than {MAX_DEPTH} deep")));
        }
        self.lexer.skip_space();
        if self.lexer.take('(') {
            return self.closed(scope, depth, ')');
        }
        let mut ahead = self.lexer.clone();
        if ahead.keyword("not") {
            ahead.skip_space();
            if ahead.take('(') {
                self.lexer = ahead;
                return Ok(Filter::Not(Box::new(self.closed(scope, depth, ')')?)));
            }
        }
        self.attribute_term(scope, depth)
    }

    /// Parses the rest of a group or a value filter, up to `close`.
    fn closed(&mut self, scope: &Scope<'_, '_>, depth: usize, close: char) -> Result<Filter, ScimError> {
        let filter = self.or(scope, depth + 1)?;
        self.lexer.skip_space();
        if !self.lexer.take(close) {
            return Err(self.lexer.error(&format!("`{close}` was expected")));
        }
        Ok(filter)
    }

    fn attribute_term(&mut self, scope: &Scope<'_, '_>, depth: usize) -> Result<Filter, ScimError> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(ScimError::invalid_filter(format!("the filter has more than {MAX_TERMS} terms")));
        }
        let word = self.lexer.word();
        if word.is_empty() {
            return Err(self.lexer.error("an attribute was expected"));
        }
        let (path, attribute, sub) = scope.resolve(word, self.mode)?;
        if self.lexer.sees('[') {
            return match scope {
                Scope::Resource { .. } if sub.is_none() => self.value_path(path, attribute, depth),
                _ => Err(self.lexer.error("a value filter must follow an attribute")),
            };
        }
        let operator = self.operator()?;
        let bare = sub.is_none().then_some(attribute);
        self.comparison(path, bare, operator)
    }

    /// Parses an operator; `None` means `pr`.
    fn operator(&mut self) -> Result<Option<Operator>, ScimError> {
        self.lexer.skip_space();
        let here = self.lexer.clone();
        let word = self.lexer.word();
        let found = if word.eq_ignore_ascii_case("pr") { Some(None) } else { Operator::from_keyword(word).map(Some) };
        if found.is_some_and(|operator| operator.map_or("pr", Operator::as_str) != word) {
            self.mode.note(Tolerance::LetterCase);
        }
        found.ok_or_else(|| here.error("an operator was expected (eq, ne, co, sw, ew, pr, gt, ge, lt, le)"))
    }

    /// Parses a comparison. `bare` is the attribute if the path names no sub-attribute.
    fn comparison(
        &mut self,
        path: FilterPath,
        bare: Option<&Attribute>,
        operator: Option<Operator>,
    ) -> Result<Filter, ScimError> {
        let Some(operator) = operator else { return Ok(Filter::Present { path }) };
        self.lexer.skip_space();
        let token = self.lexer.token(self.mode)?;
        // `emails co "x"` (RFC 7644 figure 2), `manager eq "x"` (T14): without a sub-attribute, `value` is compared.
        let path = match bare.and_then(|attribute| attribute.sub_attribute("value")) {
            Some(value) if !token.is_null(self.mode) => {
                if operator == Operator::Eq {
                    self.mode.note(Tolerance::FilterForm);
                }
                shown_part(&path, value)?
            }
            _ => path,
        };
        let value = Literal::new(&path, operator, token, self.mode)?;
        Ok(Filter::Compare { path, operator, value })
    }

    fn value_path(&mut self, path: FilterPath, attribute: &Attribute, depth: usize) -> Result<Filter, ScimError> {
        if attribute.kind != AttributeType::Complex && !attribute.multi_valued {
            return Err(self.lexer.error("the attribute has one simple value, so there is nothing to filter"));
        }
        self.lexer.take('[');
        let scope = Scope::Element { path: &path, attribute };
        let inner = self.closed(&scope, depth, ']')?;
        if self.mode.is_strict() {
            return Ok(Filter::ValuePath { path, inner: Box::new(inner) });
        }
        if self.lexer.take('.') {
            let word = self.lexer.word();
            self.mode.note(Tolerance::FilterForm);
            let (leaf, _, sub) = scope.resolve(word, self.mode)?;
            let operator = self.operator()?;
            let bare = sub.is_none().then_some(attribute);
            let comparison = self.comparison(leaf, bare, operator)?;
            return Ok(within(path, inner, comparison));
        }
        if let Some((operator, ahead)) = self.operator_ahead() {
            self.lexer = ahead;
            self.mode.note(Tolerance::FilterForm);
            let leaf = match attribute.sub_attribute("value") {
                Some(value) => shown_part(&path, value)?,
                None => path.clone(),
            };
            let comparison = self.comparison(leaf, None, operator)?;
            return Ok(within(path, inner, comparison));
        }
        Ok(Filter::ValuePath { path, inner: Box::new(inner) })
    }

    /// Looks ahead for an operator, and returns it with the position after it.
    fn operator_ahead(&self) -> Option<(Option<Operator>, Lexer<'t>)> {
        let mut ahead = self.lexer.clone();
        ahead.skip_space();
        let word = ahead.word();
        if word.eq_ignore_ascii_case("pr") {
            return Some((None, ahead));
        }
        Operator::from_keyword(word).map(|operator| (Some(operator), ahead))
    }
}

/// Parses `emails[type eq "work"].value eq "x"` (T14): one element must match both filters.
///
/// As with other attributes, `ne` and `eq null` also match if there is no value to compare.
fn within(path: FilterPath, inner: Filter, comparison: Filter) -> Filter {
    let any = |comparison: Filter| {
        let mut filters = match inner.clone() {
            Filter::And(filters) => filters,
            filter => vec![filter],
        };
        filters.push(comparison);
        Filter::ValuePath { path: path.clone(), inner: Box::new(Filter::And(filters)) }
    };
    match comparison {
        Filter::Compare { path: leaf, operator: Operator::Eq, value: Literal::Null } => {
            Filter::Not(Box::new(any(Filter::Present { path: leaf })))
        }
        Filter::Compare { path: leaf, operator: Operator::Ne, value: Literal::Null } => {
            any(Filter::Present { path: leaf })
        }
        Filter::Compare { path: leaf, operator: Operator::Ne, value } => Filter::Or(vec![
            Filter::Not(Box::new(any(Filter::Present { path: leaf.clone() }))),
            any(Filter::Compare { path: leaf, operator: Operator::Ne, value }),
        ]),
        comparison => any(comparison),
    }
}

fn one_or(mut filters: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match filters.pop() {
        Some(only) if filters.is_empty() => only,
        Some(last) => {
            filters.push(last);
            many(filters)
        }
        None => many(filters),
    }
}
