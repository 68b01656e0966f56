//! Teams: their documents, and the indexes and counters that are updated with every change.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::keys::{self, Kind};
use super::member::{Record, Stored, touch_of};
use super::{Batch, Origin, Store, StoreError, decode, delta, encode};
use crate::capability::{Item, Key};
use crate::protocol::document::Document;

/// A team. Stored as JSON under `team/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamRecord {
    /// Whether people or SCIM manage the team.
    pub origin: Origin,
    /// In milliseconds since the Unix epoch.
    pub created: u64,
    /// In milliseconds since the Unix epoch.
    pub modified: u64,
    /// The SCIM Group without `meta`, which is computed, and `members`, which are stored as edges.
    pub document: Document,
}

/// A member or a team in its stored form, with the document unparsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// In milliseconds since the Unix epoch.
    pub created: u64,
    /// In milliseconds since the Unix epoch.
    pub modified: u64,
    /// The SCIM resource as canonical JSON text, without white space around it.
    pub document: Vec<u8>,
}

/// The fields of a row, whatever the order in which they are stored.
#[derive(Deserialize)]
struct AnyRow {
    created: u64,
    modified: u64,
    document: Box<RawValue>,
}

impl Row {
    /// The row of a stored [`super::MemberRecord`] or [`TeamRecord`].
    fn read(key: &[u8], item: Item) -> Result<Self, StoreError> {
        let Some((created, modified, at)) = Self::head(&item.value) else {
            let AnyRow { created, modified, document } = decode::<AnyRow>(key, &item)?.record;
            return Ok(Self { created, modified, document: document.get().as_bytes().to_vec() });
        };
        let mut document = item.value;
        document.pop();
        document.drain(..at);
        Ok(Self { created, modified, document })
    }

    /// Both times and the start of the document, if `stored` has the form that this version writes. The document comes
    /// last, so it need not be parsed to find its end. Only the document contains text that a client has sent.
    fn head(stored: &[u8]) -> Option<(u64, u64, usize)> {
        const CREATED: &[u8] = b",\"created\":";
        const MODIFIED: &[u8] = b",\"modified\":";
        const DOCUMENT: &[u8] = b",\"document\":{";
        let is_start = |window: &[u8]| window == CREATED;
        let created_at = stored.get(..HEAD)?.windows(CREATED.len()).position(is_start)?;
        let before = stored.get(..created_at)?.strip_prefix(b"{\"origin\":\"")?;
        if !before.iter().all(|byte| byte.is_ascii_lowercase() || b"-\":,".contains(byte)) {
            return None;
        }
        let (created, rest) = number(stored.get(created_at + CREATED.len()..)?)?;
        let (modified, rest) = number(rest.strip_prefix(MODIFIED)?)?;
        let document = rest.strip_prefix(DOCUMENT)?;
        (document.ends_with(b"}}")).then_some((created, modified, stored.len() - document.len() - 1))
    }

    /// The name that people see: see [`super::MemberRecord::display_name`] and [`TeamRecord::display_name`].
    #[must_use]
    pub fn display_name(&self) -> String {
        let named: Named<'_> = serde_json::from_slice(&self.document).unwrap_or_default();
        let name = named.name.unwrap_or_default();
        let given = match (name.given_name, name.family_name) {
            (Some(given), Some(family)) => Some(Cow::Owned(format!("{given} {family}"))),
            (given, family) => given.or(family),
        };
        named.display_name.or(name.formatted).or(given).or(named.user_name).unwrap_or_default().into_owned()
    }
}

/// The most bytes before the times: an origin and a role.
const HEAD: usize = 64;

/// Splits a text into the number with which it begins, and the rest.
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(end)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The names in a document; its other attributes are skipped.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named<'d> {
    #[serde(borrow)]
    display_name: Option<Cow<'d, str>>,
    #[serde(borrow)]
    user_name: Option<Cow<'d, str>>,
    #[serde(borrow)]
    name: Option<PersonName<'d>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PersonName<'d> {
    #[serde(borrow)]
    formatted: Option<Cow<'d, str>>,
    #[serde(borrow)]
    given_name: Option<Cow<'d, str>>,
    #[serde(borrow)]
    family_name: Option<Cow<'d, str>>,
}

impl TeamRecord {
    /// The SCIM `id`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.document.get("id").and_then(Value::as_str).unwrap_or_default()
    }

    /// The SCIM `displayName`.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.document.get("displayName").and_then(Value::as_str).unwrap_or_default()
    }

    fn external_id_key(&self) -> Option<Key> {
        let external_id = self.document.get("externalId").and_then(Value::as_str)?;
        Some(Kind::Team.external_id(external_id, self.id()))
    }
}

impl Record for TeamRecord {
    fn id(&self) -> &str {
        self.id()
    }

    fn name(&self) -> String {
        self.display_name().to_owned()
    }
}

impl Store<'_> {
    /// The team with this id.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn team(&self, id: &str) -> Result<Option<Stored<TeamRecord>>, StoreError> {
        Ok(self.resources(Kind::Team, &[id.to_owned()])?.pop().flatten())
    }

    /// The teams with these ids, in the order of the ids given.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn teams(&self, ids: &[String]) -> Result<Vec<Option<Stored<TeamRecord>>>, StoreError> {
        self.resources(Kind::Team, ids)
    }

    /// The id of the team with this name.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn id_by_team_name(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.id_at(Kind::Team.name(name))
    }

    /// Members or teams with these ids, in the order of the ids.
    pub(crate) fn resources<T: DeserializeOwned>(
        &self,
        kind: Kind,
        ids: &[String],
    ) -> Result<Vec<Option<Stored<T>>>, StoreError> {
        self.each_stored(kind, ids, |key, item| Ok(decode(key, &item)?.record))
    }

    /// Reads the stored document of each id, and converts it by `read`.
    fn each_stored<T>(
        &self,
        kind: Kind,
        ids: &[String],
        read: impl Fn(&[u8], Item) -> Result<T, StoreError>,
    ) -> Result<Vec<Option<Stored<T>>>, StoreError> {
        let keys: Vec<Key> =
            ids.iter().filter(|id| keys::is_id(id)).flat_map(|id| [kind.document(id), kind.touch(id)]).collect();
        let mut items = if keys.is_empty() { Vec::new() } else { self.items(&keys)? }.into_iter();
        let mut resources = Vec::with_capacity(ids.len());
        for id in ids {
            if !keys::is_id(id) {
                resources.push(None);
                continue;
            }
            let (document, touch) = (items.next().flatten(), items.next().flatten());
            let stored = match document {
                Some(item) => {
                    let version = item.version;
                    Some(Stored { record: read(&kind.document(id), item)?, version, touch: touch_of(touch) })
                }
                None => None,
            };
            resources.push(stored);
        }
        Ok(resources)
    }

    /// Adds to `batch` that the team is created, changed or deleted: the document, its indexes and counters. The caller
    /// adds the memberships and the consequences of the change.
    ///
    /// # Errors
    /// If the document can't be encoded.
    pub fn change_team(
        &self,
        batch: &mut Batch,
        old: Option<&Stored<TeamRecord>>,
        new: Option<&TeamRecord>,
    ) -> Result<(), StoreError> {
        let Some(id) = new.or(old.map(|old| &old.record)).map(TeamRecord::id) else { return Ok(()) };
        batch.require_unchanged(Kind::Team.document(id), old.map(|old| old.version));
        match new {
            Some(new) => batch.put(Kind::Team.document(id), encode(new)?),
            None => batch.delete(Kind::Team.document(id)),
        }

        let name = |record: &TeamRecord| Kind::Team.name(record.display_name());
        let (old_name, new_name) = (old.map(|old| name(&old.record)), new.map(name));
        if old_name != new_name {
            if let Some(key) = old_name {
                batch.delete(key);
            }
            if let Some(key) = new_name {
                batch.require_absent(key.clone());
                batch.put(key, id.as_bytes().to_vec());
            }
        }
        let listed = |record: &TeamRecord| (record.origin == Origin::Scim).then(|| Kind::Team.listed(record.id()));
        let marks = [
            (old.and_then(|old| old.record.external_id_key()), new.and_then(TeamRecord::external_id_key)),
            (old.and_then(|old| listed(&old.record)), new.and_then(listed)),
        ];
        for (before, after) in marks {
            if before != after {
                if let Some(key) = before {
                    batch.delete(key);
                }
                if let Some(key) = after {
                    batch.put(key, Vec::new());
                }
            }
        }

        let old = old.map(|old| &old.record);
        batch.add(Kind::Team.count(), delta(old, new, |_| true), None, None);
        batch.add(Kind::Team.count_listed(), delta(old, new, |team| team.origin == Origin::Scim), None, None);
        Ok(())
    }

    /// The stored form of the members or teams with these ids, in the order of the ids.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn rows(&self, kind: Kind, ids: &[String]) -> Result<Vec<Option<Stored<Row>>>, StoreError> {
        self.each_stored(kind, ids, Row::read)
    }

    /// How many members the team has.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn team_size(&self, team: &str) -> Result<u64, StoreError> {
        self.counter(keys::team_size(team))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn row(stored: &str) -> Result<Row, StoreError> {
        Row::read(b"user/1", Item { value: stored.into(), version: 1 })
    }

    #[test]
    fn a_row_is_what_is_stored_whatever_form_it_has() {
        let document =
            json!({"id": "1", "displayName": "a,\"created\":7,\"document\":{}}", "emails": [{"value": "a@b.example"}]});
        let member = json!({"origin": "scim", "role": "co-owner", "created": 5, "modified": 9, "document": document});
        let team = json!({"origin": "manual", "created": 5, "modified": 9, "document": document});
        let later =
            json!({"document": document, "modified": 9, "new": ",\"created\":8", "created": 5, "origin": "scim"});
        let spaced = serde_json::to_string_pretty(&member).unwrap();
        for stored in [member.to_string(), team.to_string(), later.to_string(), spaced] {
            let row = row(&stored).unwrap();
            assert_eq!((row.created, row.modified), (5, 9), "{stored}");
            assert_eq!(serde_json::from_slice::<Value>(&row.document).unwrap(), document, "{stored}");
            assert_eq!(row.display_name(), document["displayName"].as_str().unwrap());
        }
        assert!(Row::head(member.to_string().as_bytes()).is_some());
        assert!(Row::head(team.to_string().as_bytes()).is_some());
    }

    #[test]
    fn a_row_that_is_none_is_told() {
        for stored in ["", "{}", "{\"origin\":\"scim\",\"created\":5,\"modified\":9,\"document\":{", "x"] {
            assert!(matches!(row(stored), Err(StoreError::Broken(_))), "{stored}");
        }
    }
}
