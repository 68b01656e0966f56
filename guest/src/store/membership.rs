//! Memberships. Each is stored as an edge with two ends, one under the team and one under the member, so that adding
//! one member to a team of 100,000 writes four small rows.
//!
//! Additions commute, so they never conflict. An addition requires that the team exists and that the member's name card
//! is the one that it has copied. It writes both touch keys without reading them. A request that deletes or renames a
//! team or a member requires that the touch key has not changed since before the edges were scanned. For this reason no
//! edge keeps only one end or an old name.

use super::keys::{self, Kind};
use super::member::{MemberRecord, Stored};
use super::team::TeamRecord;
use super::{Batch, Store, StoreError, encode};
use crate::capability::{Item, Key, Page, Scanned};

/// How many memberships one call to the host looks up.
const CHUNK: usize = 5_000;
/// How many teams of one member are looked up together with those of other members in one call to the host. The teams
/// of a member who has more are looked up in a call of their own.
const TEAMS_OF_EACH: u32 = 12;

/// A membership, seen from its team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The member's id.
    pub member: String,
    /// The member's own name as a JSON string with its quotes; an empty string if there is none.
    pub display: Vec<u8>,
}

impl Edge {
    /// The member's own name as text.
    #[must_use]
    pub fn own_name(&self) -> Option<String> {
        serde_json::from_slice(&self.display).ok().filter(|_| self.has_name())
    }

    /// Whether the member has an own name.
    #[must_use]
    pub fn has_name(&self) -> bool {
        Self::is_name(&self.display)
    }

    /// Whether the value of an edge is a name.
    #[must_use]
    pub fn is_name(display: &[u8]) -> bool {
        display != b"\"\""
    }
}

/// Which members join and leave a team, given the state of the storage when it was read. This is a value: it writes
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// The ids of members who join, and were not in the team before.
    pub added: Vec<String>,
    /// The ids of members who leave, and were in the team before.
    pub removed: Vec<String>,
    /// Ids that no member has; they are left out.
    pub unknown: Vec<String>,
    /// Whether all memberships are replaced. Then the commit fails if another request has changed them meanwhile.
    pub rests_on_all: bool,
    /// The name cards of `added` as they were read: the team's end of a membership copies them.
    cards: Vec<Item>,
}

impl Moves {
    /// Whether any member joins or leaves.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }
}

impl Store<'_> {
    /// Which of these ids would join the team, and which belong to no member. Ids that are in the team already are in
    /// neither list.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn coming(&self, team: &str, members: Vec<String>) -> Result<Moves, StoreError> {
        let mut moves = Moves::default();
        let mut members = members.into_iter();
        loop {
            let chunk: Vec<String> = members.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                return Ok(moves);
            }
            let keys: Vec<Key> = chunk
                .iter()
                .filter(|id| keys::is_id(id))
                .flat_map(|id| [keys::card(id), keys::team_member(team, id)])
                .collect();
            let mut items = self.items(&keys)?.into_iter();
            moves.added.reserve(chunk.len());
            moves.cards.reserve(chunk.len());
            for member in chunk {
                if !keys::is_id(&member) {
                    moves.unknown.push(member);
                    continue;
                }
                match (items.next().flatten(), items.next().flatten()) {
                    (None, _) => moves.unknown.push(member),
                    (Some(_), Some(_)) => {}
                    (Some(card), None) => {
                        moves.added.push(member);
                        moves.cards.push(card);
                    }
                }
            }
        }
    }

    /// The first of these ids that belongs to a team.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn first_team_of(&self, ids: &[String]) -> Result<Option<String>, StoreError> {
        let ids: Vec<&String> = ids.iter().filter(|id| keys::is_id(id)).collect();
        for chunk in ids.chunks(CHUNK) {
            let keys: Vec<Key> = chunk.iter().map(|id| Kind::Team.document(id)).collect();
            let found = chunk.iter().zip(self.items(&keys)?).find(|(_, team)| team.is_some());
            if let Some((id, _)) = found {
                return Ok(Some((*id).clone()));
            }
        }
        Ok(None)
    }

    /// Which of these are members of the team and could therefore leave it.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn leaving(&self, team: &str, mut members: Vec<String>) -> Result<Vec<String>, StoreError> {
        members.retain(|id| keys::is_id(id));
        let mut are_members = Vec::with_capacity(members.len());
        for chunk in members.chunks(CHUNK) {
            let keys: Vec<Key> = chunk.iter().map(|id| keys::team_member(team, id)).collect();
            are_members.extend(self.items(&keys)?.iter().map(Option::is_some));
        }
        let mut are_members = are_members.into_iter();
        members.retain(|_| are_members.next() == Some(true));
        Ok(members)
    }

    /// Adds to `batch` that members join and leave the team with this id. `old` is the team as it was read; `None` for
    /// a new one. The call takes the name cards out of `moves`, so each value can be used only once.
    pub fn move_members(&self, batch: &mut Batch, team: &str, old: Option<&Stored<TeamRecord>>, moves: &mut Moves) {
        if let Some(old) = old.filter(|_| moves.rests_on_all) {
            batch.require_unchanged(Kind::Team.touch(team), old.touch.map(|(version, _)| version));
        }
        for (member, card) in moves.added.iter().zip(std::mem::take(&mut moves.cards)) {
            batch.require_unchanged(keys::card(member), Some(card.version));
            batch.require_absent(keys::team_member(team, member));
            batch.put(keys::team_member(team, member), card.value);
            batch.put(keys::member_team(member, team), Vec::new());
            self.touch(batch, Kind::User, member);
        }
        if !moves.added.is_empty() {
            // A new team only exists once this batch is committed.
            if old.is_some() {
                batch.require_exists(Kind::Team.document(team));
            }
            self.resized(batch, team, i64::try_from(moves.added.len()).unwrap_or(i64::MAX));
        }
        for member in &moves.removed {
            batch.require_exists(keys::team_member(team, member));
            batch.delete(keys::team_member(team, member));
            batch.delete(keys::member_team(member, team));
            self.touch(batch, Kind::User, member);
        }
        if !moves.removed.is_empty() {
            self.resized(batch, team, -i64::try_from(moves.removed.len()).unwrap_or(i64::MAX));
        }
    }

    /// Calls `each` for the team's members, in the order of their ids, until it returns `false`.
    ///
    /// # Errors
    /// If the storage can't answer, and those of `each`.
    pub fn edges(&self, team: &str, mut each: impl FnMut(Edge) -> Result<bool, StoreError>) -> Result<(), StoreError> {
        self.scan_all(keys::team_members(team), |entry| match keys::id_of(&entry.key) {
            Some(member) => each(Edge { member, display: entry.value }),
            None => Ok(true),
        })
    }

    /// Like [`Store::edges`], for all members, but with the id and the name in their stored form.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn edges_as_stored(&self, team: &str, mut each: impl FnMut(&str, &[u8])) -> Result<(), StoreError> {
        self.scan_all(keys::team_members(team), |entry| {
            if let Some(member) = keys::id_in(&entry.key) {
                each(member, &entry.value);
            }
            Ok(true)
        })
    }

    /// The ids of the member's teams, in their order.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn team_ids_of(&self, member: &str) -> Result<Vec<String>, StoreError> {
        let mut teams = Vec::new();
        self.scan_all(keys::member_teams(member), |entry| {
            teams.extend(keys::id_of(&entry.key));
            Ok(true)
        })?;
        Ok(teams)
    }

    /// The ids of the teams of each of these members, in the order of the members: like [`Store::team_ids_of`], in one
    /// call to the host.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn team_ids_of_each(&self, members: &[&str]) -> Result<Vec<Vec<String>>, StoreError> {
        let page = |member: &&str| Page::first(keys::member_teams(member), TEAMS_OF_EACH);
        let pages: Vec<Page> = members.iter().map(page).collect();
        let scanned = if pages.is_empty() { Vec::new() } else { self.storage.scan(&pages)? };
        let teams = |(member, scanned): (&&str, Scanned)| match scanned.more {
            true => self.team_ids_of(member),
            false => Ok(scanned.entries.iter().filter_map(|entry| keys::id_of(&entry.key)).collect()),
        };
        members.iter().zip(scanned).map(teams).collect()
    }

    /// The highest document version among the member's teams; 0 if there are no teams.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn newest_team_of(&self, member: &str) -> Result<u64, StoreError> {
        let keys: Vec<Key> = self.team_ids_of(member)?.iter().map(|team| Kind::Team.document(team)).collect();
        let teams = if keys.is_empty() { Vec::new() } else { self.items(&keys)? };
        Ok(teams.into_iter().flatten().map(|item| item.version).max().unwrap_or(0))
    }

    /// Whether this member belongs to the team.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn is_member(&self, team: &str, member: &str) -> Result<bool, StoreError> {
        Ok(keys::is_id(member) && self.item(keys::team_member(team, member))?.is_some())
    }

    /// Adds to `batch` the member's new display name on all its edges, and touches its teams, whose representation
    /// contains it.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn rename_in_teams(
        &self,
        batch: &mut Batch,
        old: &Stored<MemberRecord>,
        new: &MemberRecord,
    ) -> Result<(), StoreError> {
        let (id, name) = (new.id(), new.own_name().unwrap_or_default());
        if old.record.own_name().unwrap_or_default() == name {
            return Ok(());
        }
        batch.require_unchanged(Kind::User.touch(id), old.touch.map(|(version, _)| version));
        if old.touch.is_some() {
            let display = encode(&name)?;
            for team in self.team_ids_of(id)? {
                batch.put(keys::team_member(&team, id), display.clone());
                self.touch(batch, Kind::Team, &team);
            }
        }
        Ok(())
    }

    /// Adds to `batch` that the member leaves every team. Used when the member is deleted.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn leave_teams(&self, batch: &mut Batch, member: &Stored<MemberRecord>) -> Result<Vec<String>, StoreError> {
        let id = member.record.id();
        batch.require_unchanged(Kind::User.touch(id), member.touch.map(|(version, _)| version));
        if member.touch.is_none() {
            return Ok(Vec::new());
        }
        let teams = self.team_ids_of(id)?;
        for team in &teams {
            batch.delete(keys::team_member(team, id));
            self.resized(batch, team, -1);
        }
        batch.delete_range(keys::member_teams(id));
        batch.delete(Kind::User.touch(id));
        Ok(teams)
    }

    /// Adds to `batch` that every member leaves the team. Used when the team is deleted.
    ///
    /// # Errors
    /// If the storage can't answer.
    pub fn disband(&self, batch: &mut Batch, team: &Stored<TeamRecord>) -> Result<(), StoreError> {
        let id = team.record.id();
        batch.require_unchanged(Kind::Team.touch(id), team.touch.map(|(version, _)| version));
        if team.touch.is_some() {
            self.edges(id, |edge| {
                batch.delete(keys::member_team(&edge.member, id));
                self.touch(batch, Kind::User, &edge.member);
                Ok(true)
            })?;
            batch.delete_range(keys::team_members(id));
            batch.delete(Kind::Team.touch(id));
        }
        batch.delete(keys::team_size(id));
        Ok(())
    }

    fn resized(&self, batch: &mut Batch, team: &str, delta: i64) {
        batch.add(keys::team_size(team), delta, None, None);
        self.touch(batch, Kind::Team, team);
    }

    fn touch(&self, batch: &mut Batch, kind: Kind, id: &str) {
        batch.put(kind.touch(id), self.now().to_string().into_bytes());
    }
}
