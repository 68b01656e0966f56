//! Recognises a person in texts: by the id, by names, and by other values.

use std::borrow::Cow;

use insomnia_scim_contract::occurs_as_word;
use serde_json::Value;

use crate::protocol::document::Document;
use crate::store::{ErasureRecord, keys, own_name};
use crate::text::cut;

/// The shortest text that is searched for inside other texts, in bytes. A shorter one would also be found in texts
/// about others.
pub(super) const SHORTEST: usize = 5;
/// The shortest value that is searched for in filters, in bytes.
const SHORTEST_VALUE: usize = 2;
/// The longest beginning of a text that is searched for, in bytes.
const LONGEST: usize = 256;
/// The most names, and the most values, that are searched for.
const MOST: usize = 500;
/// The attributes that say nothing about the person: labels, and values that the server made.
const LABELS: [&str; 8] = ["schemas", "id", "type", "$ref", "meta", "origin", "role", "primary"];
/// Words that are no person's name: endpoints, attributes, and words that the server writes. In lower case.
const NOBODY: [&str; 92] = [
    "users",
    "user",
    "groups",
    "group",
    "bulk",
    "schemas",
    "schema",
    "serviceproviderconfig",
    "resourcetypes",
    "resourcetype",
    "resources",
    "search",
    ".search",
    "operations",
    "totalresults",
    "itemsperpage",
    "startindex",
    "filter",
    "attributes",
    "excludedattributes",
    "sortby",
    "sortorder",
    "count",
    "username",
    "externalid",
    "displayname",
    "nickname",
    "profileurl",
    "title",
    "usertype",
    "preferredlanguage",
    "locale",
    "timezone",
    "active",
    "password",
    "name",
    "formatted",
    "givenname",
    "familyname",
    "middlename",
    "honorificprefix",
    "honorificsuffix",
    "emails",
    "phonenumbers",
    "photos",
    "addresses",
    "streetaddress",
    "locality",
    "region",
    "postalcode",
    "country",
    "entitlements",
    "roles",
    "x509certificates",
    "members",
    "value",
    "display",
    "primary",
    "employeenumber",
    "costcenter",
    "organization",
    "division",
    "department",
    "manager",
    "location",
    "created",
    "lastmodified",
    "version",
    "owner",
    "co-owner",
    "member",
    "operator",
    "backend",
    "command-line",
    "manual",
    "system",
    "admin",
    "connector",
    "token",
    "oauth-client",
    "setup-link",
    "licences",
    "team",
    "teams",
    "updated",
    "adopted",
    "deleted",
    "deactivated",
    "reactivated",
    "false",
    "other",
    "mobile",
];

/// The person who is being erased.
pub(super) struct Person<'r> {
    /// The member's id, which is not erased.
    pub(super) id: &'r str,
    names: &'r [String],
    external_ids: &'r [String],
    values: &'r [String],
}

impl<'r> Person<'r> {
    pub(super) fn of(record: &'r ErasureRecord) -> Self {
        let ErasureRecord { id, names, external_ids, values, .. } = record;
        Self { id, names, external_ids, values }
    }

    /// Whether a text contains one of the names: a long name as a word of the text, a short one only as the whole text.
    pub(super) fn is_named_in(&self, text: &str) -> bool {
        let folded = keys::fold(text);
        !text.is_empty() && (self.is_called(text) || is_any_in(self.names, &folded))
    }

    /// Whether a text that is a whole value is one of the names, contains one, or contains the id.
    pub(super) fn is_meant_in(&self, text: &str) -> bool {
        text.contains(self.id) || self.is_named_in(text) || is_one(self.external_ids, text)
    }

    /// Whether a text that is no whole value, such as JSON that was cut off, contains a name or the id.
    pub(super) fn is_meant_in_part(&self, text: &str) -> bool {
        let folded = keys::fold(text);
        let is_short = |name: &&String| name.len() < SHORTEST;
        let quoted = self.names.iter().filter(is_short).chain(self.external_ids);
        text.contains(self.id) || is_any_in(self.names, &folded) || is_any_quoted_in(quoted, &folded)
    }

    /// Whether the text contains a name, or compares something with one of the person's values, as filters do.
    pub(super) fn is_sought_in(&self, text: &str) -> bool {
        let folded = keys::fold(text);
        let all = self.names.iter().chain(self.external_ids).chain(self.values);
        is_any_in(self.names, &folded) || is_any_quoted_in(all, &folded)
    }

    /// Whether the text ends with the beginning of a name, because a longer text was cut there.
    pub(super) fn is_cut_off_in(&self, text: &str) -> bool {
        let folded = keys::fold(text);
        self.names.iter().any(|name| {
            let mut beginnings = (SHORTEST..name.len()).filter_map(|length| name.get(..length));
            let begins_word = |before: &str| !before.ends_with(|letter: char| letter.is_alphanumeric());
            beginnings.any(|beginning| folded.strip_suffix(beginning).is_some_and(begins_word))
        })
    }

    /// Whether the whole text is one of the names.
    pub(super) fn is_called(&self, text: &str) -> bool {
        is_one(self.names, text)
    }

    /// Whether a segment of a path is or contains a name.
    pub(super) fn is_in_segment(&self, segment: &str) -> bool {
        self.is_named_in(segment) || is_one(self.external_ids, segment)
    }
}

/// Whether the word is no person's name, but an ordinary word in the data of everybody.
pub(super) fn names_nobody(word: &str) -> bool {
    let folded = keys::fold(word.trim());
    NOBODY.contains(&folded.as_str()) || folded.starts_with("urn:")
}

/// Whether a name is long enough to be searched for inside texts.
pub(super) fn is_long_enough(name: &str) -> bool {
    keys::fold(name.trim()).len() >= SHORTEST
}

/// Adds a name of the person. An ordinary word, which occurs in the data of everybody, is not added.
pub(super) fn add_name(record: &mut ErasureRecord, name: &str) {
    let folded = keys::fold(name.trim());
    let to = if names_nobody(&folded) { &mut record.values } else { &mut record.names };
    add(to, &folded, SHORTEST_VALUE);
}

/// Adds the names and values in a SCIM User, or in a part of one.
pub(super) fn add_document(record: &mut ErasureRecord, document: &Document) {
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let formatted = document.get("name").and_then(|name| name.get("formatted")?.as_str());
    let own = own_name(document);
    for name in [text("userName"), text("displayName"), own.as_deref(), formatted].into_iter().flatten() {
        add_name(record, name);
    }
    for element in document.get("emails").and_then(Value::as_array).into_iter().flatten() {
        if let Some(address) = element.get("value").and_then(Value::as_str) {
            add_name(record, address);
        }
    }
    if let Some(external_id) = text("externalId").filter(|external_id| !names_nobody(external_id)) {
        add(&mut record.external_ids, &keys::fold(external_id.trim()), SHORTEST_VALUE);
    }
    for (name, value) in document {
        add_values(record, name, value);
    }
}

/// The parser that has read the JSON bounds its nesting, so this may recurse.
fn add_values(record: &mut ErasureRecord, name: &str, value: &Value) {
    if LABELS.contains(&name) {
        return;
    }
    match value {
        Value::String(text) => add(&mut record.values, &keys::fold(text), SHORTEST_VALUE),
        Value::Array(values) => values.iter().for_each(|value| add_values(record, name, value)),
        Value::Object(object) => object.iter().for_each(|(name, value)| add_values(record, name, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn add(to: &mut Vec<String>, folded: &str, shortest: usize) {
    let text = cut(folded, LONGEST);
    if text.len() >= shortest && to.len() < MOST && !to.iter().any(|known| known == text) {
        to.push(text.to_owned());
    }
}

/// Whether one of the long names occurs in the text as a word, and not as a part of another name or address.
fn is_any_in(names: &[String], folded: &str) -> bool {
    let is_cut = |name: &str| name.len() > LONGEST - 4;
    let long = names.iter().filter(|name| name.len() >= SHORTEST);
    long.into_iter().any(|name| occurs_as_word(folded, name) || (is_cut(name) && folded.contains(name.as_str())))
}

/// Whether one of these texts occurs in quotation marks, as in a filter or in JSON.
fn is_any_quoted_in<'t>(mut texts: impl Iterator<Item = &'t String>, folded: &str) -> bool {
    texts.any(|text| folded.contains(&format!("\"{text}\"")))
}

/// Whether the whole text is one of these.
fn is_one(texts: &[String], text: &str) -> bool {
    let folded = keys::fold(text.trim());
    texts.iter().any(|one| *one == cut(&folded, LONGEST))
}

/// JSON text in which the escapes of strings are decoded, so that names can be found in it. The text may be cut off and
/// therefore be no JSON.
pub(super) fn unescaped(json: &str) -> Cow<'_, str> {
    if !json.contains('\\') {
        return Cow::Borrowed(json);
    }
    let (mut text, mut rest) = (String::with_capacity(json.len()), json);
    while let Some(at) = rest.find('\\') {
        text.push_str(rest.get(..at).unwrap_or_default());
        let escape = rest.get(at + 1..).unwrap_or_default();
        let (letter, length) = read_escape(escape);
        text.push(letter);
        rest = escape.get(length..).unwrap_or_default();
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The character that an escape (without its backslash) stands for, and how many bytes the escape takes.
fn read_escape(escape: &str) -> (char, usize) {
    let unit = |at: usize| u32::from_str_radix(escape.get(at..at + 4)?, 16).ok();
    match escape.chars().next() {
        Some('u') => match (unit(1), escape.get(5..7).filter(|next| *next == "\\u").and_then(|_| unit(7))) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                let letter = char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
                (letter.unwrap_or(char::REPLACEMENT_CHARACTER), 11)
            }
            (Some(unit), _) => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
            (None, _) => (char::REPLACEMENT_CHARACTER, 1),
        },
        Some('n') => ('\n', 1),
        Some('t') => ('\t', 1),
        Some('r') => ('\r', 1),
        Some('b') => ('\u{8}', 1),
        Some('f') => ('\u{c}', 1),
        Some(letter) => (letter, letter.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn person(names: &[&str], values: &[&str]) -> ErasureRecord {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        ErasureRecord { id: "the-id".into(), names: texts(names), values: texts(values), ..ErasureRecord::default() }
    }

    #[test]
    fn p9_a_name_is_found_as_a_word_and_not_inside_the_name_of_another() {
        let record = person(&["ann@acme.example", "ann lee", "zoë müller"], &["engineer"]);
        let person = Person::of(&record);
        for text in ["to ANN@acme.example.", "<ann@acme.example>", "Ann Lee", "(Ann Lee, Bob)", "ZOË MÜLLER"] {
            assert!(person.is_named_in(text), "{text}");
        }
        for text in ["joann@acme.example", "mary-ann@acme.example", "ann@acme.example.org", "Ann Leeson", "", "the-id"]
        {
            assert!(!person.is_named_in(text), "{text}");
        }
        assert!(person.is_meant_in("/Users/the-id"));
        assert!(person.is_sought_in("title eq \"Engineer\"") && !person.is_sought_in("Engineer"));
        assert!(person.is_cut_off_in("… Ann@ac") && !person.is_cut_off_in("… Ann@"));
        assert!(person.is_called("Ann Lee") && !person.is_called("Ann Lee and Bob"));
    }

    #[test]
    fn p9_what_a_user_is_called_names_the_person_and_what_many_have_does_not() {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "0190a6f0-0000-7000-8000-000000000001",
            "userName": "ann@acme.example", "externalId": "4711", "title": "Engineer", "active": true,
            "name": {"givenName": "Ann", "familyName": "Lee"},
            "emails": [{"value": "ann@home.example", "type": "home"}],
            "phoneNumbers": [{"value": "+43 1 234567", "type": "work"}],
        });
        let mut record = ErasureRecord::default();
        add_document(&mut record, user.as_object().unwrap());
        assert_eq!(record.names, ["ann@acme.example", "ann lee", "ann@home.example"]);
        assert_eq!(record.external_ids, ["4711"]);
        for value in ["4711", "engineer", "ann", "lee", "+43 1 234567"] {
            assert!(record.values.iter().any(|known| known == value), "{value}: {:?}", record.values);
        }
        assert!(!record.values.iter().any(|known| known == "home" || known.starts_with("urn:")));
    }

    #[test]
    fn p9_a_short_name_is_found_where_it_is_the_whole_and_a_word_of_everybody_is_no_name() {
        let record = person(&["bob"], &["+43 1 99"]);
        let person = Person::of(&record);
        assert!(person.is_named_in("Bob") && person.is_called(" bob ") && person.is_in_segment("BOB"));
        assert!(!person.is_named_in("Bob Lee") && !person.is_meant_in("{\"title\":\"bob lee\"}"));
        assert!(person.is_sought_in("userName eq \"bob\"") && person.is_sought_in("phoneNumbers eq \"+43 1 99\""));
        assert!(person.is_meant_in_part("{\"userName\":\"Bob\",\"displ") && !person.is_meant_in_part("bob"));
        for word in ["userName", "Users", "schemas", "owner", "co-owner", "urn:ietf:params:scim", " EMAILS "] {
            assert!(names_nobody(word), "{word}");
        }
        assert!(!names_nobody("Ann Lee") && !names_nobody("ann@acme.example"));
        let mut record = ErasureRecord::default();
        add_name(&mut record, "Member");
        assert!(record.names.is_empty());
    }

    #[test]
    fn p9_a_name_that_is_escaped_in_json_is_found() {
        for (json, text) in [
            (r#"{"a":"Zo\u00eb"}"#, "{\"a\":\"Zoë\"}"),
            (r"\ud83d\ude00!", "😀!"),
            (r#"a\"b\\c\/d"#, "a\"b\\c/d"),
            (r"cut \u00", "cut \u{fffd}00"),
            (r"cut \", "cut \u{fffd}"),
            ("plain", "plain"),
        ] {
            assert_eq!(unescaped(json), text, "{json}");
        }
    }
}
