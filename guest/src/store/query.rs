//! Finds members and teams: chooses the index, and reads what it names in bounded memory.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::keys::{self, Kind};
use super::member::Stored;
use super::{Store, StoreError};
use crate::capability::{Key, KeyRange, Page, key_after};

/// How many documents are in memory at once while a range is streamed.
const CHUNK: u32 = 256;

/// The candidates among which every match of a query is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidates {
    /// These ids, whether SCIM or people manage them.
    Ids(Vec<String>),
    /// The ids at the end of the keys of an index range.
    Index(KeyRange),
    /// The ids that an index has for one value. The range also holds keys of other values, which begin with this value
    /// and a NUL; only keys in which nothing but an id follows the range's beginning are used.
    Under(KeyRange),
    /// The id that a unique index key holds.
    Key(Key),
    /// The union of these candidates, each once, in the order of ids.
    AnyOf(Vec<Self>),
    /// Everything that SCIM manages, in the order of ids.
    Listed,
    /// Everything, in the order of ids, which is the order of creation except for imported ids.
    All,
}

impl Candidates {
    /// Members by `userName`, or teams by `displayName`.
    #[must_use]
    pub fn by_name(kind: Kind, name: &str) -> Self {
        Self::Key(kind.name(name))
    }

    /// Members by any of their email addresses.
    #[must_use]
    pub fn by_email(address: &str) -> Self {
        Self::Under(keys::members_by_any_email(address))
    }

    /// Members or teams by `externalId`.
    #[must_use]
    pub fn by_external_id(kind: Kind, external_id: &str) -> Self {
        Self::Under(kind.external_ids(external_id))
    }

    /// Members by `displayName`.
    #[must_use]
    pub fn by_display_name(name: &str) -> Self {
        Self::Under(keys::displays(name))
    }

    /// Members or teams whose name begins with `prefix`; `None` if the prefix is longer than the index holds.
    #[must_use]
    pub fn by_name_prefix(kind: Kind, prefix: &str) -> Option<Self> {
        (keys::fold(prefix).len() <= keys::INDEXED_PREFIX).then(|| Self::Index(kind.names_from(prefix)))
    }

    /// Members whose `displayName` begins with `prefix`; `None` if the prefix is longer than the index holds.
    #[must_use]
    pub fn by_display_name_prefix(prefix: &str) -> Option<Self> {
        (keys::fold(prefix).len() <= keys::INDEXED_PREFIX).then(|| Self::Index(keys::displays_from(prefix)))
    }

    /// Members by their manager's id.
    #[must_use]
    pub fn by_manager(manager: &str) -> Self {
        Self::Under(keys::managed_by(manager))
    }

    /// Everything after this id, in the order of ids.
    #[must_use]
    pub fn after(kind: Kind, id: &str) -> Self {
        let mut range = kind.documents();
        range.start = key_after(kind.document(id));
        Self::Index(range)
    }

    /// The members of a team.
    #[must_use]
    pub fn of_team(team: &str) -> Self {
        if keys::is_id(team) { Self::Index(keys::team_members(team)) } else { Self::Ids(Vec::new()) }
    }

    /// The teams of a member.
    #[must_use]
    pub fn of_member(member: &str) -> Self {
        if keys::is_id(member) { Self::Index(keys::member_teams(member)) } else { Self::Ids(Vec::new()) }
    }
}

impl Store<'_> {
    /// Calls `each` for every candidate until it returns `false`.
    ///
    /// # Errors
    /// If the storage can't answer, and those of `each`.
    pub fn each_candidate<T: DeserializeOwned, E: From<StoreError>>(
        &self,
        kind: Kind,
        candidates: &Candidates,
        mut each: impl FnMut(Stored<T>) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.each_chunk(kind, candidates, &mut |ids| self.each_of(kind, ids, &mut each))
    }

    /// Calls `each` with chunks of the candidates' ids until it returns `false`.
    fn each_chunk<E: From<StoreError>>(
        &self,
        kind: Kind,
        candidates: &Candidates,
        each: &mut dyn FnMut(&[String]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut range = match candidates {
            Candidates::Ids(ids) => return in_chunks(ids, each),
            Candidates::Key(key) => {
                let id = self.id_at(key.clone())?;
                each(id.as_slice())?;
                return Ok(());
            }
            Candidates::AnyOf(all) => {
                let mut ids = BTreeSet::new();
                for candidates in all {
                    // The parser bounds the depth of a filter, so this may recurse.
                    self.each_chunk(kind, candidates, &mut |found| {
                        ids.extend(found.iter().cloned());
                        Ok::<_, E>(true)
                    })?;
                }
                return in_chunks(&ids.into_iter().collect::<Vec<_>>(), each);
            }
            Candidates::Index(range) | Candidates::Under(range) => range.clone(),
            Candidates::Listed => kind.all_listed(),
            Candidates::All => kind.documents(),
        };
        let unique_names = range.start.starts_with(kind.names_from("").start.as_slice());
        let length = matches!(candidates, Candidates::Under(_)).then(|| range.start.len() + keys::ID);
        loop {
            let scanned = self.scan_page(Page::first(range.clone(), CHUNK))?;
            let Some(last) = scanned.entries.last() else { return Ok(()) };
            range.start = key_after(last.key.clone());
            let id = |entry: &crate::capability::Entry| match unique_names {
                true => String::from_utf8(entry.value.clone()).ok(),
                false if length.is_some_and(|length| length != entry.key.len()) => None,
                false => keys::id_of(&entry.key),
            };
            let ids: Vec<String> = scanned.entries.iter().filter_map(id).collect();
            if !each(&ids)? || !scanned.more {
                return Ok(());
            }
        }
    }

    /// The ids of one page of a list, in the order of ids, after the id `after` or after the first `skip` ids.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn listed_ids(
        &self,
        kind: Kind,
        all: bool,
        after: Option<&str>,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let mut range = if all { kind.documents() } else { kind.all_listed() };
        if let Some(after) = after {
            range.start = key_after(if all { kind.document(after) } else { kind.listed(after) });
        }
        let (mut ids, mut skip) = (Vec::new(), skip);
        while ids.len() < limit as usize {
            let limit = limit - u32::try_from(ids.len()).unwrap_or(limit);
            let scanned = self.scan_page(Page { range: range.clone(), reverse: false, skip, limit })?;
            skip = 0;
            ids.extend(scanned.entries.iter().filter_map(|entry| keys::id_of(&entry.key)));
            match scanned.entries.last() {
                Some(last) if scanned.more => range.start = key_after(last.key.clone()),
                _ => break,
            }
        }
        Ok(ids)
    }

    /// How many resources lists show, or, with `all`, how many there are.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn listed_total(&self, kind: Kind, all: bool) -> Result<u64, StoreError> {
        self.counter(if all { kind.count() } else { kind.count_listed() })
    }

    fn each_of<T: DeserializeOwned, E: From<StoreError>>(
        &self,
        kind: Kind,
        ids: &[String],
        each: &mut impl FnMut(Stored<T>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        for stored in self.resources(kind, ids)?.into_iter().flatten() {
            if !each(stored)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn in_chunks<E>(ids: &[String], each: &mut dyn FnMut(&[String]) -> Result<bool, E>) -> Result<(), E> {
    for chunk in ids.chunks(CHUNK as usize) {
        if !each(chunk)? {
            break;
        }
    }
    Ok(())
}
