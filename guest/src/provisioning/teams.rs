//! Teams: adoption, changes, memberships, deletion (rules P3 and P4).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::changed::changed as names_changed;
use super::decide::{merge, with_id};
use super::refusal::named;
use super::write::Moved;
use super::{Action, Precondition, Provisioned, Refusal, write};
use crate::protocol::document::Document;
use crate::protocol::error::ScimError;
use crate::protocol::patch::{MemberChange, Patched};
use crate::sentence::Sentence;
use crate::store::{Batch, OrganizationRecord, Origin, Store, StoreError, Stored, TeamRecord, keys};

/// The teams of an organization, as SCIM sees and changes them.
pub struct Teams<'c, 'h> {
    store: &'c Store<'h>,
    organization: &'c OrganizationRecord,
    /// Where clients see resources: what `$ref` of a member begins with.
    base_url: &'c str,
}

impl<'c, 'h> Teams<'c, 'h> {
    /// The teams of the organization, which clients see below `base_url`.
    pub fn new(store: &'c Store<'h>, organization: &'c OrganizationRecord, base_url: &'c str) -> Self {
        Self { store, organization, base_url }
    }

    /// Provisions a group: adopts the manual team with the same name, else adds a team.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn provision(&self, document: &Document, members: &[String]) -> Result<Provisioned<TeamRecord>, Refusal> {
        let change = [MemberChange::Add(members.to_vec())];
        self.store.transact(|| {
            let name = document.get("displayName").and_then(serde_json::Value::as_str).unwrap_or_default();
            let Some(id) = self.store.id_by_team_name(name)? else { return self.add(document, &change) };
            let team = self.store.team(&id)?.ok_or(StoreError::Conflict)?;
            if team.record.origin == Origin::Scim {
                return Err(Refusal::Taken { attribute: "displayName", value: name.to_owned(), id });
            }
            let merged = merge(&team.record.document, document);
            let mut adopted = self.change(team, merged, &change, Sentence::MatchedBy { attribute: "displayName" })?;
            adopted.action = Action::Adopted;
            Ok(adopted)
        })
    }

    /// Changes a team: `change` makes the new document and the changes of the members of the current document.
    ///
    /// # Errors
    /// [`Refusal`] says why not; those of `change` among them.
    pub fn update(
        &self,
        id: &str,
        precondition: Precondition<'_>,
        change: impl Fn(&Document) -> Result<Patched, ScimError>,
    ) -> Result<Provisioned<TeamRecord>, Refusal> {
        self.store.transact(|| {
            let team = self.existing(id, precondition)?;
            let patch = change(&team.record.document)?;
            self.change(team, patch.document, &patch.members, Sentence::AddressedById)
        })
    }

    /// Removes a team and its memberships, no member.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    pub fn delete(&self, id: &str, precondition: Precondition<'_>) -> Result<Provisioned<TeamRecord>, Refusal> {
        self.store.transact(|| {
            let team = self.existing(id, precondition)?;
            let mut batch = Batch::new();
            self.store.disband(&mut batch, &team)?;
            write::team(self.store, &mut batch, Some(&team), None, Moved::default())?;
            self.store.commit(batch)?;
            let because: Vec<String> = vec![Sentence::AddressedById.into(), Sentence::NoMemberRemoved.into()];
            Ok(Provisioned { stored: team, action: Action::Deleted, because, left_out: 0 })
        })
    }

    fn existing(&self, id: &str, precondition: Precondition<'_>) -> Result<Stored<TeamRecord>, Refusal> {
        let team = self.store.team(id)?.ok_or_else(|| Refusal::NotFound { kind: "Group".into(), id: id.to_owned() })?;
        if precondition(team.resource_version()) { Ok(team) } else { Err(Refusal::PreconditionFailed) }
    }

    fn add(&self, document: &Document, members: &[MemberChange]) -> Result<Provisioned<TeamRecord>, Refusal> {
        let id = self.store.new_id();
        let now = self.store.now();
        let record = TeamRecord { origin: Origin::Scim, created: now, modified: now, document: with_id(document, &id) };
        let mut batch = Batch::new();
        let team = Stored { record, version: 0, touch: None };
        let moves = self.change_members(&mut batch, &team, members)?;
        // The membership's requirement that the team exists is met by the team's own write only after it.
        batch.forget_exists(&keys::Kind::Team.document(&id));
        write::team(self.store, &mut batch, None, Some(&team.record), moves.moved())?;
        let version = self.store.commit(batch)?;
        let touch = moves.any().then_some((version, now));
        let mut because: Vec<String> = vec![Sentence::MatchedNoTeam.into()];
        because.extend(moves.lines());
        let (stored, left_out) = (Stored { version, touch, ..team }, moves.unknown.len());
        Ok(Provisioned { stored, action: Action::Created, because, left_out })
    }

    /// Writes the changed document and memberships; the first write of a manual team makes it SCIM-managed.
    fn change(
        &self,
        old: Stored<TeamRecord>,
        document: Document,
        members: &[MemberChange],
        reason: Sentence,
    ) -> Result<Provisioned<TeamRecord>, Refusal> {
        let adopts = old.record.origin == Origin::Manual;
        let mut batch = Batch::new();
        let moves = self.change_members(&mut batch, &old, members)?;
        let touched = moves.any();
        let changed = adopts || document != old.record.document;
        let mut because: Vec<String> = vec![reason.into()];
        if !changed && !touched {
            because.push(Sentence::NothingChanged.into());
            because.extend(moves.lines());
            let left_out = moves.unknown.len();
            return Ok(Provisioned { stored: old, action: Action::Unchanged, because, left_out });
        }
        let now = self.store.now();
        let mut stored = old.clone();
        if changed {
            stored.record = TeamRecord { origin: Origin::Scim, modified: now, document, ..old.record.clone() };
            let (old_name, name) = (old.record.display_name(), stored.record.display_name());
            if keys::fold(old_name) != keys::fold(name)
                && let Some(id) = self.store.id_by_team_name(name)?
            {
                return Err(Refusal::Taken { attribute: "displayName", value: name.to_owned(), id });
            }
            write::team(self.store, &mut batch, Some(&old), Some(&stored.record), moves.moved())?;
        } else {
            write::memberships(self.store, &mut batch, &stored.record, moves.moved())?;
        }
        because.extend(adopts.then(|| String::from(Sentence::TeamAdopted)));
        because.extend(names_changed(&old.record.document, &stored.record.document));
        because.extend(moves.lines());
        let version = self.store.commit(batch)?;
        if changed {
            stored.version = version;
        }
        if touched {
            stored.touch = Some((version, now));
        }
        let action = if adopts { Action::Adopted } else { Action::Updated };
        Ok(Provisioned { stored, action, because, left_out: moves.unknown.len() })
    }

    /// Adds to `batch` what the changes, in order, come to. Returns who comes and who goes.
    fn change_members(
        &self,
        batch: &mut Batch,
        team: &Stored<TeamRecord>,
        changes: &[MemberChange],
    ) -> Result<Moves, Refusal> {
        let mut wanted = Wanted::default();
        for change in changes {
            match change {
                MemberChange::Add(members) => wanted.set(members, true),
                MemberChange::Remove(members) => wanted.set(members, false),
                MemberChange::Replace(members) => wanted.only(members.iter().cloned().collect()),
                MemberChange::Exchange { others, members } => {
                    wanted.set(others, false);
                    wanted.set(members, true);
                }
                MemberChange::RemoveWhere(filter) => {
                    let matching = self.members_where(team, &wanted, &|element| filter.matches_element(element))?;
                    wanted.set(&matching, false);
                }
                MemberChange::ReplaceWhere { filter, members } => {
                    let matching = self.members_where(team, &wanted, &|element| filter.matches_element(element))?;
                    if matching.is_empty() {
                        return Err(ScimError::no_target("No member matches the path").into());
                    }
                    wanted.set(&matching, false);
                    wanted.set(members, true);
                }
            }
        }
        let id = team.record.id();
        if let Some(only) = wanted.whole {
            let mut gone: Vec<String> = Vec::new();
            self.store.edges(id, |edge| {
                if !only.contains(&edge.member) && !wanted.each.contains_key(&edge.member) {
                    gone.push(edge.member);
                }
                Ok(true)
            })?;
            for (members, stays) in [(only.into_iter().collect(), true), (gone, false)] {
                for member in members {
                    wanted.each.entry(member).or_insert(stays);
                }
            }
            self.store.require_memberships_unchanged(batch, team);
        }
        let (come, go): (Vec<_>, Vec<_>) = wanted.each.into_iter().partition(|(_, stays)| *stays);
        let come: Vec<String> = come.into_iter().map(|(member, _)| member).collect();
        let go: Vec<String> = go.into_iter().map(|(member, _)| member).collect();
        let additions = self.store.add_members(batch, id, &come)?;
        self.may_be_left_out(&additions.unknown, changes)?;
        let removed = self.store.remove_members(batch, id, &go)?;
        Ok(Moves { added: additions.added, removed, unknown: additions.unknown })
    }

    /// Whether the change is made without these members, whom nobody knows (T33). A replacement of whom nobody is known is
    /// not: it would take away those who are there, and bring nobody.
    fn may_be_left_out(&self, unknown: &[String], changes: &[MemberChange]) -> Result<(), Refusal> {
        if unknown.is_empty() {
            return Ok(());
        }
        if let Some(team) = self.store.first_team_of(unknown)? {
            return Err(Refusal::NestedTeam(team));
        }
        let options = &self.organization.options;
        if options.strict || options.refuse_unknown_members {
            return Err(Refusal::UnknownMembers(unknown.to_vec()));
        }
        let unknown: HashSet<&String> = unknown.iter().collect();
        let is_of_nobody = |members: &&[String]| !members.is_empty() && members.iter().all(|id| unknown.contains(id));
        match changes.iter().filter_map(MemberChange::replacement).find(is_of_nobody) {
            Some(members) => Err(Refusal::NobodyKnown(members.to_vec())),
            None => Ok(()),
        }
    }

    /// Those who would be members by now and match.
    fn members_where(
        &self,
        team: &Stored<TeamRecord>,
        wanted: &Wanted,
        matches: &dyn Fn(&serde_json::Value) -> bool,
    ) -> Result<Vec<String>, Refusal> {
        let element = |member: &str, name: Option<String>| {
            let location = format!("{}/Users/{member}", self.base_url);
            serde_json::json!({"value": member, "$ref": location, "display": name, "type": "User"})
        };
        let mut matching = Vec::new();
        self.store.edges(team.record.id(), |edge| {
            if wanted.keeps(&edge.member) && matches(&element(&edge.member, edge.own_name())) {
                matching.push(edge.member);
            }
            Ok(true)
        })?;
        for (member, stays) in &wanted.each {
            if *stays && matches(&element(member, None)) {
                matching.push(member.clone());
            }
        }
        Ok(matching)
    }
}

/// Who comes to a team and who leaves it.
struct Moves {
    added: Vec<String>,
    removed: Vec<String>,
    /// Those who were left out, because nobody has their ids.
    unknown: Vec<String>,
}

impl Moves {
    fn moved(&self) -> Moved<'_> {
        Moved { added: &self.added, removed: &self.removed }
    }

    fn any(&self) -> bool {
        !self.added.is_empty() || !self.removed.is_empty()
    }

    /// In words for the log.
    fn lines(&self) -> impl Iterator<Item = String> {
        let (added, removed, unknown) = (self.added.len(), self.removed.len(), self.unknown.len());
        let lines = [
            (added > 0).then_some(Sentence::MembersAdded { count: added }),
            (removed > 0).then_some(Sentence::MembersRemoved { count: removed }),
            (unknown > 0).then(|| Sentence::MembersLeftOut { count: unknown, ids: named(&self.unknown) }),
        ];
        lines.into_iter().flatten().map(String::from)
    }
}

/// Who is to be a member in the end.
#[derive(Default)]
struct Wanted {
    /// Nobody but these, save for `each`; `None` leaves the others as they are.
    whole: Option<BTreeSet<String>>,
    /// Whether this one is.
    each: BTreeMap<String, bool>,
}

impl Wanted {
    fn set(&mut self, members: &[String], stays: bool) {
        self.each.extend(members.iter().map(|member| (member.clone(), stays)));
    }

    fn only(&mut self, members: BTreeSet<String>) {
        self.each.clear();
        self.whole = Some(members);
    }

    fn keeps(&self, member: &str) -> bool {
        self.each.get(member).copied().unwrap_or_else(|| self.whole.as_ref().is_none_or(|whole| whole.contains(member)))
    }
}
