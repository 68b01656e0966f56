//! Decides what is done to a team, and why (rules P3 and P4). The module `memberships` decides who joins and leaves it.

use super::memberships::Memberships;
use super::{Change, merge, with_id};
use crate::protocol::document::Document;
use crate::protocol::patch::MemberChange;
use crate::provisioning::changed::changed;
use crate::provisioning::refusal::named;
use crate::provisioning::{Action, Refusal};
use crate::sentence::Sentence;
use crate::store::{Moves, OrganizationRecord, Origin, Store, StoreError, Stored, TeamRecord, keys};

/// The decision about a team, and its reasons.
#[derive(Clone, Debug)]
pub struct TeamDecision {
    /// The team before the change; `None` for a new one.
    pub old: Option<Stored<TeamRecord>>,
    /// How the team's record changes.
    pub change: Change<TeamRecord>,
    /// The members who join and leave the team. They are ignored if the team is deleted, since then all its memberships
    /// end.
    pub moves: Moves,
    /// The action that the log names.
    pub action: Action,
    /// The reasons, for the log.
    pub because: Vec<String>,
}

/// The rules of one organization's teams. They read the store and write nothing.
#[derive(Clone, Copy)]
pub struct TeamRules<'r, 'h> {
    /// The organization's store.
    pub store: &'r Store<'h>,
    /// The organization, with its plan and its options.
    pub organization: &'r OrganizationRecord,
    /// The base URL of resources, with which the `$ref` of a member begins.
    pub base_url: &'r str,
}

impl TeamRules<'_, '_> {
    /// Decides about a posted group. A manual team with the same name is adopted, otherwise a team is added.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing would be done.
    pub fn post(&self, group: &Document, members: &[MemberChange]) -> Result<TeamDecision, Refusal> {
        let name = group.get("displayName").and_then(serde_json::Value::as_str).unwrap_or_default();
        let Some(id) = self.store.id_by_team_name(name)? else { return self.add(group, members) };
        let team = self.store.team(&id)?.ok_or(StoreError::Conflict)?;
        if team.record.origin == Origin::Scim {
            return Err(Refusal::Taken { attribute: "displayName", value: name.to_owned(), id });
        }
        let merged = merge(&team.record.document, group);
        self.change(team, merged, members, Sentence::MatchedBy { attribute: "displayName" })
    }

    /// Decides about a team whose document is replaced by this one and whose members change. The first change of a
    /// manual team makes it SCIM-managed.
    ///
    /// # Errors
    /// [`Refusal`] says why nothing would be done.
    pub(crate) fn change(
        &self,
        old: Stored<TeamRecord>,
        document: Document,
        members: &[MemberChange],
        reason: Sentence,
    ) -> Result<TeamDecision, Refusal> {
        let moves = self.memberships(old.record.id()).moves(members)?;
        let adopts = old.record.origin == Origin::Manual;
        let mut because: Vec<String> = vec![reason.into()];
        let (change, action) = if adopts || document != old.record.document {
            let created = old.record.created;
            let new = TeamRecord { origin: Origin::Scim, created, modified: self.store.now(), document };
            self.require_free_name(&old.record, &new)?;
            because.extend(adopts.then(|| String::from(Sentence::TeamAdopted)));
            because.extend(changed(&old.record.document, &new.document));
            (Change::Put(new), if adopts { Action::Adopted } else { Action::Updated })
        } else if moves.any() {
            (Change::Nothing, Action::Updated)
        } else {
            because.push(Sentence::NothingChanged.into());
            (Change::Nothing, Action::Unchanged)
        };
        because.extend(lines(&moves));
        Ok(TeamDecision { old: Some(old), change, moves, action, because })
    }

    /// Decides about a team that is to be deleted with its memberships. Its members stay in the organization.
    #[must_use]
    pub fn delete(&self, old: Stored<TeamRecord>) -> TeamDecision {
        let because: Vec<String> = vec![Sentence::AddressedById.into(), Sentence::NoMemberRemoved.into()];
        let (change, moves) = (Change::Remove, Moves::default());
        TeamDecision { old: Some(old), change, moves, action: Action::Deleted, because }
    }

    fn add(&self, group: &Document, members: &[MemberChange]) -> Result<TeamDecision, Refusal> {
        let (id, now) = (self.store.new_id(), self.store.now());
        let new = TeamRecord { origin: Origin::Scim, created: now, modified: now, document: with_id(group, &id) };
        let moves = self.memberships(&id).moves(members)?;
        let mut because: Vec<String> = vec![Sentence::MatchedNoTeam.into()];
        because.extend(lines(&moves));
        Ok(TeamDecision { old: None, change: Change::Put(new), moves, action: Action::Created, because })
    }

    fn memberships<'t>(&'t self, team: &'t str) -> Memberships<'t, 't> {
        let Self { store, organization, base_url } = *self;
        let refuses_unknown = organization.options.strict || organization.options.refuse_unknown_members;
        Memberships { store, team, base_url, refuses_unknown }
    }

    /// Requires that no other team has the new name.
    fn require_free_name(&self, old: &TeamRecord, new: &TeamRecord) -> Result<(), Refusal> {
        let name = new.display_name();
        if keys::fold(old.display_name()) != keys::fold(name)
            && let Some(id) = self.store.id_by_team_name(name)?
        {
            return Err(Refusal::Taken { attribute: "displayName", value: name.to_owned(), id });
        }
        Ok(())
    }
}

/// Lines for the log: who joins, who leaves and who is left out.
fn lines(moves: &Moves) -> impl Iterator<Item = String> {
    let (added, removed, unknown) = (moves.added.len(), moves.removed.len(), moves.unknown.len());
    let lines = [
        (added > 0).then_some(Sentence::MembersAdded { count: added }),
        (removed > 0).then_some(Sentence::MembersRemoved { count: removed }),
        (unknown > 0).then(|| Sentence::MembersLeftOut { count: unknown, ids: named(&moves.unknown) }),
    ];
    lines.into_iter().flatten().map(String::from)
}
