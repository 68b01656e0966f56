//! Searches members and teams by parts of names and addresses, by state and by origin. Pages can be read forwards and
//! backwards.
//!
//! A list is a range of keys that end with ids. Ids are in the order of creation, except imported ones. A call reads
//! the range from its cursor on until a page is full, but examines no more than [`LOOKED_AT`] entries: then the page is
//! short, and its cursor continues from there.

use insomnia_scim_contract::{Census, Found, FoundMembers, FoundTeams, Member, MemberQuery, Team, TeamQuery};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::DirectoryError;
use super::members::member;
use super::named::{find as find_member, find_team};
use super::teams::team;
use crate::capability::{Entry, Key, KeyRange, Page, key_after};
use crate::store::keys::{self, Kind};
use crate::store::{MemberRecord, Store, StoreError, Stored, TeamRecord, decode_entry};

/// How many members or teams one call examines.
const LOOKED_AT: usize = 10_000;
/// How many of them are in memory at a time.
const CHUNK: u32 = 256;

/// Members of either origin.
///
/// # Errors
/// [`DirectoryError::Invalid`] if the cursor is not valid; [`DirectoryError::NotFound`] if there is no such team.
pub fn find_members(store: &Store, query: &MemberQuery) -> Result<FoundMembers, DirectoryError> {
    let range = match &query.team {
        Some(team) => keys::team_members(find_team(store, team)?.record.id()),
        None => Kind::User.documents(),
    };
    let names = Names::new(query.text.as_deref(), query.prefix.as_deref());
    let wants = |record: &MemberRecord| {
        query.origin.is_none_or(|origin| record.origin == origin)
            && query.active.is_none_or(|active| record.is_active() == active)
            && names.fit(&searched(record))
    };
    let is_filtered = query.origin.is_some() || query.active.is_some() || !names.is_empty();
    let walk = Walk { kind: Kind::User, range, in_documents: query.team.is_none(), is_filtered };
    let found = walk.page(store, query.cursor.as_deref(), query.limit, wants)?;
    Ok(with_items(found, |stored: Vec<Stored<MemberRecord>>| stored.iter().map(member).collect::<Vec<Member>>()))
}

/// Teams of either origin.
///
/// # Errors
/// [`DirectoryError::Invalid`] if the cursor is not valid; [`DirectoryError::NotFound`] if there is no such member.
pub fn find_teams(store: &Store, query: &TeamQuery) -> Result<FoundTeams, DirectoryError> {
    let range = match &query.member {
        Some(member) => keys::member_teams(find_member(store, member)?.record.id()),
        None => Kind::Team.documents(),
    };
    let names = Names::new(query.text.as_deref(), query.prefix.as_deref());
    let wants = |record: &TeamRecord| {
        query.origin.is_none_or(|origin| record.origin == origin) && names.fit(&[record.display_name()])
    };
    let is_filtered = query.origin.is_some() || !names.is_empty();
    let walk = Walk { kind: Kind::Team, range, in_documents: query.member.is_none(), is_filtered };
    let found = walk.page(store, query.cursor.as_deref(), query.limit, wants)?;
    let ids = found.items.iter().map(|stored| keys::team_size(stored.record.id()));
    store.prefetch(ids.collect())?;
    let sizes = found.items.iter().map(|stored: &Stored<TeamRecord>| store.team_size(stored.record.id()));
    let sizes = sizes.collect::<Result<Vec<u64>, StoreError>>()?;
    Ok(with_items(found, |stored| {
        stored.iter().zip(sizes).map(|(stored, size)| team(stored, size)).collect::<Vec<Team>>()
    }))
}

/// How many members and teams there are.
///
/// # Errors
/// If the store can't answer.
pub fn census(store: &Store) -> Result<Census, DirectoryError> {
    let counters = [
        Kind::User.count(),
        Kind::User.count_listed(),
        keys::SEATS.to_vec(),
        keys::SEATS_SCIM.to_vec(),
        Kind::Team.count(),
        Kind::Team.count_listed(),
    ];
    store.prefetch(counters.to_vec())?;
    let counted = counters.into_iter().map(|key| store.counter(key)).collect::<Result<Vec<u64>, StoreError>>()?;
    let [members, scim, active, active_scim, teams, teams_scim] = counted.as_slice() else {
        return Err(StoreError::Broken("six counters".into()).into());
    };
    let (active_manual, deactivated_scim) = (active.saturating_sub(*active_scim), scim.saturating_sub(*active_scim));
    Ok(Census {
        active_manual,
        active_scim: *active_scim,
        deactivated_manual: members.saturating_sub(*scim).saturating_sub(active_manual),
        deactivated_scim,
        teams_manual: teams.saturating_sub(*teams_scim),
        teams_scim: *teams_scim,
    })
}

/// The texts of a member that a search looks into: the name, the userName, and all email addresses.
fn searched(record: &MemberRecord) -> Vec<String> {
    let emails = record.document.get("emails").and_then(Value::as_array).into_iter().flatten();
    let addresses = emails.filter_map(|email| email.get("value")?.as_str()).map(str::to_owned);
    [record.display_name(), record.user_name().to_owned()].into_iter().chain(addresses).collect()
}

/// The texts of a query with which names are compared, folded as filters fold them.
struct Names {
    text: Option<String>,
    prefix: Option<String>,
}

impl Names {
    fn new(text: Option<&str>, prefix: Option<&str>) -> Self {
        let folded = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(keys::fold);
        Self { text: folded(text), prefix: folded(prefix) }
    }

    fn is_empty(&self) -> bool {
        self.text.is_none() && self.prefix.is_none()
    }

    fn fit(&self, names: &[impl AsRef<str>]) -> bool {
        if self.is_empty() {
            return true;
        }
        let names: Vec<String> = names.iter().map(|name| keys::fold(name.as_ref())).collect();
        let holds = |text: &String| names.iter().any(|name| name.contains(text.as_str()));
        let begins = |prefix: &String| names.iter().any(|name| name.starts_with(prefix.as_str()));
        self.text.as_ref().is_none_or(holds) && self.prefix.as_ref().is_none_or(begins)
    }
}

/// The beginning of a page, and its direction. As text it is a letter and an id; an id alone means [`Cursor::After`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cursor {
    /// Forwards, beginning after this id.
    After(String),
    /// Forwards, beginning with this id.
    At(String),
    /// Backwards, beginning before this id.
    Before(String),
    /// Backwards, beginning with this id.
    Through(String),
}

impl Cursor {
    fn read(text: &str) -> Result<Self, DirectoryError> {
        let none = || DirectoryError::Invalid(format!("'{}' is not the end of a page", crate::text::cut(text, 100)));
        if keys::is_id(text) {
            return Ok(Self::After(text.to_owned()));
        }
        let (letter, id) = text.split_at_checked(1).filter(|(_, id)| keys::is_id(id)).ok_or_else(none)?;
        let id = id.to_owned();
        match letter {
            "a" => Ok(Self::After(id)),
            "f" => Ok(Self::At(id)),
            "b" => Ok(Self::Before(id)),
            "t" => Ok(Self::Through(id)),
            _ => Err(none()),
        }
    }

    fn is_backwards(&self) -> bool {
        matches!(self, Self::Before(_) | Self::Through(_))
    }

    /// The cursor of the page that ends where this page begins.
    fn opposite(&self) -> Self {
        match self.clone() {
            Self::After(id) => Self::Through(id),
            Self::At(id) => Self::Before(id),
            Self::Before(id) => Self::At(id),
            Self::Through(id) => Self::After(id),
        }
    }

    /// The part of the range that a page with this cursor can read.
    fn part(&self, range: &KeyRange) -> KeyRange {
        let key = |id: &str| [range.start.as_slice(), id.as_bytes()].concat();
        let past = |id: &str| key_after(key(id));
        let (start, end) = match self {
            Self::After(id) => (past(id), range.end.clone()),
            Self::At(id) => (key(id), range.end.clone()),
            Self::Before(id) => (range.start.clone(), key(id)),
            Self::Through(id) => (range.start.clone(), past(id)),
        };
        KeyRange { start, end }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::After(id) => write!(out, "a{id}"),
            Self::At(id) => write!(out, "f{id}"),
            Self::Before(id) => write!(out, "b{id}"),
            Self::Through(id) => write!(out, "t{id}"),
        }
    }
}

/// A list that is read page by page.
struct Walk {
    kind: Kind,
    /// The whole list: all keys that consist of a prefix and an id.
    range: KeyRange,
    /// Whether the values of the range are the documents themselves.
    in_documents: bool,
    /// Whether the query leaves out some of the list.
    is_filtered: bool,
}

impl Walk {
    /// The page at the cursor.
    fn page<T: DeserializeOwned>(
        &self,
        store: &Store,
        cursor: Option<&str>,
        limit: u32,
        wants: impl Fn(&T) -> bool,
    ) -> Result<Found<Stored<T>>, DirectoryError> {
        let cursor = cursor.map(Cursor::read).transpose()?;
        let backwards = cursor.as_ref().is_some_and(Cursor::is_backwards);
        let limit = limit.clamp(1, 500);
        // Reading one more than the page holds tells whether there are more.
        let (mut ids, ahead) = self.ids(store, cursor.as_ref(), backwards, limit as usize, wants)?;
        let behind = match cursor.map(|cursor| cursor.opposite()) {
            Some(opposite) if self.has_any(store, &opposite)? => Some(opposite.to_string()),
            _ => None,
        };
        let (previous, next) = if backwards { (ahead, behind) } else { (behind, ahead) };
        if backwards {
            ids.reverse();
        }
        let items = store.resources(self.kind, &ids)?.into_iter().flatten().collect();
        Ok(Found { items, previous, next })
    }

    /// The ids that match, in the order of reading, and the cursor at which to continue.
    fn ids<T: DeserializeOwned>(
        &self,
        store: &Store,
        cursor: Option<&Cursor>,
        backwards: bool,
        limit: usize,
        wants: impl Fn(&T) -> bool,
    ) -> Result<(Vec<String>, Option<String>), DirectoryError> {
        let mut range = cursor.map_or_else(|| self.range.clone(), |cursor| cursor.part(&self.range));
        let lead_on =
            |id: &str| if backwards { Cursor::Before(id.into()) } else { Cursor::After(id.into()) }.to_string();
        let chunk = if self.is_filtered { CHUNK } else { u32::try_from(limit + 1).unwrap_or(CHUNK) };
        let (mut ids, mut looked_at) = (Vec::<String>::new(), 0);
        loop {
            let scanned = store.scan_page(Page { range: range.clone(), reverse: backwards, skip: 0, limit: chunk })?;
            let Some(last) = scanned.entries.last().map(|entry| entry.key.clone()) else { return Ok((ids, None)) };
            looked_at += scanned.entries.len();
            for id in self.wanted(store, scanned.entries, &wants)? {
                if ids.len() == limit {
                    let lead = ids.last().map(|last| lead_on(last));
                    return Ok((ids, lead));
                }
                ids.push(id);
            }
            if !scanned.more {
                return Ok((ids, None));
            }
            if looked_at >= LOOKED_AT {
                return Ok((ids, keys::id_of(&last).map(|id| lead_on(&id))));
            }
            if backwards {
                range.end = last;
            } else {
                range.start = key_after(last);
            }
        }
    }

    /// The members or teams among these entries that match.
    fn wanted<T: DeserializeOwned>(
        &self,
        store: &Store,
        entries: Vec<Entry>,
        wants: &impl Fn(&T) -> bool,
    ) -> Result<Vec<String>, StoreError> {
        let id_of = |key: &Key| keys::id_of(key);
        if !self.is_filtered {
            return Ok(entries.iter().filter_map(|entry| id_of(&entry.key)).collect());
        }
        let mut wanted = Vec::new();
        if self.in_documents {
            for entry in entries {
                if wants(&decode_entry::<T>(&entry)?.record) {
                    wanted.extend(id_of(&entry.key));
                }
            }
            return Ok(wanted);
        }
        let ids: Vec<String> = entries.iter().filter_map(|entry| id_of(&entry.key)).collect();
        for (id, stored) in ids.iter().zip(store.resources::<T>(self.kind, &ids)?) {
            if stored.is_some_and(|stored| wants(&stored.record)) {
                wanted.push(id.clone());
            }
        }
        Ok(wanted)
    }

    /// Whether a page with this cursor would have any entry.
    fn has_any(&self, store: &Store, cursor: &Cursor) -> Result<bool, StoreError> {
        let page = Page::first(cursor.part(&self.range), 0);
        Ok(store.scan_page(page)?.more)
    }
}

fn with_items<T, U>(found: Found<T>, change: impl FnOnce(Vec<T>) -> Vec<U>) -> Found<U> {
    Found { items: change(found.items), previous: found.previous, next: found.next }
}
