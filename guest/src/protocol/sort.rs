//! The order of a list: `sortBy` and `sortOrder` (RFC 7644 §3.4.2.3).

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::error::ScimError;
use super::filter::{FilterPath, Instant, compare_numbers, fold};
use super::path::AttributePath;
use super::schema::{Attribute, AttributeType, ResourceSchema};

/// The most bytes of text in a cursor.
const MAX_TEXT: usize = 256;

/// An attribute to sort by, and the direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// The attribute.
    pub path: FilterPath,
    /// Whether the greatest value comes first.
    pub descending: bool,
}

/// A resource's place in the order. Keys of the same [`Sort`] are compared with [`Sort::compare`].
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// False before true.
    Boolean(bool),
    /// By value.
    Number(Number),
    /// In chronological order.
    DateTime(Instant),
    /// By code points. The text is folded unless case matters for the attribute.
    Text(String),
    /// There is no value: last in ascending order, first in descending order.
    Missing,
}

impl Sort {
    /// Parses `sortBy` and `sortOrder`.
    ///
    /// # Errors
    /// 400 `invalidPath` if the resource type has no such attribute, or its values can't be ordered; 400 `invalidValue`
    /// if the order is neither `ascending` nor `descending`.
    pub fn parse(schema: &ResourceSchema<'_>, sort_by: &str, sort_order: Option<&str>) -> Result<Self, ScimError> {
        let refused = |why: &str| ScimError::invalid_path(format!("`sortBy`: `{}` {why}", sort_by.trim()));
        let mut found =
            AttributePath::resolve(schema, sort_by).ok_or_else(|| refused("is no attribute of this resource type"))?;
        let attribute = found.attribute.ok_or_else(|| refused("is no attribute of this resource type"))?;
        if attribute.kind == AttributeType::Complex && found.sub_attribute.is_none() {
            let value = attribute.sub_attribute("value").ok_or_else(|| refused("needs a sub-attribute"))?;
            found.sub_attribute = Some(value);
        }
        if attribute.is_hidden() || found.sub_attribute.is_some_and(Attribute::is_hidden) {
            return Err(refused("can't be sorted by"));
        }
        let path = FilterPath::new(&found).ok_or_else(|| refused("is no attribute of this resource type"))?;
        let descending = match sort_order.map(str::trim) {
            None | Some("") => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => return Err(ScimError::invalid_value("`sortOrder` is neither ascending nor descending")),
        };
        Ok(Self { path, descending })
    }

    /// The document's key. For a multi-valued attribute it is that of the primary value, else of the first one.
    #[must_use]
    pub fn key(&self, document: &Map<String, Value>) -> SortKey {
        self.value(document).map_or(SortKey::Missing, |value| self.key_of(value))
    }

    /// The order of two keys in this direction.
    #[must_use]
    pub fn compare(&self, left: &SortKey, right: &SortKey) -> Ordering {
        let ascending = left.rank().cmp(&right.rank()).then_with(|| match (left, right) {
            (SortKey::Boolean(left), SortKey::Boolean(right)) => left.cmp(right),
            (SortKey::Number(left), SortKey::Number(right)) => compare_numbers(left, right).unwrap_or(Ordering::Equal),
            (SortKey::DateTime(left), SortKey::DateTime(right)) => left.cmp(right),
            (SortKey::Text(left), SortKey::Text(right)) => left.cmp(right),
            _ => Ordering::Equal,
        });
        if self.descending { ascending.reverse() } else { ascending }
    }

    fn value<'d>(&self, document: &'d Map<String, Value>) -> Option<&'d Value> {
        let container = match &self.path.extension {
            None => document,
            Some(urn) => document.get(urn)?.as_object()?,
        };
        let value = preferred(container.get(&self.path.attribute)?)?;
        match &self.path.sub_attribute {
            None => Some(value),
            Some(sub) => preferred(value.get(sub)?),
        }
    }

    fn key_of(&self, value: &Value) -> SortKey {
        match value {
            Value::Bool(value) => SortKey::Boolean(*value),
            Value::Number(value) => SortKey::Number(value.clone()),
            Value::String(text) if text.is_empty() => SortKey::Missing,
            Value::String(text) if self.path.kind == AttributeType::DateTime => {
                Instant::parse(text).map_or_else(|| SortKey::Text(text.clone()), SortKey::DateTime)
            }
            Value::String(text) if self.path.case_exact => SortKey::Text(text.clone()),
            Value::String(text) => SortKey::Text(fold(text).into_owned()),
            Value::Null | Value::Array(_) | Value::Object(_) => SortKey::Missing,
        }
    }
}

impl SortKey {
    /// The key, cut to the text that a cursor can hold. Lists with cursors are sorted by these keys, so that a page
    /// begins exactly where the previous one ended. Texts that only differ after the first 256 bytes are ordered by id.
    #[must_use]
    pub fn shortened(self) -> Self {
        match self {
            Self::Text(mut text) if text.len() > MAX_TEXT => {
                text.truncate(text.floor_char_boundary(MAX_TEXT));
                Self::Text(text)
            }
            other => other,
        }
    }

    /// The key in the form in which a cursor contains it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.rank()];
        match self {
            Self::Boolean(value) => bytes.push(u8::from(*value)),
            Self::Number(value) => bytes.extend(value.to_string().into_bytes()),
            Self::DateTime(Instant(nanos)) => bytes.extend(nanos.to_be_bytes()),
            Self::Text(text) => bytes.extend(text.as_bytes()),
            Self::Missing => {}
        }
        bytes
    }

    /// The key from the bytes of [`SortKey::to_bytes`]; `None` if they are something else.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (rank, rest) = bytes.split_first()?;
        match rank {
            0 => Some(Self::Boolean(*rest.first()? != 0)),
            1 => serde_json::from_slice(rest).ok().map(Self::Number),
            2 => Some(Self::DateTime(Instant(i128::from_be_bytes(rest.try_into().ok()?)))),
            3 => String::from_utf8(rest.to_vec()).ok().map(Self::Text),
            4 => Some(Self::Missing),
            _ => None,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::DateTime(_) => 2,
            Self::Text(_) => 3,
            Self::Missing => 4,
        }
    }
}

fn preferred(value: &Value) -> Option<&Value> {
    let Value::Array(values) = value else { return Some(value) };
    let is_primary = |value: &&Value| value.get("primary") == Some(&Value::Bool(true));
    values.iter().find(is_primary).or_else(|| values.first())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::error::ScimType;
    use crate::protocol::schema::SchemaTable;

    fn sort(by: &str, order: Option<&str>) -> Result<Sort, ScimError> {
        Sort::parse(&SchemaTable::builtin().resource("User").unwrap(), by, order)
    }

    /// The users' names in sorted order.
    fn sorted(by: &str, order: Option<&str>, users: Value) -> Vec<String> {
        let sort = sort(by, order).unwrap();
        let mut keyed: Vec<(SortKey, String)> = users
            .as_array()
            .unwrap()
            .iter()
            .map(|user| (sort.key(user.as_object().unwrap()), user["userName"].as_str().unwrap().to_owned()))
            .collect();
        keyed.sort_by(|left, right| sort.compare(&left.0, &right.0));
        keyed.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn r74_case_counts_where_the_schema_says_so() {
        let users = json!([{"userName": "b", "externalId": "b"}, {"userName": "C", "externalId": "C"}, {"userName": "a", "externalId": "a"}]);
        assert_eq!(sorted("USERNAME", None, users.clone()), ["a", "b", "C"]);
        assert_eq!(sorted("userName", Some("Descending"), users.clone()), ["C", "b", "a"]);
        assert_eq!(sorted("externalId", Some("ascending"), users), ["C", "a", "b"]);
    }

    #[test]
    fn r75_the_primary_value_counts_else_the_first() {
        let users = json!([
            {"userName": "1", "emails": [{"value": "a@x"}, {"value": "z@x", "primary": true}]},
            {"userName": "2", "emails": [{"value": "m@x"}, {"value": "a@x"}]}
        ]);
        assert_eq!(sorted("emails", None, users.clone()), ["2", "1"]);
        assert_eq!(sorted("emails.value", Some("descending"), users), ["1", "2"]);
    }

    #[test]
    fn r75_what_has_no_value_comes_last_and_descending_first() {
        let users = json!([{"userName": "none"}, {"userName": "2", "title": "b"}, {"userName": "1", "title": "a"}]);
        assert_eq!(sorted("title", None, users.clone()), ["1", "2", "none"]);
        assert_eq!(sorted("title", Some("descending"), users), ["none", "2", "1"]);
    }

    #[test]
    fn r75_dates_booleans_and_extensions() {
        let users = json!([
            {"userName": "late", "active": true, "meta": {"created": "2011-05-13T04:00:00-05:00"}, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "1"}}},
            {"userName": "early", "active": false, "meta": {"created": "2011-05-13T04:42:34Z"}, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "2"}}}
        ]);
        assert_eq!(sorted("meta.created", None, users.clone()), ["early", "late"]);
        assert_eq!(sorted("active", None, users.clone()), ["early", "late"]);
        assert_eq!(sorted("manager", None, users), ["late", "early"]);
    }

    #[test]
    fn r76_what_can_not_be_sorted_by_is_refused() {
        for by in
            ["nosuch", "", "name", "meta", "password", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"]
        {
            assert_eq!(sort(by, None).unwrap_err().scim_type, Some(ScimType::InvalidPath), "{by}");
        }
        assert_eq!(sort("title", Some("upwards")).unwrap_err().scim_type, Some(ScimType::InvalidValue));
    }
}
