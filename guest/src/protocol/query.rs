//! The parameters of a list: query parameters (RFC 7644 §3.4.2, RFC 9865) or a `.search` body (§3.4.3).

use serde_json::Value;

use super::discovery::{DEFAULT_PAGE_SIZE, MAX_RESULTS};
use super::error::{ScimError, ScimType};
use super::mode::Mode;
use super::projection::Projection;
use super::tolerance::Tolerance;
use crate::text;

/// The message schema of a `.search` body.
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The known query parameters (RFC 7644 §3.4.2, RFC 9865).
const PARAMETERS: [&str; 8] =
    ["attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor"];

/// The parameters of a list.
#[derive(Clone, Debug)]
pub struct Query {
    /// The attributes to return.
    pub projection: Projection,
    /// Chooses the resources; `None` means all.
    pub filter: Option<String>,
    /// The attribute path by which to sort.
    pub sort_by: Option<String>,
    /// `ascending` or `descending`.
    pub sort_order: Option<String>,
    /// The index of the first resource; 1 is the first.
    pub start_index: u32,
    /// The most resources to return.
    pub count: u32,
    /// The count that the client sent, before the server limits it.
    pub named_count: Option<i64>,
    /// Asks for the page after this cursor; empty for the first page; `None` for index pagination.
    pub cursor: Option<String>,
}

impl Query {
    /// Reads the query of a request: it is form-decoded, unknown parameters are ignored, and an empty filter counts as
    /// none (T15).
    ///
    /// # Errors
    /// 400 if a numeric parameter is no number, or if both `attributes` and `excludedAttributes` are sent in strict
    /// mode.
    pub fn from_parameters(query: Option<&str>, mode: Mode<'_>) -> Result<Self, ScimError> {
        let parameters: Vec<(String, String)> = text::parameters(query.unwrap_or_default()).collect();
        let means_nothing = |(name, value): &(String, String)| {
            let is_known = PARAMETERS.iter().any(|known| known.eq_ignore_ascii_case(name));
            !is_known || (name.eq_ignore_ascii_case("filter") && value.trim().is_empty())
        };
        let has_empty = query.is_some_and(|query| query.split('&').any(str::is_empty));
        if has_empty || parameters.iter().any(means_nothing) {
            mode.note(Tolerance::Url);
        }
        let find = |name: &str| {
            let found = parameters.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str())
        };
        let not_empty = |name: &str| find(name).map(str::trim).filter(|value| !value.is_empty());
        let number = |name: &str| not_empty(name).map(|text| parse_number(name, text)).transpose();
        // A list may come as several parameters, as generated clients send it.
        let names = |name: &'static str| {
            let sent = parameters.iter().filter(move |(candidate, _)| candidate.eq_ignore_ascii_case(name));
            sent.flat_map(|(_, list)| list.split(','))
        };
        let cursor = find("cursor").map(str::to_owned);
        let count = number("count").map_err(|error| of_count(error, cursor.is_some()))?;
        Ok(Self {
            projection: Projection::from_names(names("attributes"), names("excludedAttributes"), mode)?,
            filter: not_empty("filter").map(str::to_owned),
            sort_by: not_empty("sortBy").map(str::to_owned),
            sort_order: not_empty("sortOrder").map(str::to_owned),
            start_index: clamp(number("startIndex")?, 1, 1, u32::MAX),
            named_count: count,
            count: clamp(count, DEFAULT_PAGE_SIZE, 0, MAX_RESULTS),
            cursor,
        })
    }

    /// Reads the body of a `.search` request.
    ///
    /// # Errors
    /// 400 if it is not a search request, or for the reasons of query parameters.
    pub fn from_search(body: &Value, mode: Mode<'_>) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(ScimError::invalid_syntax("The body of a search is a JSON object"));
        };
        let find = |name: &str| {
            let found = body.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value).filter(|value| !value.is_null())
        };
        let names_request = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(SEARCH_REQUEST));
        let declared = find("schemas").and_then(Value::as_array).is_some_and(|urns| urns.iter().any(names_request));
        if !declared && (mode.is_strict() || find("schemas").is_some()) {
            return Err(ScimError::invalid_syntax(format!("The schemas of a search are [\"{SEARCH_REQUEST}\"]")));
        }
        let text = |name: &str| match find(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(_) => Err(ScimError::invalid_value(format!("'{name}' is a string"))),
        };
        let number = |name: &str| match find(name) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let number = number.as_i64().or_else(|| number.as_u64().map(|_| i64::MAX));
                number.map(Some).ok_or_else(|| not_a_number(name))
            }
            Some(Value::String(digits)) if mode.tolerates(Tolerance::Conversion) => {
                parse_number(name, digits).map(Some)
            }
            Some(_) => Err(not_a_number(name)),
        };
        let cursor = match find("cursor") {
            None => None,
            Some(Value::String(cursor)) => Some(cursor.clone()),
            Some(_) => return Err(ScimError::new(ScimType::InvalidCursor, "'cursor' is a string")),
        };
        let count = number("count").map_err(|error| of_count(error, cursor.is_some()))?;
        let names = |name: &str| match find(name) {
            None => Ok(Vec::new()),
            Some(Value::String(list)) => Ok(list.split(',').collect()),
            Some(Value::Array(list)) => list
                .iter()
                .map(|name| name.as_str().ok_or_else(|| ScimError::invalid_value("An attribute's name is a string")))
                .collect::<Result<Vec<_>, _>>(),
            Some(_) => Err(ScimError::invalid_value(format!("'{name}' is a list of strings"))),
        };
        Ok(Self {
            projection: Projection::from_names(names("attributes")?, names("excludedAttributes")?, mode)?,
            filter: text("filter")?.map(str::to_owned),
            sort_by: text("sortBy")?.map(str::to_owned),
            sort_order: text("sortOrder")?.map(str::to_owned),
            start_index: clamp(number("startIndex")?, 1, 1, u32::MAX),
            named_count: count,
            count: clamp(count, DEFAULT_PAGE_SIZE, 0, MAX_RESULTS),
            cursor,
        })
    }
}

fn parse_number(name: &str, text: &str) -> Result<i64, ScimError> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not_a_number(name));
    }
    // A number with too many digits is treated as the largest number.
    Ok(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

fn not_a_number(name: &str) -> ScimError {
    ScimError::invalid_value(format!("'{name}' is not an integer"))
}

/// For cursor pagination, RFC 9865 defines a separate error for a count that is not allowed.
fn of_count(error: ScimError, by_cursor: bool) -> ScimError {
    if by_cursor { ScimError::new(ScimType::InvalidCount, error.detail) } else { error }
}

fn clamp(number: Option<i64>, default: u32, least: u32, most: u32) -> u32 {
    number.map_or(default, |number| u32::try_from(number.clamp(least.into(), most.into())).unwrap_or(default))
}
