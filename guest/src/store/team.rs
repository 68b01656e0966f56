//! Teams: their documents, and the indexes and counters that every change of one keeps true.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;

use super::keys::{self, Kind};
use super::member::{Record, Stored, touch_of};
use super::{Batch, Origin, Store, StoreError, decode, encode};
use crate::capability::Key;
use crate::protocol::document::Document;

/// A team. Stored as JSON under `team/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TeamRecord {
    /// Who manages the team.
    pub origin: Origin,
    /// In milliseconds since the Unix epoch.
    pub created: u64,
    /// In milliseconds since the Unix epoch.
    pub modified: u64,
    /// The SCIM Group without what is computed or kept as edges: `meta` and `members`.
    pub document: Document,
}

/// A member or a team as it is stored: the document is not read.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// In milliseconds since the Unix epoch.
    pub created: u64,
    /// In milliseconds since the Unix epoch.
    pub modified: u64,
    /// The SCIM resource as text, canonical and without white space around it.
    pub document: Box<RawValue>,
}

impl Row {
    /// The name that people see, as [`super::MemberRecord::display_name`] and [`TeamRecord::display_name`] have it.
    #[must_use]
    pub fn display_name(&self) -> String {
        let named: Named<'_> = serde_json::from_str(self.document.get()).unwrap_or_default();
        let name = named.name.unwrap_or_default();
        let given = match (name.given_name, name.family_name) {
            (Some(given), Some(family)) => Some(Cow::Owned(format!("{given} {family}"))),
            (given, family) => given.or(family),
        };
        named.display_name.or(name.formatted).or(given).or(named.user_name).unwrap_or_default().into_owned()
    }
}

/// The names in a document; the rest of it is passed over.
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

    /// The teams with these ids, in their order.
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

    pub(super) fn resources<T: DeserializeOwned>(
        &self,
        kind: Kind,
        ids: &[String],
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
                    let read = decode(&kind.document(id), &item)?;
                    Some(Stored { record: read.record, version: read.version, touch: touch_of(touch) })
                }
                None => None,
            };
            resources.push(stored);
        }
        Ok(resources)
    }

    /// Adds to `batch` that the team comes, changes, or goes: the document, its indexes and counters. The caller sees to the
    /// edges, and to what the change means.
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

        let delta = |holds: fn(&TeamRecord) -> bool| {
            i64::from(new.is_some_and(holds)) - i64::from(old.is_some_and(|old| holds(&old.record)))
        };
        batch.add(Kind::Team.count(), delta(|_| true), None, None);
        batch.add(Kind::Team.count_listed(), delta(|team| team.origin == Origin::Scim), None, None);
        Ok(())
    }

    /// Members or teams with these ids as they are stored, in the order of the ids.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn rows(&self, kind: Kind, ids: &[String]) -> Result<Vec<Option<Stored<Row>>>, StoreError> {
        self.resources(kind, ids)
    }

    /// How many members the team has.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn team_size(&self, team: &str) -> Result<u64, StoreError> {
        self.counter(keys::team_size(team))
    }
}
